//! Where a reader finds the entries that a head stands for, and whether it
//! finds each of them once.

use super::chain::{Chain, HeadAt};

/// What a head names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Layout {
    /// The head whose state the checkpoint holds.
    checkpoint: Option<HeadAt>,
    /// Immutable objects of entries, oldest first.
    segments: Vec<Segment>,
    /// The first commit whose entries are in the head itself.
    tail: u64,
}

/// Entries of a range of commits, as the head `made` had them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    first: u64,
    last: u64,
    made: HeadAt,
}

/// Whether a checkpoint at one commit may be committed on a base whose own is
/// at another.
pub(super) fn may_replace(checkpoint: u64, base: Option<u64>) -> bool {
    base.is_none_or(|base| checkpoint > base)
}

impl Layout {
    /// The layout of a journal's first head.
    pub(super) fn first() -> Self {
        Self { tail: 1, ..Self::default() }
    }

    pub(super) fn checkpoint(&self) -> Option<HeadAt> {
        self.checkpoint
    }

    /// The segment that the commit `seq` on this base writes before its PUT,
    /// if the tail would hold more than `most` commits.
    pub(super) fn spill(&self, seq: u64, most: usize, made: HeadAt) -> Option<Segment> {
        let full = seq + 1 - self.tail > most as u64;
        full.then_some(Segment { first: self.tail, last: seq, made })
    }

    /// This layout with one commit more, number `seq`.
    pub(super) fn after(
        &self,
        seq: u64,
        spilled: Option<Segment>,
        checkpoint: Option<(HeadAt, u64)>,
    ) -> Self {
        let mut layout = self.clone();
        if let Some(segment) = spilled {
            layout.segments.push(segment);
            layout.tail = seq + 1;
        }
        if let Some((head, at)) = checkpoint {
            layout.checkpoint = Some(head);
            layout.segments.retain(|segment| segment.last > at);
            layout.tail = layout.tail.max(at + 1);
        }
        layout
    }

    /// Whether a cold reader of the head `at` meets exactly the commits that
    /// led to it, in order.
    pub(super) fn is_whole(&self, chain: &Chain, at: HeadAt) -> bool {
        let held = self.checkpoint.map_or(Some(0), |checkpoint| {
            chain.descends(at, checkpoint).then(|| chain.seq(checkpoint))
        });
        let Some(mut reached) = held else { return false };
        for segment in &self.segments {
            let true_to = |seq| chain.ancestor(segment.made, seq) == chain.ancestor(at, seq);
            let fits = segment.first <= reached + 1 && segment.last > reached;
            if !fits || !(segment.first..=segment.last).all(true_to) {
                return false;
            }
            reached = segment.last;
        }
        self.tail <= reached + 1 && (reached == chain.seq(at) || self.tail == reached + 1)
    }
}
