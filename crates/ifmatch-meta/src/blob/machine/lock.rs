//! The lock of a partition, and what became of transactions.

use std::time::Duration;

use ifmatch_core::Timestamp;

use super::wire::{Parse, Reader, Writer, damage, flag};
use crate::error::{Error, Result};
use crate::etag::Nonce;
use crate::transaction::{TxAddress, TxId};

/// Most pieces of one transaction.
const MOST_PIECES: usize = 1_000;

/// An open transaction: it holds its partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lock {
    /// Which.
    pub(crate) tx: LockId,
    /// How long it may live.
    pub(crate) lifetime: Duration,
    /// The store's clock shortly before it began: a lower bound.
    pub(crate) date: Option<Timestamp>,
    /// What was staged for another process, in order.
    pub(crate) pieces: Vec<Piece>,
}

/// One incarnation of a transaction: its name, and the number of the commit that
/// began it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LockId {
    pub(crate) id: TxId,
    pub(crate) incarnation: u64,
}

impl LockId {
    pub(crate) fn of(address: &TxAddress) -> Self {
        Self { id: address.id.clone(), incarnation: address.incarnation }
    }
}

/// A piece that was staged: the object's number, and the first half of the
/// BLAKE3 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    pub(crate) number: u64,
    pub(crate) hash: [u8; 16],
}

impl Piece {
    pub(crate) fn new(number: u64, bytes: &[u8]) -> Self {
        Self { number, hash: half(blake3::hash(bytes)) }
    }
}

/// The first half of a hash.
pub(super) fn half(hash: blake3::Hash) -> [u8; 16] {
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

/// How a transaction ended, and in which commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct End {
    pub(crate) seq: u64,
    /// Who committed; `None`: it was aborted.
    pub(crate) committed: Option<Nonce>,
}

const DATED: u8 = 1;

impl Lock {
    /// Whether one more piece may be staged.
    pub(crate) fn has_room(&self) -> Result<()> {
        let count = self.pieces.len() + 1;
        if count > MOST_PIECES {
            let what = "staged pieces of a transaction";
            return Err(Error::TooMany { what, count, limit: MOST_PIECES });
        }
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u8(flag(self.date.is_some(), DATED));
        self.tx.write(out);
        out.duration(self.lifetime);
        if let Some(date) = self.date {
            out.time(date);
        }
        out.varint(self.pieces.len() as u64);
        self.pieces.iter().for_each(|piece| piece.write(out));
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Parse<Self> {
        let flags = from.flags(DATED)?;
        let (tx, lifetime) = (LockId::read(from)?, from.duration()?);
        let date = if flags & DATED == 0 { None } else { Some(from.time()?) };
        let count = from.varint()?;
        if count > MOST_PIECES as u64 {
            return damage("too many pieces");
        }
        let pieces = (0..count).map(|_| Piece::read(from)).collect::<Parse<_>>()?;
        Ok(Self { tx, lifetime, date, pieces })
    }
}

impl LockId {
    pub(super) fn write(&self, out: &mut Writer) {
        out.text(self.id.as_str());
        out.varint(self.incarnation);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Parse<Self> {
        Ok(Self { id: from.transaction()?, incarnation: from.varint()? })
    }
}

impl Piece {
    pub(super) fn write(&self, out: &mut Writer) {
        out.varint(self.number);
        out.bytes(&self.hash);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Parse<Self> {
        Ok(Self { number: from.varint()?, hash: from.array()? })
    }
}
