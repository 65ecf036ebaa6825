//! The next head on top of a base.

use bytes::Bytes;
use ifmatch_core::Timestamp;

use super::ring::{Ring, Slot};
use super::{Head, MAX_WRITERS, Writer};
use crate::id::{ForkId, JournalId, Nonce, WriterId};
use crate::record::{CommitRecord, Entries};

/// What a commit brings.
#[derive(Clone, Debug)]
pub struct Next {
    /// What makes it this one.
    pub nonce: Nonce,
    /// Who commits.
    pub writer: WriterId,
    /// Its entries; may be empty.
    pub entries: Entries,
    /// The store's clock when the base was read or written.
    pub base_time: Option<Timestamp>,
}

impl Head {
    /// The first head of a new journal.
    pub fn first(kind: &str, journal: JournalId, fork: ForkId, next: Next) -> Self {
        let mut head = Self::before_the_first(kind, journal, fork).after(&[], next);
        head.previous = [0; 32];
        head
    }

    /// What the first head comes after, and what decoding starts from.
    pub(super) fn before_the_first(kind: &str, journal: JournalId, fork: ForkId) -> Self {
        Self {
            kind: kind.to_owned(),
            journal,
            fork,
            seq: 0,
            nonce: Nonce(0),
            writers: Vec::new(),
            previous: [0; 32],
            base_time: None,
            ring: Ring { first: 1, slots: Vec::new() },
            application: Bytes::new(),
            tail: Vec::new(),
            segments: Vec::new(),
            checkpoint: None,
            history: None,
            collected: None,
            drops: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// The head of the next commit, with its record at the end of the tail.
    /// `bytes` are this head's, for its checksum.
    ///
    /// The drops that the base could not date yet are dated by `base_time`.
    pub fn after(&self, bytes: &[u8], next: Next) -> Self {
        let mut head = self.clone();
        head.seq = head.seq.saturating_add(1);
        head.nonce = next.nonce;
        // A head ends with the checksum of everything before it.
        head.previous = bytes.last_chunk().copied().unwrap_or_default();
        head.base_time = next.base_time;
        let writer = head.seat(next.writer);
        let slot = Slot { bits: next.nonce.first_bits(), writer };
        head.ring = head.ring.with(head.seq, slot);
        for drop in head.drops.iter_mut().filter(|drop| drop.time.is_none()) {
            drop.time = next.base_time;
        }
        let Next { nonce, writer, entries, base_time } = next;
        head.tail.push(CommitRecord { seq: head.seq, nonce, writer, base_time, entries });
        head
    }

    /// The writer's index in the table; whoever was silent longest makes room,
    /// and what it wrote is then nobody's in the ring.
    fn seat(&mut self, id: WriterId) -> u8 {
        let seen = self.seq;
        let at = self.writers.iter().position(|writer| writer.id == id);
        let at = at.unwrap_or_else(|| {
            if self.writers.len() < MAX_WRITERS {
                self.writers.push(Writer { id, seen });
                return self.writers.len() - 1;
            }
            let oldest = self.writers.iter().enumerate().min_by_key(|(_, writer)| writer.seen);
            let at = oldest.map_or(0, |(at, _)| at);
            self.unseat(at);
            at
        });
        self.writers[at] = Writer { id, seen };
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    fn unseat(&mut self, at: usize) {
        for slot in &mut self.ring.slots {
            if usize::from(slot.writer) == at {
                slot.writer = u8::MAX;
            }
        }
    }
}
