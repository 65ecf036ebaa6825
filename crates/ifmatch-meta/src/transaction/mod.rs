//! Local transactions: pessimistic, in one partition.

mod backend;
mod id;

pub use backend::{TxAddress, TxBackend, TxCommit, TxOutcome, TxRecord};
pub use id::TxId;
