//! What every head of a partition shows.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | text | the partition's true name |
//! | varint | how many documents it holds whose ids are not ours |
//! | 1 | flags: 1 an open transaction holds it |
//! | | its lock, without its pieces |
//!
//! A partition that nothing was written to shows nothing.

use bytes::Bytes;

use super::lock::Lock;
use super::state::State;
use super::wire::{Parse, Reader, Writer, damage, flag};
use crate::key::Partition;

const FORMAT: u8 = 1;
const LOCKED: u8 = 1;

/// What a head shows of its partition.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) partition: Partition,
    pub(crate) shown: u64,
}

pub(super) fn write(partition: &Partition, state: &State) -> Bytes {
    let out = &mut Writer::default();
    out.u8(FORMAT);
    out.text(partition.as_str());
    out.varint(state.shown());
    out.u8(flag(state.lock.is_some(), LOCKED));
    if let Some(lock) = &state.lock {
        Lock { pieces: Vec::new(), ..lock.clone() }.write(out);
    }
    std::mem::take(&mut out.0).into()
}

impl Header {
    /// Reads what a head shows; `None` where nothing was written yet.
    pub(crate) fn read(bytes: &[u8]) -> Parse<Option<Self>> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let from = &mut Reader::new(bytes);
        if from.u8()? != FORMAT {
            return damage("a header of an unknown format");
        }
        let Ok(partition) = Partition::internal(from.text()?) else {
            return damage("a partition's name that is none");
        };
        let shown = from.varint()?;
        if from.flags(LOCKED)? & LOCKED != 0 {
            Lock::read(from)?;
        }
        from.end()?;
        Ok(Some(Self { partition, shown }))
    }
}
