//! Reading a head's bytes: nothing is allocated before it is known to be there.

use bytes::{Buf, Bytes};
use ifmatch_core::{Error as StoreError, Timestamp};

use super::encode::tag;
use super::ring::{Ring, Slot};
use super::{
    CheckpointRef, Drop, FORMAT, Head, HistoryRef, MAGIC, MAX_HEAD, MAX_WRITERS, ObjectRef,
    SegmentRef, TailCommit, Writer,
};
use crate::error::{Error, Result};
use crate::id::{ForkId, JournalId, Nonce, WriterId};

/// Most slots that a ring may have, whoever wrote it.
const MAX_RING: usize = 4096;

fn corrupt(detail: impl Into<std::sync::Arc<str>>) -> Error {
    Error::corrupt("head", detail)
}

/// Bytes that are read from the front; running out is an error.
struct Fields(Bytes);

impl Fields {
    fn take(&mut self, bytes: usize) -> Result<Bytes> {
        if self.0.remaining() < bytes {
            return Err(corrupt("a field ends early"));
        }
        Ok(self.0.split_to(bytes))
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?.get_u8())
    }

    fn u32(&mut self) -> Result<usize> {
        Ok(self.take(4)?.get_u32_le() as usize)
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(self.take(8)?.get_u64_le())
    }

    fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_micros(self.take(8)?.get_i64_le()))
    }

    fn nonce(&mut self) -> Result<Nonce> {
        Ok(Nonce(self.take(16)?.get_u128()))
    }

    fn hash(&mut self) -> Result<[u8; 32]> {
        let mut hash = [0; 32];
        self.take(32)?.copy_to_slice(&mut hash);
        Ok(hash)
    }

    fn object(&mut self) -> Result<ObjectRef> {
        Ok(ObjectRef { id: self.nonce()?, bytes: self.u64()?, hash: self.hash()? })
    }

    /// Everything that is left, one `read` after the other.
    fn rest<T>(mut self, mut read: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while self.0.has_remaining() {
            all.push(read(&mut self)?);
        }
        Ok(all)
    }

    /// One value that takes all the bytes.
    fn whole<T>(mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let value = read(&mut self)?;
        if self.0.has_remaining() {
            return Err(corrupt("a field is too long"));
        }
        Ok(value)
    }
}

impl Head {
    /// Reads a head.
    ///
    /// # Errors
    /// `Corrupt` for every truncation and every flipped bit, and for contents
    /// that contradict each other; `Unsupported` for another format.
    pub fn decode(bytes: &Bytes) -> Result<Self> {
        let mut fields = checked(bytes)?;
        let mut head = None;
        let mut before = 0;
        while fields.0.has_remaining() {
            let tag = fields.u8()?;
            if tag <= before {
                return Err(corrupt("its fields are out of order"));
            }
            before = tag;
            let length = fields.u32()?;
            let field = Fields(fields.take(length)?);
            head.get_or_insert_with(Partial::default).set(tag, field)?;
        }
        head.ok_or_else(|| corrupt("it has no fields"))?.finish()
    }
}

/// Checks everything outside the fields.
fn checked(bytes: &Bytes) -> Result<Fields> {
    if bytes.len() > MAX_HEAD {
        return Err(corrupt("longer than any head"));
    }
    let Some((start, sum)) = bytes.split_last_chunk::<32>() else {
        return Err(corrupt("too short"));
    };
    if start.len() < 12 || &start[..7] != MAGIC {
        return Err(corrupt("this is no head of ifmatch"));
    }
    if blake3::hash(start).as_bytes() != sum {
        return Err(corrupt("the checksum does not match"));
    }
    if start[7] != FORMAT {
        return Err(Error::Store(StoreError::unsupported(format!(
            "the head has format {}, this version reads {FORMAT}: update ifmatch",
            start[7]
        ))));
    }
    let mut fields = Fields(bytes.slice(8..start.len()));
    if fields.u32()? != fields.0.remaining() {
        return Err(corrupt("the length does not match"));
    }
    Ok(fields)
}

/// A head whose fields are being read.
#[derive(Default)]
struct Partial {
    journal: Option<JournalId>,
    fork: Option<ForkId>,
    seq: Option<u64>,
    nonce: Option<Nonce>,
    kind: String,
    writers: Vec<Writer>,
    previous: [u8; 32],
    base_time: Option<Timestamp>,
    ring: Ring,
    application: Bytes,
    tail: Vec<TailCommit>,
    segments: Vec<SegmentRef>,
    checkpoint: Option<CheckpointRef>,
    history: Option<HistoryRef>,
    collected: Option<Timestamp>,
    drops: Vec<Drop>,
    unknown: Vec<(u8, Bytes)>,
}

