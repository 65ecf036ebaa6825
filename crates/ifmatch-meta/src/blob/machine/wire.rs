//! Plain fields: what entries, checkpoints and the header are written and read
//! with.
//!
//! Fixed integers are little endian. A varint has seven bits to the byte, lowest
//! first, in its shortest form. A text is a varint with its length, and that many
//! bytes of UTF-8. Reading never panics, and allocates no more than the bytes
//! hold.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Timestamp;
use ifmatch_journal::{Damage, Position};

use crate::etag::ETag;
use crate::key::DocId;
use crate::transaction::TxId;

/// Something read, or what is wrong with the bytes.
pub(super) type Parse<T> = Result<T, Damage>;

/// What is wrong with the bytes.
pub(super) fn damage<T>(what: &str) -> Parse<T> {
    Err(Damage::new(what))
}

/// Bytes that are read from the front.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing is left.
    pub(super) fn end(&self) -> Parse<()> {
        if self.is_empty() { Ok(()) } else { damage("it goes on after its end") }
    }

    pub(super) fn take(&mut self, bytes: usize) -> Parse<&'a [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(bytes) else {
            return damage("it ends early");
        };
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Parse<[u8; N]> {
        let Some((taken, rest)) = self.0.split_first_chunk() else {
            return damage("it ends early");
        };
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Parse<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A byte of flags, of which only `known` may be set.
    pub(super) fn flags(&mut self, known: u8) -> Parse<u8> {
        let flags = self.u8()?;
        if flags & !known == 0 { Ok(flags) } else { damage("an unknown flag") }
    }

    pub(super) fn varint(&mut self) -> Parse<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let group = u64::from(byte & 0x7f);
            if shift == 63 && group > 1 {
                break;
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(value) } else { damage("a number is too long") };
            }
        }
        damage("a number is too large")
    }

    pub(super) fn text(&mut self) -> Parse<&'a str> {
        let Ok(length) = usize::try_from(self.varint()?) else {
            return damage("a text is too long");
        };
        std::str::from_utf8(self.take(length)?).or_else(|_| damage("a text is not UTF-8"))
    }

    pub(super) fn shared_text(&mut self) -> Parse<Arc<str>> {
        self.text().map(Arc::from)
    }

    pub(super) fn time(&mut self) -> Parse<Timestamp> {
        self.array().map(i64::from_le_bytes).map(Timestamp::from_micros)
    }

    pub(super) fn duration(&mut self) -> Parse<Duration> {
        self.varint().map(Duration::from_micros)
    }

    pub(super) fn etag(&mut self) -> Parse<ETag> {
        Ok(ETag::of_parts(self.varint()?, self.array()?))
    }

    pub(super) fn id(&mut self) -> Parse<DocId> {
        DocId::internal(self.text()?).or_else(|_| damage("a name that is none"))
    }

    pub(super) fn transaction(&mut self) -> Parse<TxId> {
        TxId::new(self.text()?).or_else(|_| damage("a transaction's name that is none"))
    }

    pub(super) fn position(&mut self) -> Parse<Position> {
        let seq = self.varint()?;
        let Ok(ordinal) = u32::try_from(self.varint()?) else {
            return damage("an ordinal is too large");
        };
        Ok(Position { seq, ordinal })
    }
}

/// Bytes that are written.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u8(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.u8(value.to_le_bytes()[0]);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.bytes(&time.as_micros().to_le_bytes());
    }

    pub(super) fn duration(&mut self, duration: Duration) {
        self.varint(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn etag(&mut self, etag: ETag) {
        let (counter, nonce) = etag.parts();
        self.varint(counter);
        self.bytes(&nonce);
    }

    pub(super) fn position(&mut self, at: Position) {
        self.varint(at.seq);
        self.varint(at.ordinal.into());
    }
}

/// A flag, where it is set.
pub(super) const fn flag(set: bool, flag: u8) -> u8 {
    if set { flag } else { 0 }
}
