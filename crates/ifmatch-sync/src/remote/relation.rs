//! How a head stands to what a working copy is based on.

use super::head::Head;
use crate::commit_id::{CommitId, JournalId};

/// How a head stands to a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    /// It is the base.
    Same,
    /// A commit of ours whose outcome was unknown is it, or lies below it.
    Mine(CommitId),
    /// Others went on from it.
    Ahead,
    /// It lies behind, or on another branch.
    Rewound,
    /// It is another database's.
    Replaced,
}

/// Compares a head with a base; `None` where nothing of ours was ever known to
/// be published. `pending` are commits of ours whose outcome is not known yet.
pub(crate) fn relate(
    head: &Head,
    journal: JournalId,
    base: Option<CommitId>,
    pending: &[CommitId],
) -> Relation {
    if let Some(base) = base {
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
    }
    // Ids are drawn at random: what is found is ours.
    let mine = pending.iter().copied().filter(|id| head.record(id.seq()) == Some(*id));
    mine.max_by_key(CommitId::seq).map_or(Relation::Ahead, Relation::Mine)
}
