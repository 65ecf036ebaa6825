//! What a condition looks at.

use std::sync::Arc;

/// A place in a document.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Field {
    /// A value in the body, by its JSON pointer (RFC 6901); empty is the whole
    /// body. `@...` in the JSON form is one of the others.
    Body(Arc<str>),
    /// `@id`, a text.
    Id,
    /// `@partition`, a text.
    Partition,
    /// `@etag`, a text with its quotes.
    ETag,
    /// `@created_at`: a text as documents print it, RFC 3339 with six digits and
    /// `Z`, which sorts in the order of time.
    CreatedAt,
    /// `@updated_at`, likewise.
    UpdatedAt,
    /// `@updated_by`, a text; missing where nobody was named.
    UpdatedBy,
}
