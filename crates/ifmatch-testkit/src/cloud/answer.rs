//! What became of a request, in words that all dialects share.

use super::{conditions::Refusal, list::Page, log::AppliedWrite, object::StoredObject};

/// The verdict on a request; each dialect turns it into a response.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Stored(StoredObject),
    /// The object and the bytes asked for (first, one after the last).
    Found(StoredObject, Option<(u64, u64)>),
    NotModified(StoredObject),
    Deleted,
    Missing,
    Refused(Refusal),
    /// No byte of the range exists; the size of the object.
    Unsatisfiable(u64),
    DeletedMany(Vec<DeletedOne>),
    Listing(Page),
    UploadCreated {
        key: String,
        upload: String,
    },
    PartStored {
        etag: String,
    },
    Completed(StoredObject),
    Aborted,
    NoUpload,
}

/// What became of one deletion of a batch.
#[derive(Clone, Debug)]
pub(super) struct DeletedOne {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) answer: Box<Answer>,
}

/// An error on its way to the client, to be dressed by the dialect.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

impl Problem {
    pub(super) fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }
}

/// A verdict together with what was changed to reach it.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) answer: Answer,
    pub(super) changes: Vec<(String, AppliedWrite)>,
}

impl From<Answer> for Effect {
    fn from(answer: Answer) -> Self {
        Self { answer, changes: Vec::new() }
    }
}
