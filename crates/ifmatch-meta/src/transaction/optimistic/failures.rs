//! Reads of a run that failed.

use ifmatch_core::Retry;

use crate::error::Error;
use crate::key::DocId;
use crate::query::Query;
use crate::scan::ScanOptions;

/// What was read.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Read {
    Document(DocId),
    Page(Box<ScanOptions>),
    Query(Box<Query>),
}

/// Reads that failed and have not succeeded since, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures(Vec<(Read, Error)>);

impl Failures {
    /// What a read came to. A success strikes the failures of the same read:
    /// whoever asked again rests on that.
    pub(super) fn note<T>(&mut self, read: &Read, answer: &Result<T, Error>) {
        self.0.retain(|(failed, _)| failed != read);
        if let Err(error) = answer
            && tells_of_the_store(error)
        {
            self.0.push((read.clone(), error.clone()));
        }
    }

    /// Forgets them all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first one, if another run may not meet it.
    pub(super) fn passing(&self) -> Option<&Error> {
        self.0.iter().map(|(_, error)| error).find(|error| passes(error))
    }

    /// The first one.
    pub(super) fn first(&self) -> Option<&Error> {
        self.passing().or_else(|| self.0.first().map(|(_, error)| error))
    }
}

pub(super) fn passes(error: &Error) -> bool {
    matches!(error.retry(), Retry::Same | Retry::Rebase)
}

/// A call that is wrong in itself is answered without a look at what is there:
/// whatever the body makes of that rests on nothing.
fn tells_of_the_store(error: &Error) -> bool {
    !matches!(error.kind(), "invalid" | "too_large" | "unsupported")
}
