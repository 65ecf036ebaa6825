//! What is done, in words that mean the same on every store.

use ifmatch_meta::{Aggregation, DocId, Json, Partition, Query, ScanOptions, Scope};
use serde_json::Value;

/// A document: partition and id.
pub(super) type Name = (Partition, DocId);

/// What is expected of a document; tags by their numbers.
#[derive(Clone, Debug)]
pub(super) enum Pre {
    Overwrite,
    Absent,
    Exists,
    Match(usize),
    Field(Value),
}

/// One operation of a batch.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Put(DocId, Json, Pre),
    Patch(DocId, Json, Pre),
    Delete(DocId, Pre),
    Check(DocId, Pre),
    /// Unchanged since the mark in this slot.
    Unchanged(usize),
}

impl Step {
    /// The document that it writes, and whether it is there afterwards.
    pub(super) fn writes(&self) -> Option<(&DocId, bool)> {
        match self {
            Self::Put(id, ..) | Self::Patch(id, ..) => Some((id, true)),
            Self::Delete(id, _) => Some((id, false)),
            Self::Check(..) | Self::Unchanged(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Get(Name),
    GetIfChanged(Name, usize),
    /// Alone, as put, patch or delete.
    Write(Partition, Step, Option<&'static str>),
    Batch(Partition, Vec<Step>, Option<&'static str>),
    /// So many pages.
    Scan(Partition, ScanOptions, usize),
    /// Keeps the mark of a partition in a slot.
    Mark(Partition, usize),
    Partitions(Option<Partition>, usize),
    Count(Scope),
    CountWhere(Scope, Query),
    Query(Scope, Query, usize),
    Aggregate(Scope, Aggregation),
    /// From the token in a slot, or the beginning, to the end in such pages; keeps
    /// the token there.
    Changes(Scope, usize, bool, usize),
    ChangeToken(Scope, usize),
    Audit(Partition, usize),
    Begin(Partition, usize),
    InTx(usize, InTx),
}

/// An operation of the transaction in a slot.
#[derive(Clone, Debug)]
pub(super) enum InTx {
    Get(Name),
    Batch(Partition, Vec<Step>),
    Scan(Partition, ScanOptions),
    /// Detaches, and goes on with a new handle.
    Resume,
    Commit,
    Abort,
    Outcome,
}

impl Action {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Get(_) => "get",
            Self::GetIfChanged(..) => "get if changed",
            Self::Write(_, Step::Put(..), _) => "put",
            Self::Write(_, Step::Patch(..), _) => "patch",
            Self::Write(..) => "delete",
            Self::Batch(..) => "batch",
            Self::Scan(..) => "scan",
            Self::Mark(..) => "mark",
            Self::Partitions(..) => "partitions",
            Self::Count(_) => "count",
            Self::CountWhere(..) => "count where",
            Self::Query(..) => "query",
            Self::Aggregate(..) => "aggregate",
            Self::Changes(..) => "changes",
            Self::ChangeToken(..) => "change token",
            Self::Audit(..) => "audit",
            Self::Begin(..) => "tx begin",
            Self::InTx(_, InTx::Get(_)) => "tx get",
            Self::InTx(_, InTx::Batch(..)) => "tx batch",
            Self::InTx(_, InTx::Scan(..)) => "tx scan",
            Self::InTx(_, InTx::Resume) => "tx resume",
            Self::InTx(_, InTx::Commit) => "tx commit",
            Self::InTx(_, InTx::Abort) => "tx abort",
            Self::InTx(_, InTx::Outcome) => "tx outcome",
        }
    }
}
