//! What a condition looks at.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pointer::Pointer;
use crate::document::Document;
use crate::error::{Error, Result};

/// A place in a document. As text it is a JSON pointer or one of the names that
/// begin with `@`.
///
/// ```
/// use ifmatch_meta::Field;
/// assert_eq!("/size/bytes".parse::<Field>()?, Field::Body("/size/bytes".into()));
/// assert_eq!("@id".parse::<Field>()?, Field::Id);
/// assert!("size".parse::<Field>().is_err());
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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

impl Field {
    /// All but the body's.
    const NAMED: [(&'static str, Self); 6] = [
        ("@id", Self::Id),
        ("@partition", Self::Partition),
        ("@etag", Self::ETag),
        ("@created_at", Self::CreatedAt),
        ("@updated_at", Self::UpdatedAt),
        ("@updated_by", Self::UpdatedBy),
    ];

    /// The field of this text, which may turn out to be none when it is used.
    pub(super) fn lenient(text: &str) -> Self {
        let named = Self::NAMED.into_iter().find(|(name, _)| *name == text);
        named.map_or_else(|| Self::Body(text.into()), |(_, field)| field)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Body(pointer) => pointer,
            Self::Id => "@id",
            Self::Partition => "@partition",
            Self::ETag => "@etag",
            Self::CreatedAt => "@created_at",
            Self::UpdatedAt => "@updated_at",
            Self::UpdatedBy => "@updated_by",
        }
    }

    /// Its value in a document; `None` where it is missing.
    ///
    /// # Errors
    /// `Invalid` for a body field that is no JSON pointer; `Corrupt` for a stored
    /// body that is not JSON.
    pub fn value<'a>(&self, document: &'a Document) -> Result<Option<Cow<'a, Value>>> {
        Place::new(self)?.find(Source::Document(document))
    }

    /// The place, where it is one.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn validate(&self) -> Result<()> {
        Place::new(self).map(drop)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Field {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let field = Self::lenient(text);
        field.validate()?;
        Ok(field)
    }
}

impl TryFrom<String> for Field {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.as_str().into()
    }
}

/// A field as it appears in a message: on one line, and cut where it is long.
pub(super) fn shown(field: &str) -> String {
    let mut text: String = field.escape_debug().take(80).collect();
    if text.is_empty() {
        text.push_str("the body");
    }
    text
}

/// What fields are looked up in.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Document(&'a Document),
    Element(&'a Value),
}

/// A field, ready to be looked up.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Body(Pointer),
    Named(Field),
}

impl Place {
    pub(super) fn new(field: &Field) -> Result<Self> {
        let Field::Body(text) = field else { return Ok(Self::Named(field.clone())) };
        if text.contains('\0') {
            return Err(Error::invalid(format!("field {}: it holds U+0000", shown(text))));
        }
        if let Some(pointer) = Pointer::parse(text) {
            return Ok(Self::Body(pointer));
        }
        let known = Field::NAMED.map(|(name, _)| name).join(", ");
        Err(Error::invalid(format!(
            "field {}: neither a JSON pointer (\"/...\", RFC 6901) nor one of {known}",
            shown(text)
        )))
    }

    pub(super) fn find<'a>(&self, source: Source<'a>) -> Result<Option<Cow<'a, Value>>> {
        let (pointer, body) = match (self, source) {
            (Self::Body(pointer), Source::Element(element)) => (pointer, element),
            (Self::Body(pointer), Source::Document(document)) => (pointer, document.body.value()?),
            (Self::Named(field), Source::Document(document)) => return Ok(named(field, document)),
            (Self::Named(_), Source::Element(_)) => return Ok(None),
        };
        Ok(pointer.find(body).map(Cow::Borrowed))
    }
}

fn named<'a>(field: &Field, document: &Document) -> Option<Cow<'a, Value>> {
    let text = match field {
        Field::Body(_) => return None,
        Field::Id => document.key.id.as_str().to_owned(),
        Field::Partition => document.key.partition.as_str().to_owned(),
        Field::ETag => document.etag.to_string(),
        Field::CreatedAt => document.created_at.to_string(),
        Field::UpdatedAt => document.updated_at.to_string(),
        Field::UpdatedBy => document.updated_by.as_deref()?.to_owned(),
    };
    Some(Cow::Owned(Value::String(text)))
}
