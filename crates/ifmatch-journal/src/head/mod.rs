//! The head: everything that one commit publishes, in one blob.
//!
//! # Format, byte for byte
//!
//! ```text
//! 0    8  magic: "ifmhead" and the format, 2
//! 8    4  length of the fields, little endian
//! 12   n  fields, ascending by tag: tag u8, length u32, that many bytes
//!     32  BLAKE3 of everything before
//! ```
//!
//! Integers are little endian. Ids are big endian, as they print. A field that
//! holds its default is left out. Unknown *fields* are carried along unread, so
//! that an older writer loses nothing of a newer one's; an unknown *format* is
//! refused.
//!
//! | tag | field | bytes |
//! |---|---|---|
//! | 1 | kind | text |
//! | 2 | journal id | 16 |
//! | 3 | fork id | 16 |
//! | 4 | seq | 8 |
//! | 5 | commit nonce | 16 |
//! | 6 | writers | at most 16 x (id 8, how far its last commit is behind seq 4) |
//! | 7 | checksum of the previous head: its last bytes | 32; not in the first |
//! | 8 | store time of the base | 8, microseconds |
//! | 9 | ring | seq of the first 8, then 9 each: first half of the nonce 8, writer 1 |
//! | 10 | application header | at most 1 MiB |
//! | 11 | tail | 0, then records (see `record`); or 1, their plain length 4, then zstd frames of them |
//! | 12 | segments | seq of the first 8, then 28 each: object 20, last seq 8; the next begins behind it |
//! | 13 | checkpoint | seq 8, plain size 8, parts 1, then 36 each; 255: the object 20 of an index |
//! | 14 | history | 28: object 20, last seq 8 |
//! | 15 | time of the last garbage collection | 8, microseconds |
//! | 16 | drops | 33 each: folder 1, id 16, seq 8, store time 8 (the least number there is: unknown) |
//!
//! References are written as in `object`. A tail is packed from 1 KiB on, if
//! that helps; plain it has at most 4 MiB, and at most 1,000 bytes for each that
//! is stored.

mod build;
mod decode;
mod encode;
mod ring;
pub(crate) mod tail;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use ifmatch_core::Timestamp;

pub use crate::object::{
    CheckpointRef, Drop, HistoryRef, INLINE_PARTS, ObjectId, ObjectRef, PartRef, Parts, SegmentRef,
};
pub use build::Next;
pub use ring::{RING, Ring, Slot};
pub(crate) use tail::{TailBytes, tail_size};

use crate::id::{CommitId, ForkId, JournalId, Nonce, WriterId};
use crate::record::CommitRecord;
use crate::zoo::{Bug, planted};

const MAGIC: &[u8; 7] = b"ifmhead";
const FORMAT: u8 = 2;
/// A head is kilobytes, and what it may hold at most sums up to less.
pub(crate) const MAX_HEAD: usize = 8 << 20;
/// Writers that a head remembers.
const MAX_WRITERS: usize = 16;

/// The newest commit of a journal and everything that is needed to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// What the journal holds.
    pub kind: String,
    /// The journal.
    pub journal: JournalId,
    /// The branch.
    pub fork: ForkId,
    /// The number of the newest commit.
    pub seq: u64,
    /// What makes the newest commit this one.
    pub nonce: Nonce,
    /// Who committed lately, at most 16.
    pub writers: Vec<Writer>,
    /// The previous head's checksum, its last 32 bytes; zeros for the first.
    pub previous: [u8; 32],
    /// The store's clock when the base was read or written.
    pub base_time: Option<Timestamp>,
    /// The last commits, this one included.
    pub ring: Ring,
    /// Small things of the application: locks, schema.
    pub application: Bytes,
    /// Commits whose records are still in the head, oldest first, without gaps;
    /// the last is this one.
    pub tail: Vec<CommitRecord>,
    /// Segments since the checkpoint, oldest first, without gaps between them.
    pub segments: Vec<SegmentRef>,
    /// The newest checkpoint.
    pub checkpoint: Option<CheckpointRef>,
    /// Older references.
    pub history: Option<HistoryRef>,
    /// When garbage was last collected, by the store's clock.
    pub collected: Option<Timestamp>,
    /// Objects that are to be deleted.
    pub drops: Vec<Drop>,
    /// Fields that this version does not know: tag and bytes.
    pub(crate) unknown: Vec<(u8, Bytes)>,
}

/// A writer that a head remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Writer {
    /// Who.
    pub id: WriterId,
    /// Its last commit. In the bytes it is at most 2^32 - 1 behind the newest.
    pub seen: u64,
}

impl Head {
    /// The id of the newest commit.
    pub fn commit(&self) -> CommitId {
        CommitId { journal: self.journal, seq: self.seq, nonce: self.nonce }
    }

    /// What the head itself says of the commit with this number: from the tail
    /// in full, from the ring by its first half. `None`: it does not reach back
    /// so far.
    pub fn says(&self, commit: CommitId) -> Option<bool> {
        if let Some(found) = self.record(commit.seq) {
            return Some(found.nonce == commit.nonce);
        }
        let near = self.seq.saturating_sub(commit.seq) < RING as u64;
        match self.ring.slot(commit.seq) {
            Some(slot) => Some(slot.bits == commit.nonce.first_bits()),
            None if near && planted(Bug::OwnRingLength) => Some(false),
            None => None,
        }
    }

    /// The first half of the nonce of the commit `seq`. `None`: there is no such
    /// commit, or the head does not reach back so far.
    pub fn bits(&self, seq: u64) -> Option<u64> {
        let slot = || self.ring.slot(seq).map(|slot| slot.bits);
        self.record(seq).map(|record| record.nonce.first_bits()).or_else(slot)
    }

    /// The record of a commit, where it is in the tail.
    pub(crate) fn record(&self, seq: u64) -> Option<&CommitRecord> {
        let before = seq.checked_sub(self.tail.first()?.seq)?;
        self.tail.get(usize::try_from(before).ok()?)
    }
}