impl Partial {
    fn set(&mut self, tag: u8, field: Fields) -> Result<()> {
        match tag {
            tag::KIND => {
                self.kind =
                    String::from_utf8(field.0.to_vec()).map_err(|_| corrupt("kind is no text"))?;
            }
            tag::JOURNAL => self.journal = Some(JournalId(field.whole(Fields::nonce)?.0)),
            tag::FORK => self.fork = Some(ForkId(field.whole(Fields::nonce)?.0)),
            tag::SEQ => self.seq = Some(field.whole(Fields::u64)?),
            tag::NONCE => self.nonce = Some(field.whole(Fields::nonce)?),
            tag::WRITERS => {
                self.writers = field.rest(|field| {
                    let id = WriterId(field.take(8)?.get_u64());
                    Ok(Writer { id, seen: field.u64()? })
                })?;
            }
            tag::PREVIOUS => self.previous = field.whole(Fields::hash)?,
            tag::BASE_TIME => self.base_time = Some(field.whole(Fields::time)?),
            tag::RING => self.ring = ring(field)?,
            tag::APPLICATION => self.application = field.0,
            tag::TAIL => self.tail = field.rest(tail_commit)?,
            tag::SEGMENTS => {
                self.segments = field.rest(|field| {
                    let id = field.nonce()?;
                    let (first, last) = (field.u64()?, field.u64()?);
                    let (bytes, hash) = (field.u64()?, field.hash()?);
                    Ok(SegmentRef { object: ObjectRef { id, bytes, hash }, first, last })
                })?;
            }
            tag::CHECKPOINT => {
                let mut field = field;
                let seq = field.u64()?;
                let objects = field.rest(Fields::object)?;
                self.checkpoint = Some(CheckpointRef { seq, objects });
            }
            tag::HISTORY => {
                self.history = Some(field.whole(|field| {
                    Ok(HistoryRef { object: field.object()?, last: field.u64()? })
                })?);
            }
            tag::COLLECTED => self.collected = Some(field.whole(Fields::time)?),
            tag::DROPS => self.drops = field.rest(dropped)?,
            tag => self.unknown.push((tag, field.0)),
        }
        Ok(())
    }

    fn finish(self) -> Result<Head> {
        let missing = |what| move || corrupt(format!("it has no {what}"));
        let seq = self.seq.ok_or_else(missing("seq"))?;
        let nonce = self.nonce.ok_or_else(missing("nonce"))?;
        if self.ring.last() != Some(seq)
            || self.ring.slot(seq).is_none_or(|slot| slot.bits != nonce.first_bits())
        {
            return Err(corrupt("its ring does not end at its own commit"));
        }
        if self.writers.len() > MAX_WRITERS {
            return Err(corrupt("too many writers"));
        }
        let dense = self.tail.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq);
        if !dense || self.tail.last().is_some_and(|last| last.seq != seq) {
            return Err(corrupt("its tail has gaps"));
        }
        Ok(Head {
            kind: self.kind,
            journal: self.journal.ok_or_else(missing("journal id"))?,
            fork: self.fork.ok_or_else(missing("fork id"))?,
            seq,
            nonce,
            writers: self.writers,
            previous: self.previous,
            base_time: self.base_time,
            ring: self.ring,
            application: self.application,
            tail: self.tail,
            segments: self.segments,
            checkpoint: self.checkpoint,
            history: self.history,
            collected: self.collected,
            drops: self.drops,
            unknown: self.unknown,
        })
    }
}

fn ring(mut field: Fields) -> Result<Ring> {
    let first = field.u64()?;
    if field.0.remaining() > MAX_RING * 9 {
        return Err(corrupt("its ring is too long"));
    }
    let slots = field.rest(|field| {
        let bits = field.take(8)?.get_u64();
        Ok(Slot { bits, writer: field.u8()? })
    })?;
    if first.checked_add(slots.len() as u64).is_none() {
        return Err(corrupt("its ring ends behind the last number"));
    }
    Ok(Ring { first, slots })
}

fn tail_commit(field: &mut Fields) -> Result<TailCommit> {
    let (seq, nonce, writer) = (field.u64()?, field.nonce()?, field.u8()?);
    let count = field.u32()?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let length = field.u32()?;
        entries.push(field.take(length)?);
    }
    if seq == u64::MAX {
        return Err(corrupt("a commit has the last number"));
    }
    Ok(TailCommit { seq, nonce, writer, entries })
}

fn dropped(field: &mut Fields) -> Result<Drop> {
    let (id, seq) = (field.nonce()?, field.u64()?);
    let known = field.u8()? != 0;
    let time = field.time()?;
    Ok(Drop { id, seq, time: known.then_some(time) })
}
