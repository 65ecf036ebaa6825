//! What really happened.

use std::time::Duration;

use ifmatch_core::{BlobKey, Operation, Precondition, Version, WriteId};

use super::kind::FaultKind;

/// How a request reached the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// At once.
    First,
    /// As the second of two at once.
    Second,
    /// Later than its sender waited, or as a later copy.
    Late,
}

/// A write that was really applied.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Effect {
    /// The blob.
    pub key: BlobKey,
    /// Put or delete.
    pub operation: Operation,
    /// The id of a put.
    pub write: Option<WriteId>,
    /// What held when it was applied.
    pub precondition: Precondition,
    /// The version that a put made.
    pub version: Option<Version>,
    /// How it came.
    pub delivery: Delivery,
}

/// One call, as it was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The environment's time at the answer.
    pub at: Duration,
    /// What was asked for.
    pub operation: Operation,
    /// The key, or the prefix of a listing.
    pub subject: String,
    /// The id of a put.
    pub write: Option<WriteId>,
    /// The fault that it met.
    pub fault: Option<FaultKind>,
    /// How it ended, in one word.
    pub outcome: &'static str,
}
