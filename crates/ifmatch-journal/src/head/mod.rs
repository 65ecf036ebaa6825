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
//! | 6 | writers | at most 16 x (id 8, seq of its last commit 8) |
//! | 7 | hash of the previous head | 32 |
//! | 8 | store time of the base | 8, microseconds |
//! | 9 | ring | seq of the first 8, then 9 each: first half of the nonce 8, writer 1 |
//! | 10 | application header | any |
//! | 11 | tail | commits: seq 8, nonce 16, writer 1, entries u32, each u32 + bytes |
//! | 12 | segments | 72 each: id 16, first seq 8, last seq 8, bytes 8, hash 32 |
//! | 13 | checkpoint | seq 8, then objects of 56: id 16, bytes 8, hash 32 |
//! | 14 | history | 64: object 56, last seq 8 |
//! | 15 | time of the last garbage collection | 8 |
//! | 16 | drops | 33 each: id 16, seq 8, known 1, store time 8 |

mod build;
mod decode;
mod encode;
mod ring;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use ifmatch_core::Timestamp;

pub use build::Next;
pub use ring::{RING, Ring, Slot};

use crate::id::{CommitId, ForkId, JournalId, Nonce, WriterId};

const MAGIC: &[u8; 7] = b"ifmhead";
const FORMAT: u8 = 2;
/// A head is kilobytes; what is larger is none.
const MAX_HEAD: usize = 4 << 20;
/// Writers that a head remembers.
const MAX_WRITERS: usize = 16;

/// The name of an immutable object of a journal.
pub type ObjectId = Nonce;

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
    /// Who committed lately.
    pub writers: Vec<Writer>,
    /// BLAKE3 of the previous head's bytes; zeros for the first.
    pub previous: [u8; 32],
    /// The store's clock when the base was read or written.
    pub base_time: Option<Timestamp>,
    /// The last commits, this one included.
    pub ring: Ring,
    /// Small things of the application: locks, schema.
    pub application: Bytes,
    /// Commits whose entries are still in the head, oldest first.
    pub tail: Vec<TailCommit>,
    /// Segments since the checkpoint, oldest first.
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
    /// Its last commit.
    pub seen: u64,
}

/// One commit in the tail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TailCommit {
    /// Its number.
    pub seq: u64,
    /// What makes it this one.
    pub nonce: Nonce,
    /// Index of its writer in the table; 255 where it fell out.
    pub writer: u8,
    /// Opaque bytes, in order; may be empty.
    pub entries: Vec<Bytes>,
}

/// An immutable object that a head names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectRef {
    /// Its name.
    pub id: ObjectId,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its BLAKE3.
    pub hash: [u8; 32],
}

/// A segment: entries of a range of commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentRef {
    /// The object.
    pub object: ObjectRef,
    /// The first commit in it.
    pub first: u64,
    /// The last commit in it.
    pub last: u64,
}

/// The state at a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointRef {
    /// The commit.
    pub seq: u64,
    /// The objects that make it up, in order.
    pub objects: Vec<ObjectRef>,
}

/// Older references, in one object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryRef {
    /// The object.
    pub object: ObjectRef,
    /// The last commit that it covers.
    pub last: u64,
}

/// An object that is to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drop {
    /// Its name.
    pub id: ObjectId,
    /// The commit that dropped it.
    pub seq: u64,
    /// The store's clock at that commit; the next commit fills it in.
    pub time: Option<Timestamp>,
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
        if let Some(found) = self.tail.iter().find(|found| found.seq == commit.seq) {
            return Some(found.nonce == commit.nonce);
        }
        self.ring.slot(commit.seq).map(|slot| slot.bits == commit.nonce.first_bits())
    }
}
