//! Records by number, in a tree whose clones share what did not change.

use std::sync::Arc;

use super::partition::Record;

/// Each node has so many places; what a snapshot still holds is copied node by
/// node, so few of them make the next write cheap and many make reads shallow.
const BITS: u32 = 5;
const PLACES: usize = 1 << BITS;

/// A growing row of places for records. A clone is a snapshot and costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    root: Node,
    /// How many levels of nodes there are above the leaves.
    height: u32,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(Arc<[Option<Arc<Record>>; PLACES]>),
    Branch(Arc<[Option<Node>; PLACES]>),
}

impl Default for Node {
    fn default() -> Self {
        Self::Leaf(Arc::default())
    }
}

impl Slots {
    /// The record in a place.
    pub(super) fn get(&self, slot: usize) -> Option<&Arc<Record>> {
        if !self.reaches(slot) {
            return None;
        }
        let (mut node, mut height) = (&self.root, self.height);
        loop {
            match node {
                Node::Leaf(places) => return places[slot % PLACES].as_ref(),
                Node::Branch(nodes) => node = nodes[place(slot, height)].as_ref()?,
            }
            height -= 1;
        }
    }

    /// Fills or clears a place; what was there.
    pub(super) fn set(&mut self, slot: usize, record: Option<Arc<Record>>) -> Option<Arc<Record>> {
        while !self.reaches(slot) {
            let mut nodes = [const { None }; PLACES];
            nodes[0] = Some(std::mem::take(&mut self.root));
            self.root = Node::Branch(Arc::new(nodes));
            self.height += 1;
        }
        let (mut node, mut height) = (&mut self.root, self.height);
        loop {
            match node {
                Node::Leaf(places) => {
                    return std::mem::replace(&mut Arc::make_mut(places)[slot % PLACES], record);
                }
                Node::Branch(nodes) => {
                    let below = &mut Arc::make_mut(nodes)[place(slot, height)];
                    node = below.get_or_insert_with(|| Node::above(height - 1));
                }
            }
            height -= 1;
        }
    }

    /// Whether the tree is high enough for a place.
    fn reaches(&self, slot: usize) -> bool {
        slot.checked_shr(BITS * (self.height + 1)).unwrap_or(0) == 0
    }
}

impl Node {
    /// An empty one with so many levels below.
    fn above(height: u32) -> Self {
        if height == 0 { Self::default() } else { Self::Branch(Arc::default()) }
    }
}

/// Which place of a node of this height leads to a slot.
fn place(slot: usize, height: u32) -> usize {
    slot.checked_shr(BITS * height).unwrap_or(0) % PLACES
}
