//! Documents as they are read.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::etag::ETag;
use crate::json::Json;
use crate::key::DocKey;

/// A document as it was at one moment.
///
/// Serialises as one flat object (`partition`, `id`, `etag`, `body`,
/// `created_at`, `updated_at`, `updated_by`), on one line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Document {
    /// Partition and id.
    #[serde(flatten)]
    pub key: DocKey,
    /// The tag of this state.
    pub etag: ETag,
    /// The body, byte for byte as it was put.
    pub body: Json,
    /// When it was created, by its writer's clock. Survives replacement, not
    /// deletion. Informational: order comes from positions.
    pub created_at: Timestamp,
    /// When this state was written, by its writer's clock. Informational.
    pub updated_at: Timestamp,
    /// Who wrote this state, where the writer said so.
    pub updated_by: Option<Arc<str>>,
}

/// The answer to "has it changed since I saw this tag?".
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::exhaustive_enums)] // There is no fourth answer.
pub enum Changed {
    /// It is still at the tag that was seen.
    Unchanged,
    /// It is another state now.
    Document(Document),
    /// There is no such document.
    Absent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_one_flat_line_and_reads_back() {
        let line = concat!(
            r#"{"partition":"p","id":"a","etag":"\"1-00112233445566778899aabb\"","#,
            r#""body":{"b": 1.10},"created_at":"2026-01-01T00:00:00.000000Z","#,
            r#""updated_at":"2026-01-01T00:00:01.000000Z","updated_by":null}"#
        );
        let document: Document = serde_json::from_str(line).unwrap();
        assert_eq!(document.body.as_str(), r#"{"b": 1.10}"#);
        assert_eq!(serde_json::to_string(&document).unwrap(), line);
    }
}
