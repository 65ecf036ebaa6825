//! How a head stands to what a working copy is based on.

use super::head::Head;
use crate::commit_id::{CommitId, JournalId};

/// How a head stands to a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    /// It is the base.
    Same,
    /// A commit of ours whose outcome was unknown is the next one after it.
    Mine(CommitId),
    /// Others went on from it.
    Ahead,
    /// It lies behind, or on another branch.
    Rewound,
    /// It is another database's.
    Replaced,
}

/// Compares a head with a base. `pending` are commits of ours on this very base
/// whose outcome is not known yet.
pub(crate) fn relate(
    head: &Head,
    journal: JournalId,
    base: CommitId,
    pending: &[CommitId],
) -> Relation {
    if head.journal != journal {
        return Relation::Replaced;
    }
    let newest = head.commit();
    if newest.seq() < base.seq() {
        return Relation::Rewound;
    }
    match head.record(base.seq()) {
        Some(record) if record != base => return Relation::Rewound,
        Some(_) if newest == base => return Relation::Same,
        // Out of the head's memory: far behind, as a new clone.
        Some(_) | None => {}
    }
    match head.record(base.seq() + 1) {
        Some(next) if pending.contains(&next) => Relation::Mine(next),
        _ => Relation::Ahead,
    }
}
