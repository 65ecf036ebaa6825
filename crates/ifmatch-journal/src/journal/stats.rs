//! What a handle has done so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) commits: Count,
    pub(crate) commands: Count,
    pub(crate) head_puts: Count,
    pub(crate) head_gets: Count,
    pub(crate) object_puts: Count,
    pub(crate) object_gets: Count,
    pub(crate) lost: Count,
    pub(crate) read_back: Count,
    pub(crate) abandoned: Count,
    pub(crate) checkpoints: Count,
    pub(crate) merges: Count,
    pub(crate) maintenance_failed: Count,
}

/// What a handle has done so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Commits of this handle that landed.
    pub commits: u64,
    /// Commands in them.
    pub commands: u64,
    /// Requests to write the head.
    pub head_puts: u64,
    /// Requests to read the head.
    pub head_gets: u64,
    /// Requests to write segments, checkpoints and history.
    pub object_puts: u64,
    /// Requests to read them.
    pub object_gets: u64,
    /// Bodies that another writer's commit came before.
    pub lost: u64,
    /// Bodies whose success was only found by reading.
    pub read_back: u64,
    /// Bodies that were given up with their outcome open.
    pub abandoned: u64,
    /// Checkpoints that were committed.
    pub checkpoints: u64,
    /// Merges of segments that were committed.
    pub merges: u64,
    /// Maintenance that could not be prepared, and waits for a later commit.
    pub maintenance_failed: u64,
}

impl Stats {
    pub(crate) fn totals(&self) -> Totals {
        Totals {
            commits: self.commits.value(),
            commands: self.commands.value(),
            head_puts: self.head_puts.value(),
            head_gets: self.head_gets.value(),
            object_puts: self.object_puts.value(),
            object_gets: self.object_gets.value(),
            lost: self.lost.value(),
            read_back: self.read_back.value(),
            abandoned: self.abandoned.value(),
            checkpoints: self.checkpoints.value(),
            merges: self.merges.value(),
            maintenance_failed: self.maintenance_failed.value(),
        }
    }
}
