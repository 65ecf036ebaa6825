//! What a journal says, as a document store says it.

use std::sync::Arc;

use ifmatch_journal::Error as JournalError;

use crate::error::Error;

/// An error of the journal of a partition.
pub(super) fn failure(error: JournalError, subject: impl FnOnce() -> Arc<str>) -> Error {
    if error.pending().is_some() {
        return Error::OutcomeUnknown { subject: subject(), source: Arc::new(error) };
    }
    match error {
        JournalError::Store(error) => error.into(),
        remote => Error::Remote(Box::new(remote)),
    }
}
