//! How a working copy behaves.

use std::time::Duration;

/// Whether a push checks that nobody published since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Locking {
    /// A push on an old base is a conflict.
    #[default]
    Optimistic,
    /// The check against the base is skipped: a push replaces what is there by
    /// a commit on top of it. Still a compare-and-swap, so nothing is torn.
    None,
}

/// What a conflict does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum OnConflict {
    /// Nothing is changed anywhere; the conflict is reported.
    #[default]
    Fail,
    /// The remote is adopted, the local changes are kept in a file beside the
    /// database, and the conflict is reported.
    Reload,
}

/// Options of a working copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SyncOptions {
    /// Whether a push checks its base.
    pub locking: Locking,
    /// What a conflict does.
    pub on_conflict: OnConflict,
    /// How long to wait for another process that syncs this copy, or that has
    /// the database open while it must be replaced.
    pub wait: Duration,
    /// Largest database, in bytes of its file.
    pub max_database: u64,
}

impl Default for SyncOptions {
    /// Optimistic, fail on conflict, wait 30 seconds, at most 1 GiB.
    fn default() -> Self {
        Self {
            locking: Locking::default(),
            on_conflict: OnConflict::default(),
            wait: Duration::from_secs(30),
            max_database: 1 << 30,
        }
    }
}

impl SyncOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a push checks its base.
    pub fn locking(mut self, locking: Locking) -> Self {
        self.locking = locking;
        self
    }

    /// What a conflict does.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// How long to wait for another process.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Largest database, in bytes of its file.
    pub fn max_database(mut self, bytes: u64) -> Self {
        self.max_database = bytes;
        self
    }
}
