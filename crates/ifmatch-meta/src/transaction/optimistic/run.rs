//! One run of a body: what it has read and what it wants to write.

use std::collections::BTreeMap;

use ifmatch_core::Retry;

use super::failures::{self, Failures};
use crate::document::Document;
use crate::error::{Error, InBatch, Result};
use crate::key::{DocId, Partition};
use crate::mark::Mark;
use crate::ops::{Applied, Op, WriteOptions};
use crate::precondition::DocPrecondition;
use crate::store::MetaStore;

/// Reads and writes of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// Documents as they were read, each once.
    pub(super) documents: BTreeMap<DocId, Option<Document>>,
    /// The states of the partition in which ranges and queries were read.
    pub(super) marks: Vec<Mark>,
    pub(super) ops: Vec<Op>,
    pub(super) options: WriteOptions,
    /// Reads that failed.
    pub(super) failures: Failures,
    /// The body has answered.
    pub(super) closed: bool,
}

/// Why a run does not count.
pub(super) enum Failed {
    /// Another one may.
    Again(Error),
    ForGood(Error),
}

impl Run {
    /// Applies the writes if all reads are still true.
    pub(super) async fn commit(
        &self,
        store: &dyn MetaStore,
        partition: &Partition,
    ) -> Result<Vec<Applied>, Failed> {
        if let Some(error) = self.failures.first().cloned() {
            let again = failures::passes(&error);
            return Err(if again { Failed::Again(error) } else { Failed::ForGood(error) });
        }
        if self.ops.is_empty() && self.is_one_read(store) {
            return Ok(Vec::new());
        }
        let mut ops = self.checks();
        let checks = ops.len();
        ops.extend(self.ops.iter().cloned());
        match store.batch_with(partition, ops, self.options.clone()).await {
            Ok(mut applied) => Ok(applied.split_off(checks.min(applied.len()))),
            Err(error) => Err(judged(error, checks)),
        }
    }

    /// Whether all that was read was true at one moment.
    ///
    /// # Errors
    /// Why it is not, or is not known.
    pub(super) async fn was_true(
        &self,
        store: &dyn MetaStore,
        partition: &Partition,
    ) -> Result<()> {
        // One that does not pass is what the body has to say about.
        if let Some(error) = self.failures.passing() {
            return Err(error.clone());
        }
        if self.is_one_read(store) {
            return Ok(());
        }
        match store.batch(partition, self.checks()).await {
            Err(error) if matches!(error.retry(), Retry::Rebase | Retry::Same) => {
                Err(error.alone())
            }
            _ => Ok(()), // It cannot be known better: the body's own error is told.
        }
    }

    /// One read is true at one moment without being asked again, where reads are
    /// of what is there.
    fn is_one_read(&self, store: &dyn MetaStore) -> bool {
        let reads = self.documents.len() + self.marks.len();
        reads == 0 || reads == 1 && !store.features().stale_reads
    }

    fn checks(&self) -> Vec<Op> {
        let documents = self.documents.iter().map(|(id, document)| {
            let state = match document {
                Some(document) => DocPrecondition::IfMatch(document.etag),
                None => DocPrecondition::IfAbsent,
            };
            Op::check(id.clone(), state)
        });
        let marks = self.marks.iter().map(|since| Op::Unchanged { since: since.clone() });
        documents.chain(marks).collect()
    }
}

/// What a failed batch means, of which the first `checks` operations are what
/// was read.
fn judged(error: Error, checks: usize) -> Failed {
    let Error::InBatch(inner) = error else {
        return match error.retry() {
            Retry::Same | Retry::Rebase => Failed::Again(error),
            _ => Failed::ForGood(error),
        };
    };
    let InBatch { index, error } = *inner;
    match error.retry() {
        Retry::Same => Failed::Again(error),
        Retry::Rebase if index < checks => Failed::Again(error),
        // All that was read is so: the condition is the body's own.
        _ => Failed::ForGood(error.at_operation(index.saturating_sub(checks))),
    }
}

/// The commit of the writes.
pub(super) fn position(applied: &[Applied]) -> Option<u64> {
    applied.iter().find_map(|applied| match applied {
        Applied::Written(written) => Some(written.position),
        Applied::Deleted(deleted) => Some(deleted.position),
        Applied::Checked(_) => None,
    })
}
