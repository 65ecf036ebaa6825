//! Immutable objects: segments, parts and indexes of checkpoints, the history.
//!
//! An object is named after its bytes, so the name is the checksum: whoever
//! holds a reference needs nothing else to verify what it reads. The bytes hold
//! a random nonce, so that a name that was dropped or deleted never comes back.
//!
//! # Format, byte for byte
//!
//! ```text
//! <prefix>/segments/<id>  <prefix>/checkpoints/<id>  <prefix>/history/<id>
//!
//! 0    7  magic: "ifmobj" and the format, 1
//! 7    1  folder: 1 segments, 2 checkpoints, 3 history
//! 8   16  nonce
//! 24   4  length of the plain contents
//! 28   1  0: the contents follow as they are; 1: as zstd frames
//! 29   n  contents
//! ```
//!
//! `id` is the first 128 bits of the BLAKE3 of all of that, as 32 hex digits.
//! Contents of more than 1 GiB, or more than 1,000 times the size of what is
//! stored, are refused before anything is allocated; writers pad with a frame
//! that zstd skips where contents shrink further.
//!
//! | object | plain contents |
//! |---|---|
//! | segment | records, at least one; see `record` |
//! | part of a checkpoint | any bytes |
//! | index of a checkpoint | parts of 36 each: object 20, content 16 |
//! | history | see `history` |
//!
//! Wherever a reference is written, it is these bytes, integers little endian
//! and ids big endian:
//!
//! | reference | bytes |
//! |---|---|
//! | object | 20: id 16, stored size 4 |
//! | part | 36: object 20, first 128 bits of the BLAKE3 of the plain contents 16 |
//! | checkpoint | seq 8, plain size of the state 8, parts 1, then so many parts; 255: the object 20 of an index |
//! | drop | 33: folder 1, id 16, seq 8, store time 8 (the least number there is: unknown) |

mod contents;
pub(crate) mod envelope;
mod history;
pub(crate) mod pack;
mod refs;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub(crate) use contents::{
    content_of, seal_index, seal_part, seal_segment, unseal_index, unseal_part, unseal_segment,
};
pub use history::{Found, History, Item, NodeRef};
pub use refs::{
    CheckpointRef, Drop, HistoryRef, INLINE_PARTS, ObjectId, ObjectRef, PartRef, Parts, SegmentRef,
};

/// Where the immutable objects of a journal lie, by what they are.
#[allow(clippy::exhaustive_enums)] // Their numbers are part of the format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Folder {
    /// Entries that outgrew the head's tail.
    Segments,
    /// The state at a commit.
    Checkpoints,
    /// Older references.
    History,
}

impl Folder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Segments, Self::Checkpoints, Self::History];

    /// Its name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Segments => "segments",
            Self::Checkpoints => "checkpoints",
            Self::History => "history",
        }
    }

    /// Where an object lies below the journal's prefix.
    pub fn path(self, id: ObjectId) -> String {
        format!("{}/{id}", self.as_str())
    }

    const fn number(self) -> u8 {
        match self {
            Self::Segments => 1,
            Self::Checkpoints => 2,
            Self::History => 3,
        }
    }

    fn numbered(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|folder| folder.number() == number)
    }
}

/// An immutable object, ready to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    /// Where it goes.
    pub folder: Folder,
    /// What to refer to it by.
    pub object: ObjectRef,
    /// What to write.
    pub bytes: Bytes,
}

impl Sealed {
    /// Where it goes, below the journal's prefix.
    pub fn path(&self) -> String {
        self.folder.path(self.object.id)
    }
}
