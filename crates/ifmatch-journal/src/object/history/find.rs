//! Looking up in one node of the history.

use super::{History, NodeRef};
use crate::object::{CheckpointRef, ObjectRef, SegmentRef};

/// What one node of the history says about a commit.
#[allow(clippy::exhaustive_enums)] // There is no fourth answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found<T> {
    /// This is it.
    Here(T),
    /// Ask the node in this object.
    Below(ObjectRef),
    /// The history has none.
    Absent,
}

impl History {
    /// Where the segment that holds the commit `seq` is.
    pub fn segment(&self, seq: u64) -> Found<SegmentRef> {
        let here = self.items.iter().filter_map(super::Item::as_segment);
        if let Some(segment) = here.rev().find(|s| (s.first..=s.last).contains(&seq)) {
            return Found::Here(*segment);
        }
        below(self.children().find(|node| (node.first..=node.last).contains(&seq)))
    }

    /// The newest checkpoint at or before `seq`.
    pub fn checkpoint(&self, seq: u64) -> Found<CheckpointRef> {
        let here = self.items.iter().filter_map(super::Item::as_checkpoint);
        if let Some(checkpoint) = here.rev().find(|checkpoint| checkpoint.seq <= seq) {
            return Found::Here(checkpoint.clone());
        }
        // Checkpoints ascend, so the newest node that begins early enough has it.
        let early = |node: &&NodeRef| node.first_checkpoint.is_some_and(|first| first <= seq);
        below(self.levels.iter().find_map(|nodes| nodes.iter().rev().find(early)))
    }
}

fn below<T>(node: Option<&NodeRef>) -> Found<T> {
    node.map_or(Found::Absent, |node| Found::Below(node.object))
}
