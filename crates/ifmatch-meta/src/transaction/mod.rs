//! Local transactions, in one partition.
//!
//! A [`Transaction`] is pessimistic: from begin to end nobody else writes in
//! its partition. [`transact`] is optimistic: it runs a closure, and runs it
//! again where what it read has changed. Both are the same code on every
//! backend; a [`TxBackend`] keeps the lock of the partition, what was staged for
//! another process, and what became of transactions.

mod backend;
mod handle;
mod id;
mod optimistic;
mod options;
mod overlay;
mod pages;
mod piece;

pub use backend::{TxAddress, TxBackend, TxCommit, TxOutcome, TxRecord};
pub use handle::{Committed, Transaction};
pub use id::TxId;
pub use optimistic::{Draft, Transacted, transact};
pub use options::TxOptions;
