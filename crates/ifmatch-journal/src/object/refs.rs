//! References to immutable objects, as heads, indexes and history hold them.

use ifmatch_core::Timestamp;

use super::Folder;
use crate::id::Nonce;
use crate::record::wire::{Parse, Reader, put_time};

/// The name of an immutable object: the first 128 bits of the BLAKE3 of its
/// bytes. They hold a random nonce, so a name never comes back for other bytes,
/// nor for the same contents written anew.
pub type ObjectId = Nonce;

/// Parts of a checkpoint that a head names itself; a checkpoint of more has an
/// index.
pub const INLINE_PARTS: usize = 4;

/// Most inline parts that a reader takes, whoever wrote them.
const MAX_INLINE: usize = 64;

/// An immutable object. Its name is its checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectRef {
    /// Its name.
    pub id: ObjectId,
    /// Its size in bytes, as stored.
    pub bytes: u32,
}

/// A segment: the records of a range of commits.
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
    /// Bytes of its parts, as stored.
    pub size: u64,
    /// What it is made of.
    pub parts: Parts,
}

/// What a checkpoint is made of, in order.
#[allow(clippy::exhaustive_enums)] // The format has these two; a third is a new format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parts {
    /// These parts: at most [`INLINE_PARTS`] where we write.
    Inline(Vec<PartRef>),
    /// The parts that this object lists.
    Indexed(ObjectRef),
}

/// A part of a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartRef {
    /// The object.
    pub object: ObjectRef,
    /// The first 128 bits of the BLAKE3 of its plain content: what is equal need
    /// not be written again.
    pub content: u128,
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
    /// Where it lies.
    pub folder: Folder,
    /// Its name.
    pub id: ObjectId,
    /// The commit that dropped it.
    pub seq: u64,
    /// The store's clock at that commit; the next commit fills it in.
    pub time: Option<Timestamp>,
}

impl ObjectRef {
    /// The reference to an object of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Parse<Self> {
        let size = u32::try_from(bytes.len()).map_err(|_| "it is too large for an object")?;
        Ok(Self { id: Nonce(first_128(bytes)), bytes: size })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0.to_be_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Parse<Self> {
        Ok(Self { id: reader.nonce()?, bytes: reader.u32()? })
    }
}

impl PartRef {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        self.object.put(out);
        out.extend_from_slice(&self.content.to_be_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Parse<Self> {
        Ok(Self { object: ObjectRef::read(reader)?, content: reader.id128()? })
    }
}

impl CheckpointRef {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        match &self.parts {
            Parts::Inline(parts) => {
                out.push(u8::try_from(parts.len()).unwrap_or(INDEXED));
                for part in parts {
                    part.put(out);
                }
            }
            Parts::Indexed(object) => {
                out.push(INDEXED);
                object.put(out);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Parse<Self> {
        let (seq, size) = (reader.u64()?, reader.u64()?);
        let parts = match reader.u8()? {
            INDEXED => Parts::Indexed(ObjectRef::read(reader)?),
            count if usize::from(count) > MAX_INLINE => return Err("a checkpoint is too long"),
            count => {
                Parts::Inline((0..count).map(|_| PartRef::read(reader)).collect::<Parse<_>>()?)
            }
        };
        Ok(Self { seq, size, parts })
    }
}

/// Stands in the place of a number of parts.
const INDEXED: u8 = u8::MAX;

impl Drop {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(self.folder.number());
        out.extend_from_slice(&self.id.0.to_be_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        put_time(out, self.time);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Parse<Self> {
        let folder = Folder::numbered(reader.u8()?).ok_or("a drop has no folder")?;
        let (id, seq) = (reader.nonce()?, reader.u64()?);
        Ok(Self { folder, id, seq, time: reader.time()? })
    }
}

/// The first 128 bits of the BLAKE3 of `bytes`.
pub(super) fn first_128(bytes: &[u8]) -> u128 {
    let hash = blake3::hash(bytes);
    let mut first = [0; 16];
    first.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_be_bytes(first)
}
