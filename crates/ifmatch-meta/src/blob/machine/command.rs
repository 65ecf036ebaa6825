//! What is asked of a partition, and what it says.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Timestamp;

use super::lock::{Lock, LockId, Piece};
use crate::error::Error;
use crate::etag::{ETag, Nonce};
use crate::evaluate::Evaluated;
use crate::ops::Op;
use crate::transaction::{TxCommit, TxId};

/// What is asked, and everything that the answer depends on beside the state.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    /// When, by the caller's clock.
    pub(crate) now: Timestamp,
    /// Who.
    pub(crate) author: Option<Arc<str>>,
    /// Whether changes are to be recorded.
    pub(crate) audit: bool,
    /// A commit that the caller knows of, and when the store made it.
    pub(crate) clock: Option<(u64, Timestamp)>,
    /// The transaction that is over, as the caller found out.
    pub(crate) over: Option<LockId>,
    /// How large the partition may become, in bytes.
    pub(crate) limit: u64,
    pub(crate) ask: Ask,
}

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// Operations, all or none.
    Batch { ops: Arc<[Op]>, etags: Arc<[ETag]>, return_documents: bool, largest: usize },
    /// A transaction begins.
    Begin { id: TxId, address: Nonce, lifetime: Duration, date: Option<Timestamp> },
    /// The piece that follows `count` others was staged.
    Stage { tx: LockId, count: u64, piece: Piece },
    /// A transaction ends with these effects.
    Commit { tx: LockId, commit: Arc<TxCommit> },
    /// A transaction ends without effects.
    Abort { tx: LockId },
    /// No transaction of this name and address is to begin any more.
    Fence { id: TxId, address: Nonce },
}

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Batch(Evaluated),
    /// The transaction that is open; whether this call began it.
    Begun {
        lock: Lock,
        fresh: bool,
    },
    /// A transaction was committed, in this commit.
    Committed(u64),
    Done,
}

/// Why it is not done.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// What the caller hears.
    Failed(Error),
    /// An open transaction holds the partition.
    Locked(Lock),
    /// Transactions of this name begin in another partition.
    Fenced,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
