//! Maintenance that waits for a commit to ride in.
//!
//! It is prepared beside the commits, for one base; a commit on another base
//! takes it only if nothing that it replaces has changed.

use crate::head::Head;
use crate::journal::commit::publish::Published;
use crate::journal::engine::Engine;
use crate::journal::objects::Uploaded;
use crate::journal::read::session::Base;
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
#[allow(clippy::large_enum_variant)] // There is one at a time.
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
        run: Vec<SegmentRef>,
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
                        && head.history == *history_before
            }
            Change::Merge { run, .. } => {
                head.segments.windows(run.len().max(1)).any(|there| there == run)
            }
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
            Change::Merge { run, merged } => {
                let mut runs = head.segments.windows(run.len().max(1));
                if let Some(at) = runs.position(|there| there == run) {
                    head.segments.splice(at..at + run.len(), [*merged]);
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

    /// The maintenance has ridden in a commit, or waits for the next, or is given
    /// up: it is prepared anew after a later commit.
    pub(crate) fn fold_done(&self, fold: Fold, published: &Published) {
        match (&fold.change, published) {
            (Change::Checkpoint { .. }, Published::Landed) => self.stats.checkpoints.add(1),
            (Change::Merge { .. }, Published::Landed) => self.stats.merges.add(1),
            (_, Published::Lost { .. } | Published::Changed) => self.notes().fold = Some(fold),
            (_, _) => self.maintenance_failed(),
        }
    }
}
