//! Maintenance that waits for a commit to ride in.
//!
//! It is prepared beside the commits, for one base; a commit on another base
//! takes it only if nothing that it replaces has changed.

use super::engine::Engine;
use super::objects::Uploaded;
use super::session::Base;
use crate::head::Head;
use crate::machine::Machine;
use crate::object::{CheckpointRef, Drop, Folder, HistoryRef, ObjectId, SegmentRef};
use crate::zoo::{Bug, planted};

/// What maintenance changes in a head.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub(crate) change: Change,
    /// What it names for the first time.
    pub(crate) uploaded: Vec<Uploaded>,
    /// What nothing names afterwards.
    pub(crate) dropped: Vec<(Folder, ObjectId)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Checkpoint {
        before: Option<CheckpointRef>,
        after: CheckpointRef,
        /// Segments that move to history.
        moved: Vec<SegmentRef>,
        history_before: Option<HistoryRef>,
        history: HistoryRef,
        /// Drops that move to history.
        shelved: Vec<ObjectId>,
    },
    Merge {
        pair: [SegmentRef; 2],
        merged: SegmentRef,
    },
}

impl Fold {
    /// Whether everything that it replaces is still there.
    fn fits(&self, head: &Head) -> bool {
        match &self.change {
            Change::Checkpoint { before, moved, history_before, .. } => {
                planted(Bug::CheckpointOverRebase)
                    || head.checkpoint == *before
                        && head.segments.starts_with(moved)
                        && (head.history == *history_before || planted(Bug::HistoryOverRebase))
            }
            Change::Merge { pair, .. } => head.segments.windows(2).any(|two| two == pair),
        }
    }

    /// Changes the head that is about to be committed.
    pub(crate) fn join(&self, head: &mut Head) {
        match &self.change {
            Change::Checkpoint { after, moved, history, shelved, .. } => {
                let count = moved.len().min(head.segments.len());
                head.segments.drain(..count);
                if planted(Bug::CheckpointOverRebase) {
                    head.segments.clear();
                }
                head.checkpoint = Some(after.clone());
                head.history = Some(*history);
                head.drops.retain(|drop| !shelved.contains(&drop.id));
            }
            Change::Merge { pair, merged } => {
                if let Some(at) = head.segments.windows(2).position(|two| two == pair) {
                    head.segments.splice(at..at + 2, [*merged]);
                }
            }
        }
        let seq = head.seq;
        let dropped = self.dropped.iter();
        head.drops.extend(dropped.map(|(folder, id)| Drop {
            folder: *folder,
            id: *id,
            seq,
            time: None,
        }));
    }
}

impl<M: Machine> Engine<M> {
    /// The maintenance that waits, if it fits this base; else it is dropped.
    pub(crate) fn fold_for(&self, base: &Base<M::State>) -> Option<Fold> {
        let fold = self.notes().fold.take()?;
        let named = || fold.uploaded.iter().all(|uploaded| self.may_name(base, uploaded));
        (fold.fits(&base.head) && named()).then_some(fold)
    }

    /// The maintenance has ridden in a commit, or waits for the next.
    pub(crate) fn fold_done(&self, fold: Fold, landed: bool) {
        match (&fold.change, landed) {
            (Change::Checkpoint { .. }, true) => self.stats.checkpoints.add(1),
            (Change::Merge { .. }, true) => self.stats.merges.add(1),
            (_, false) => self.notes().fold = Some(fold),
        }
    }
}
