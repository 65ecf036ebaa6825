//! The bytes of a node.

use bytes::Bytes;

use super::{History, Item, NodeRef};
use crate::error::{Error, Result};
use crate::id::Nonce;
use crate::object::{CheckpointRef, Drop, Folder, ObjectRef, Sealed, SegmentRef, envelope};
use crate::record::wire::{Parse, Reader, put_varint};

/// Far more than a journal of every number there is has.
const MAX_LEVELS: usize = 16;
const NODE: usize = 44;
const SEGMENT: u8 = 1;
const CHECKPOINT: u8 = 2;
const DROP: u8 = 3;

impl History {
    /// Makes the object that holds this node.
    ///
    /// # Errors
    /// `invalid` where references were pushed out of order: nothing is written
    /// that no reader takes.
    pub fn seal(&self, nonce: Nonce) -> Result<Sealed> {
        self.ascends().map_err(Error::invalid)?;
        envelope::seal(Folder::History, nonce, &self.encode())
    }

    /// Reads a node.
    ///
    /// # Errors
    /// `corrupt` where the bytes are not those that `object` names, or contradict
    /// themselves; `unsupported` for another format.
    pub fn unseal(object: &ObjectRef, bytes: &Bytes) -> Result<Self> {
        let plain = envelope::unseal(Folder::History, object, bytes)?;
        Self::decode(&plain).map_err(envelope::corrupt(Folder::History, object))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.push(u8::try_from(self.levels.len()).unwrap_or(u8::MAX));
        for nodes in &self.levels {
            put_varint(&mut out, nodes.len() as u64);
            for node in nodes {
                node.put(&mut out);
            }
        }
        for item in &self.items {
            item.put(&mut out);
        }
        out
    }

    pub(super) fn decode(plain: &Bytes) -> Parse<Self> {
        let mut reader = Reader::new(plain);
        let count = usize::from(reader.u8()?);
        if count > MAX_LEVELS {
            return Err("it has too many levels");
        }
        let mut levels = Vec::with_capacity(count);
        for _ in 0..count {
            let bytes = reader.count()?.checked_mul(NODE).ok_or("a level is too long")?;
            levels.push(reader.part(bytes)?.all(usize::MAX, NodeRef::read)?);
        }
        let history = Self { items: reader.all(usize::MAX, Item::read)?, levels };
        history.ascends()?;
        Ok(history)
    }

    /// Checks that every lookup can rely on the order.
    fn ascends(&self) -> Parse<()> {
        let mut order = Order::default();
        if self.levels.len() > MAX_LEVELS {
            return Err("it has too many levels");
        }
        for node in self.children() {
            if node.first > node.last {
                if node.last.checked_add(1) != Some(node.first) || node.last < order.last {
                    return Err("the range of a node is wrong");
                }
            } else {
                order.segment(node.first, node.last)?;
            }
            node.first_checkpoint.map_or(Ok(()), |seq| order.checkpoint(seq))?;
        }
        for item in &self.items {
            match item {
                Item::Segment(segment) => order.segment(segment.first, segment.last)?,
                Item::Checkpoint(checkpoint) => order.checkpoint(checkpoint.seq)?,
                Item::Drop(_) => {}
            }
        }
        Ok(())
    }
}

/// How far segments and checkpoints have come.
#[derive(Default)]
struct Order {
    last: u64,
    checkpoint: u64,
}

impl Order {
    fn segment(&mut self, first: u64, last: u64) -> Parse<()> {
        if first <= self.last || last < first || last == u64::MAX {
            return Err("its segments are out of order");
        }
        self.last = last;
        Ok(())
    }

    fn checkpoint(&mut self, seq: u64) -> Parse<()> {
        if seq < self.checkpoint || seq == 0 {
            return Err("its checkpoints are out of order");
        }
        self.checkpoint = seq;
        Ok(())
    }
}

impl NodeRef {
    fn put(&self, out: &mut Vec<u8>) {
        self.object.put(out);
        for seq in [self.first, self.last, self.first_checkpoint.unwrap_or(0)] {
            out.extend_from_slice(&seq.to_le_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Parse<Self> {
        let object = ObjectRef::read(reader)?;
        let (first, last, checkpoint) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let first_checkpoint = Some(checkpoint).filter(|&seq| seq > 0);
        Ok(Self { object, first, last, first_checkpoint })
    }
}

impl Item {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Segment(segment) => {
                out.push(SEGMENT);
                segment.object.put(out);
                out.extend_from_slice(&segment.first.to_le_bytes());
                out.extend_from_slice(&segment.last.to_le_bytes());
            }
            Self::Checkpoint(checkpoint) => {
                out.push(CHECKPOINT);
                checkpoint.put(out);
            }
            Self::Drop(drop) => {
                out.push(DROP);
                drop.put(out);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Parse<Self> {
        Ok(match reader.u8()? {
            SEGMENT => {
                let object = ObjectRef::read(reader)?;
                let (first, last) = (reader.u64()?, reader.u64()?);
                Self::Segment(SegmentRef { object, first, last })
            }
            CHECKPOINT => Self::Checkpoint(CheckpointRef::read(reader)?),
            DROP => Self::Drop(Drop::read(reader)?),
            _ => return Err("it has an item of an unknown kind"),
        })
    }
}
