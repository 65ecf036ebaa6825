//! The ring: which commits came last, by position.

/// How many commits the ring of a head that we write holds. Readers take any
/// length: the ring says where it starts.
pub const RING: usize = 128;

/// The last commits of a journal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ring {
    /// The number of the first commit in it.
    pub first: u64,
    /// One per commit, without gaps.
    pub slots: Vec<Slot>,
}

/// One commit in the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The first half of its nonce. Positions are compared, not searched, so
    /// that half is enough.
    pub bits: u64,
    /// Index of its writer in the head's table; 255 where it fell out.
    pub writer: u8,
}

impl Ring {
    /// The slot of a commit; `None` where the ring does not reach it.
    pub fn slot(&self, seq: u64) -> Option<&Slot> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.slots.get(at)
    }

    /// The number of the last commit in it.
    pub fn last(&self) -> Option<u64> {
        self.first.checked_add((self.slots.len() as u64).checked_sub(1)?)
    }

    /// The ring with one commit more, cut to [`RING`].
    pub(crate) fn with(&self, seq: u64, slot: Slot) -> Self {
        let mut slots = self.slots.clone();
        slots.push(slot);
        let surplus = slots.len().saturating_sub(RING);
        slots.drain(..surplus);
        Self { first: seq.saturating_sub(slots.len() as u64 - 1), slots }
    }

    /// Forgets all but the last `most` commits.
    pub(crate) fn cut(&mut self, most: usize) {
        let surplus = self.slots.len().saturating_sub(most.max(1));
        self.slots.drain(..surplus);
        self.first += surplus as u64;
    }
}
