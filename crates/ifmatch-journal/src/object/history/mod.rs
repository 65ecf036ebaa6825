//! The history: an append-only tree that keeps every older reference.
//!
//! References leave the head in the order of their commits. The root holds the
//! newest of them and the right spine of the tree; it is rewritten with each
//! commit that moves references. Whenever a level has [`FANOUT`] of a kind, they
//! become a node of their own, which is never written again. So the root stays
//! at some kilobytes, and a million commits are two nodes below it.
//!
//! Root and nodes have the same form: a leaf holds items, an inner node one
//! level of references to nodes, the root both.
//!
//! # Format, byte for byte
//!
//! Plain contents of an object in the folder `history`:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | number of levels, at most 16 |
//! | | then for each level, from the leaves up: |
//! | varint | number of nodes, oldest first |
//! | 44 each | object 20, first seq 8, last seq 8, seq of the first checkpoint 8 or 0 |
//! | | then items to the end, oldest first: |
//! | 37 | 1, and a segment: object 20, first seq 8, last seq 8 |
//! | n | 2, and a checkpoint |
//! | 34 | 3, and a drop |
//!
//! The range of a node without segments is empty: it starts one behind its end,
//! which is where the node before it ends. Higher levels are older than lower
//! ones, and items newer than any node. Segments do not overlap and ascend, and
//! checkpoints ascend; drops may come in any order.

mod find;
mod format;
#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::id::Nonce;
use crate::object::{CheckpointRef, Drop, ObjectRef, Sealed, SegmentRef};

pub use find::Found;

/// Items or nodes that make a node.
const FANOUT: usize = 64;

/// A reference that left the head.
#[allow(clippy::exhaustive_enums)] // The format has these three; a fourth is a new format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A segment.
    Segment(SegmentRef),
    /// A checkpoint.
    Checkpoint(CheckpointRef),
    /// An object that was dropped.
    Drop(Drop),
}

/// A node below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeRef {
    /// The object.
    pub object: ObjectRef,
    /// The first commit in its segments; one more than `last` where it has none.
    pub first: u64,
    /// The last commit in its segments, or in those before it.
    pub last: u64,
    /// Where its first checkpoint is.
    pub first_checkpoint: Option<u64>,
}

/// A node of the tree: the root, or one below it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    items: Vec<Item>,
    /// From the leaves up.
    levels: Vec<Vec<NodeRef>>,
}

impl History {
    /// A history without anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a reference. Segments come in the order of their commits, and so do
    /// checkpoints; what does not is refused when it is sealed.
    pub fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    /// Seals full levels into immutable nodes; returns what must be written
    /// before the root. `nonce` draws a nonce.
    ///
    /// # Errors
    /// `invalid` where references were pushed out of order. Nothing has changed
    /// then.
    pub fn settle(&mut self, nonce: &mut dyn FnMut() -> Nonce) -> Result<Vec<Sealed>> {
        let full = |nodes: &Vec<NodeRef>| nodes.len() >= FANOUT;
        if self.items.len() < FANOUT && !self.levels.iter().any(full) {
            return Ok(Vec::new());
        }
        let (mut settled, mut sealed) = (self.clone(), Vec::new());
        while settled.items.len() >= FANOUT {
            let items = settled.items.drain(..FANOUT).collect();
            let node = Self { items, levels: Vec::new() };
            sealed.push(settled.adopt(0, &node, nonce())?);
        }
        let mut level = 0;
        while level < settled.levels.len() {
            while settled.levels[level].len() >= FANOUT {
                let nodes = settled.levels[level].drain(..FANOUT).collect();
                let node = Self { items: Vec::new(), levels: vec![nodes] };
                sealed.push(settled.adopt(level + 1, &node, nonce())?);
            }
            level += 1;
        }
        *self = settled;
        Ok(sealed)
    }

    /// Everything in this node itself, oldest first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The nodes below this one, oldest first.
    pub fn children(&self) -> impl Iterator<Item = &NodeRef> {
        self.levels.iter().rev().flatten()
    }

    /// The last commit that a segment covers; 0 where none does.
    pub fn last(&self) -> u64 {
        let segment = self.items.iter().rev().find_map(Item::as_segment);
        segment.map_or_else(|| self.last_below(), |segment| segment.last)
    }

    /// The last commit that a node below covers.
    fn last_below(&self) -> u64 {
        let newest = self.levels.iter().find_map(|nodes| nodes.last());
        newest.map_or(0, |node| node.last)
    }

    /// Seals a node and refers to it at `level`.
    fn adopt(&mut self, level: usize, node: &Self, nonce: Nonce) -> Result<Sealed> {
        let sealed = node.seal(nonce)?;
        let before = self.levels.iter().skip(level).find_map(|nodes| nodes.last());
        let (first, last) = node.range(before.map_or(0, |node| node.last));
        let first_checkpoint = node.first_checkpoint();
        if self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        let object = sealed.object;
        self.levels[level].push(NodeRef { object, first, last, first_checkpoint });
        Ok(sealed)
    }

    /// The commits of its segments; an empty range behind `before` where it has
    /// none.
    fn range(&self, before: u64) -> (u64, u64) {
        let nodes = || self.children().filter(|node| node.first <= node.last);
        let segments = || self.items.iter().filter_map(Item::as_segment);
        let first = nodes().map(|node| node.first).chain(segments().map(|s| s.first)).next();
        let last = nodes().map(|node| node.last).chain(segments().map(|s| s.last)).last();
        first.zip(last).unwrap_or((before.saturating_add(1), before))
    }

    fn first_checkpoint(&self) -> Option<u64> {
        let below = self.children().find_map(|node| node.first_checkpoint);
        below.or_else(|| self.items.iter().find_map(|i| Some(i.as_checkpoint()?.seq)))
    }
}

impl Item {
    const fn as_segment(&self) -> Option<&SegmentRef> {
        if let Self::Segment(segment) = self { Some(segment) } else { None }
    }

    const fn as_checkpoint(&self) -> Option<&CheckpointRef> {
        if let Self::Checkpoint(checkpoint) = self { Some(checkpoint) } else { None }
    }
}
