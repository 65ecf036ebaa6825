//! What a store does for local transactions. Their meaning - staged writes,
//! what they see, their limits - is the same code on every backend; a backend
//! keeps the lock of the partition, what was staged for another process, and
//! what became of transactions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::TxId;
use crate::error::Result;
use crate::etag::Nonce;
use crate::evaluate::Effect;
use crate::key::Partition;
use crate::ops::Cost;

/// Which incarnation of a transaction: a client may choose the same id again
/// after its end, and the old one can never commit into the new one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct TxAddress {
    /// The name.
    pub id: TxId,
    /// Where.
    pub partition: Partition,
    /// The position of its begin: unique in its partition.
    pub incarnation: u64,
}

/// An open transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct TxRecord {
    /// Which.
    pub address: TxAddress,
    /// How long it lives, from its begin.
    pub lifetime: Duration,
    /// How much of that is left at least, as far as the store can tell; the
    /// whole lifetime where this call began it.
    pub remaining: Duration,
    /// How many pieces were staged for another process.
    pub staged: u64,
    /// What it cost to find out.
    pub cost: Cost,
}

/// What a commit applies.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct TxCommit {
    /// Drawn by the handle that commits: who asks again with it hears the same
    /// answer.
    pub nonce: Nonce,
    /// How many staged pieces the effects rest on: more of them, and another
    /// handle went on with the transaction meanwhile.
    pub staged: u64,
    /// Who deletes, where a document is deleted; the store's own author where it
    /// is `None`. What is written carries its author.
    pub author: Option<Arc<str>>,
    /// The net effect of all its writes; not empty.
    pub effects: Vec<Effect>,
}

/// What became of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TxOutcome {
    /// It is open.
    Open,
    /// All of it was applied, in the commit of this position.
    Committed {
        /// The commit.
        position: u64,
        /// Who committed.
        nonce: Nonce,
    },
    /// Nothing of it was applied, and nothing of it ever will be.
    Aborted,
    /// The store knows nothing of it: it never was, or its end was longer ago
    /// than the store remembers.
    Forgotten,
}

/// What a store does for local transactions.
///
/// # Contract
/// 1. At most one transaction is open in a partition; while it is, every other
///    write there fails with `PartitionLocked`.
/// 2. `commit` applies its effects only if this incarnation still holds the
///    partition, in the same atomic write; and ends it.
/// 3. A transaction whose life is over, by the clock that the store goes by,
///    holds nobody up: whoever comes next ends it as aborted. Never before its
///    life is over.
/// 4. `begin` with the id of an open transaction answers that transaction; where
///    it is open in another partition, `Invalid`.
/// 5. Outcomes are kept for the history retention: at least 7 days and at least
///    the last 1,000 of a partition.
/// 6. `stage` is create-only by number: of two handles that go on from the same
///    number one fails with `Busy`.
#[async_trait]
pub trait TxBackend: fmt::Debug + Send + Sync {
    /// Opens a transaction, or answers the open one of this id.
    ///
    /// # Errors
    /// `PartitionLocked` (another holds the partition), `Invalid`,
    /// `OutcomeUnknown`: ask again with the same id.
    async fn begin(&self, partition: &Partition, id: &TxId, lifetime: Duration)
    -> Result<TxRecord>;

    /// The open transaction of this id; `None` where there is none.
    ///
    /// # Errors
    /// Those of a read.
    async fn find(&self, id: &TxId) -> Result<Option<TxRecord>>;

    /// Keeps writes for another process, as piece number `number`.
    ///
    /// # Errors
    /// `Busy` where there is such a piece; `Expired` where the transaction is
    /// over.
    async fn stage(&self, address: &TxAddress, number: u64, piece: Bytes) -> Result<Cost>;

    /// The pieces, in order.
    ///
    /// # Errors
    /// `Expired` where the transaction is over.
    async fn staged(&self, address: &TxAddress) -> Result<Vec<Bytes>>;

    /// Applies the effects and ends the transaction; its position and cost. Where
    /// this nonce has committed before: that commit's.
    ///
    /// # Errors
    /// - `Expired`: the transaction is over, nothing of it was applied.
    /// - `Busy`: another handle went on with it, or committed it; nothing of
    ///   this one was applied.
    /// - `OutcomeUnknown`: ask again, or ask for the outcome.
    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)>;

    /// Ends it; nothing of it was or will be applied. Aborting what is aborted is
    /// fine.
    ///
    /// # Errors
    /// `Expired` where it was committed or is forgotten.
    async fn abort(&self, address: &TxAddress) -> Result<Cost>;

    /// What became of the newest transaction of this id; with `incarnation` of
    /// that one.
    ///
    /// # Errors
    /// Those of a read.
    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome>;
}
