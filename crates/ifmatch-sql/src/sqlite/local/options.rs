//! How a database file is used.

use std::time::Duration;

/// What an acknowledged write survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Loss of power: one fsync per commit (`synchronous=FULL`).
    #[default]
    Full,
    /// The end of the process by any means, not loss of power: no fsync per
    /// commit (`synchronous=NORMAL`). The file is never damaged.
    Process,
}

/// Where SQL runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Executor {
    /// Writes on one thread, which commits what is queued in one transaction;
    /// short reads in the calling task, long ones on tokio's blocking threads.
    /// Needs a tokio runtime for long reads.
    #[default]
    Thread,
    /// Everything in the calling task, on one connection: deterministic, for
    /// simulation (a thread would break paused time).
    Inline,
}

/// What the end of the last connection does with the write-ahead log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum OnClose {
    /// Copies it into the file and removes it, as SQLite does: the file is
    /// whole by itself.
    #[default]
    Checkpoint,
    /// Leaves it: a synced working copy finds its changes there.
    KeepLog,
}

/// How a [`LocalDb`](super::LocalDb) uses its file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LocalOptions {
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Where SQL runs.
    pub executor: Executor,
    /// Most connections for reading, at least 2; opened when needed. Long reads
    /// never take the last one. 4 unless set. Each connection, the writing one
    /// too, keeps up to 8 MiB of pages.
    pub readers: usize,
    /// How long to wait for another process's lock; 5 s unless set.
    pub busy_timeout: Duration,
    /// What the end of the last connection does with the log.
    pub on_close: OnClose,
    /// Pages in the log after which a commit copies it into the file; 0: never.
    /// SQLite's 1,000 unless set.
    pub checkpoint_pages: u32,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            executor: Executor::default(),
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            on_close: OnClose::default(),
            checkpoint_pages: 1_000,
        }
    }
}
