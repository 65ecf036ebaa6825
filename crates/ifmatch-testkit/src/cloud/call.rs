//! A request in words that all dialects share.

use super::{conditions::Conditions, list::ListQuery, object::Meta, view::Operation};
use bytes::Bytes;

/// A parsed request.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Put {
        key: String,
        body: Bytes,
        meta: Meta,
        conditions: Conditions,
    },
    Read {
        key: String,
        head: bool,
        range: Option<ByteRange>,
        generation: Option<String>,
        conditions: Conditions,
    },
    Delete {
        key: String,
        conditions: Conditions,
    },
    DeleteMany(Vec<Deletion>),
    List(ListQuery),
    CreateUpload {
        key: String,
        meta: Meta,
    },
    PutPart {
        key: String,
        upload: String,
        part: String,
        body: Bytes,
    },
    Complete {
        key: String,
        upload: String,
        parts: Vec<String>,
        meta: Option<Meta>,
        conditions: Conditions,
    },
    Abort {
        key: String,
        upload: String,
    },
}

/// One deletion of a batch.
#[derive(Clone, Debug)]
pub(super) struct Deletion {
    /// What the client calls it in the batch.
    pub(super) id: String,
    pub(super) key: String,
    pub(super) conditions: Conditions,
}

/// One range of bytes as asked for (RFC 9110 section 14.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteRange {
    From(u64),
    Between(u64, u64),
    Last(u64),
}

impl ByteRange {
    /// Parses a `Range` header. Several ranges or another unit mean none:
    /// a server may ignore a range.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
        match (first, last) {
            ("", count) => count.parse().ok().map(Self::Last),
            (first, "") => first.parse().ok().map(Self::From),
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(Self::Between(first, last))
            }
        }
    }

    /// The first byte and the one after the last, or nothing if no byte of a
    /// body of this size lies in the range.
    pub(super) fn resolve(self, size: u64) -> Option<(u64, u64)> {
        let (start, end) = match self {
            Self::From(first) => (first, size),
            Self::Between(first, last) => (first, size.min(last.saturating_add(1))),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        (start < end).then_some((start, end))
    }
}

impl Call {
    /// The kind of request.
    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Put { .. } => Operation::Put,
            Self::Read { head: false, .. } => Operation::Get,
            Self::Read { head: true, .. } => Operation::Head,
            Self::Delete { .. } => Operation::Delete,
            Self::DeleteMany(_) => Operation::DeleteMany,
            Self::List(_) => Operation::List,
            Self::CreateUpload { .. } => Operation::CreateUpload,
            Self::PutPart { .. } => Operation::PutPart,
            Self::Complete { .. } => Operation::CompleteUpload,
            Self::Abort { .. } => Operation::AbortUpload,
        }
    }

    /// The keys it names; for a listing its prefix.
    pub(super) fn keys(&self) -> Vec<String> {
        match self {
            Self::DeleteMany(deletions) => deletions.iter().map(|d| d.key.clone()).collect(),
            Self::List(query) => vec![query.prefix.clone()],
            Self::Put { key, .. }
            | Self::Read { key, .. }
            | Self::Delete { key, .. }
            | Self::CreateUpload { key, .. }
            | Self::PutPart { key, .. }
            | Self::Complete { key, .. }
            | Self::Abort { key, .. } => vec![key.clone()],
        }
    }

    /// The conditions of the request itself, not those inside a batch.
    pub(super) fn conditions(&self) -> Conditions {
        match self {
            Self::Put { conditions, .. }
            | Self::Read { conditions, .. }
            | Self::Delete { conditions, .. }
            | Self::Complete { conditions, .. } => conditions.clone(),
            _ => Conditions::default(),
        }
    }

    /// What it says about the object it writes.
    pub(super) fn meta(&self) -> Option<&Meta> {
        match self {
            Self::Put { meta, .. } | Self::CreateUpload { meta, .. } => Some(meta),
            Self::Complete { meta, .. } => meta.as_ref(),
            _ => None,
        }
    }
}
