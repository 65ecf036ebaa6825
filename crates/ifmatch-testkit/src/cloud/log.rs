//! The evidence: every request, every change of every key.

use super::{
    conditions::Conditions,
    fault::Fault,
    object::ObjectVersion,
    view::{Operation, RequestView},
};
use std::collections::BTreeMap;

/// What the client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A whole answer with this status.
    Answered(u16),
    /// A close without a byte.
    Closed,
    /// A reset without a byte.
    Reset,
    /// Half a status line, then a close.
    HalfAnswered,
    /// Silence, then a close.
    Stalled,
    /// An answer with this status whose body ended early.
    Truncated(u16),
    /// The client was gone before the answer was written.
    ClientGone,
}

/// One delivery of a request to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The status that it earned; the client may have been told another.
    pub status: u16,
    /// Whether it changed an object: a write took effect or an object that
    /// existed was deleted.
    pub applied: bool,
    /// The version that it left behind; none for reads, refusals and deletions.
    pub version: Option<ObjectVersion>,
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// The request.
    pub request: RequestView,
    /// The fault that was injected.
    pub fault: Option<Fault>,
    /// Its deliveries so far: none if it never reached the store or is still
    /// under way, two if it was duplicated.
    pub deliveries: Vec<Delivery>,
    /// What the client got.
    pub outcome: Outcome,
    /// Bytes received, head and body.
    pub bytes_in: u64,
    /// Bytes sent, head and body.
    pub bytes_out: u64,
}

impl LogEntry {
    /// Whether any delivery changed an object.
    pub fn applied(&self) -> bool {
        self.times_applied() > 0
    }

    /// How many deliveries changed an object.
    pub fn times_applied(&self) -> usize {
        self.deliveries.iter().filter(|delivery| delivery.applied).count()
    }

    /// The version that the last delivery to write left behind.
    pub fn version(&self) -> Option<&ObjectVersion> {
        self.deliveries.iter().rev().find_map(|delivery| delivery.version.as_ref())
    }
}

/// One change of a key, in the order in which they took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedWrite {
    /// The request that made it.
    pub seq: u64,
    /// Which delivery of the request, from 0.
    pub delivery: usize,
    /// The metadata field `ifmatchid`.
    pub write_id: Option<String>,
    /// The metadata field `ifmatchbase`.
    pub write_base: Option<String>,
    /// The conditions that the request named, ignored or not.
    pub conditions: Conditions,
    /// The version that stood before; `None` if the key did not exist.
    pub replaced: Option<ObjectVersion>,
    /// The version that stands since; `None` for a deletion.
    pub version: Option<ObjectVersion>,
}

/// What [`CloudServer::counts`](super::CloudServer::counts) counts by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct CountKey {
    /// The fault as displayed, `none` without one.
    pub fault: String,
    /// The kind of request.
    pub operation: Operation,
    /// What the client got.
    pub outcome: Outcome,
}

/// The log and the histories of the keys.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: BTreeMap<u64, LogEntry>,
    history: BTreeMap<String, Vec<AppliedWrite>>,
}

impl Log {
    /// Records an entry, in place of the one with its number.
    pub(super) fn record(&mut self, entry: LogEntry) {
        self.entries.insert(entry.request.seq, entry);
    }

    /// Records changes in the order in which they took effect.
    pub(super) fn apply(&mut self, changes: Vec<(String, AppliedWrite)>) {
        for (key, change) in changes {
            self.history.entry(key).or_default().push(change);
        }
    }

    /// Notes that the answer did not arrive whole.
    pub(super) fn client_gone(&mut self, seq: u64) {
        if let Some(entry) = self.entries.get_mut(&seq) {
            entry.outcome = Outcome::ClientGone;
            entry.bytes_out = 0;
        }
    }

    pub(super) fn entry(&self, seq: u64) -> Option<&LogEntry> {
        self.entries.get(&seq)
    }

    pub(super) fn entries(&self) -> Vec<LogEntry> {
        self.entries.values().cloned().collect()
    }

    pub(super) fn history(&self, key: &str) -> Vec<AppliedWrite> {
        self.history.get(key).cloned().unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.history.clear();
    }

    pub(super) fn counts(&self) -> BTreeMap<CountKey, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries.values() {
            let fault = entry.fault.map_or_else(|| "none".to_owned(), |fault| fault.to_string());
            let key =
                CountKey { fault, operation: entry.request.operation, outcome: entry.outcome };
            *counts.entry(key).or_default() += 1;
        }
        counts
    }
}
