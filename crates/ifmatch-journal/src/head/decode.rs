//! Reading a head's bytes: nothing is allocated before it is known to be there.

use bytes::Bytes;
use ifmatch_core::Error as StoreError;

use super::encode::tag;
use super::ring::{Ring, Slot};
use super::{FORMAT, Head, MAGIC, MAX_HEAD, MAX_WRITERS, Writer, tail};
use crate::error::{Error, Result};
use crate::id::{ForkId, JournalId, WriterId};
use crate::object::{CheckpointRef, Drop, HistoryRef, ObjectRef, SegmentRef};
use crate::record::wire::{Parse, Reader};

/// Most of each that a head may hold, whoever wrote it.
const MAX_KIND: usize = 64;
const MAX_RING: usize = 4096;
const MAX_APPLICATION: usize = 1 << 20;
const MAX_SEGMENTS: usize = 1024;
const MAX_DROPS: usize = 1 << 16;

impl Head {
    /// Reads a head.
    ///
    /// # Errors
    /// `Corrupt` for every truncation and every flipped bit, and for contents
    /// that contradict each other; `Unsupported` for another format.
    pub fn decode(bytes: &Bytes) -> Result<Self> {
        let corrupt = |detail| Error::corrupt("head", detail);
        let start = checked(bytes).map_err(corrupt)?;
        let format = start[MAGIC.len()];
        if format != FORMAT {
            return Err(Error::Store(StoreError::unsupported(format!(
                "the head has format {format}, this version reads {FORMAT}: update ifmatch"
            ))));
        }
        let head = fields(&start).and_then(|head| head.consistent().map(|()| head));
        head.map_err(corrupt)
    }

    /// Whether a reader would take it: what is sent must be.
    pub(crate) fn is_readable(&self, bytes: usize) -> bool {
        bytes <= MAX_HEAD
            && self.kind.len() <= MAX_KIND
            && self.application.len() <= MAX_APPLICATION
            && self.segments.len() <= MAX_SEGMENTS
            && self.drops.len() <= MAX_DROPS
            && self.seq < u64::MAX
    }

    /// What its fields must be to each other.
    fn consistent(&self) -> Parse<()> {
        let own = self.ring.slot(self.seq).is_some_and(|s| s.bits == self.nonce.first_bits());
        if !own || self.ring.last() != Some(self.seq) {
            return Err("its ring does not end at its own commit");
        }
        if self.seq == u64::MAX {
            return Err("it has the last number");
        }
        // Records are dense as they were read: only the ends are open.
        if self.tail.last().is_some_and(|last| (last.seq, last.nonce) != (self.seq, self.nonce)) {
            return Err("its tail does not end at its own commit");
        }
        for record in &self.tail {
            let slot = self.ring.slot(record.seq);
            if slot.is_some_and(|slot| slot.bits != record.nonce.first_bits()) {
                return Err("its tail and its ring tell of different commits");
            }
        }
        let covered = self.segments.last().map(|segment| segment.last);
        if let (Some(covered), Some(first)) = (covered, self.tail.first())
            && covered.checked_add(1) != Some(first.seq)
        {
            return Err("its tail does not begin behind its segments");
        }
        let checkpoint = self.checkpoint.as_ref().map(|checkpoint| checkpoint.seq);
        let history = self.history.map(|history| history.last);
        if [covered, checkpoint, history].into_iter().flatten().any(|seq| seq > self.seq) {
            return Err("it refers to commits after its own");
        }
        Ok(())
    }
}

/// Checks everything outside the fields; gives what the checksum covers.
fn checked(bytes: &Bytes) -> Parse<Bytes> {
    if bytes.len() > MAX_HEAD {
        return Err("longer than any head");
    }
    let (start, sum) = bytes.split_last_chunk::<32>().ok_or("too short")?;
    if start.len() < 12 || !start.starts_with(MAGIC) {
        return Err("this is no head of ifmatch");
    }
    if blake3::hash(start).as_bytes() != sum {
        return Err("the checksum does not match");
    }
    Ok(bytes.slice(..start.len()))
}

fn fields(start: &Bytes) -> Parse<Head> {
    let mut all = Reader::new(start);
    all.take(MAGIC.len() + 1)?;
    if all.u32()? as usize != all.left() {
        return Err("the length does not match");
    }
    let mut head = Head::before_the_first("", JournalId(0), ForkId(0));
    let mut before = 0;
    // The fields without which it is no head, a bit each.
    let mut missing: u32 =
        [tag::JOURNAL, tag::FORK, tag::SEQ, tag::NONCE].into_iter().map(|tag| 1 << tag).sum();
    while all.left() > 0 {
        let tag = all.u8()?;
        if tag <= before {
            return Err("its fields are out of order");
        }
        before = tag;
        let length = all.u32()? as usize;
        set(&mut head, tag, all.part(length)?)?;
        missing &= !1_u32.checked_shl(u32::from(tag)).unwrap_or(0);
    }
    if missing == 0 { Ok(head) } else { Err("it lacks its journal, fork, seq or commit") }
}

fn set(head: &mut Head, tag: u8, mut field: Reader<'_>) -> Parse<()> {
    match tag {
        tag::KIND => {
            let text = field.take(field.left())?;
            let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_KIND);
            text.ok_or("its kind is no short text")?.clone_into(&mut head.kind);
        }
        tag::JOURNAL => head.journal = JournalId(field.whole(Reader::id128)?),
        tag::FORK => head.fork = ForkId(field.whole(Reader::id128)?),
        tag::SEQ => head.seq = field.whole(Reader::u64)?,
        tag::NONCE => head.nonce = field.whole(Reader::nonce)?,
        tag::WRITERS => {
            // Tags ascend, so the seq that they count from is there.
            let seq = head.seq;
            head.writers = field.all(MAX_WRITERS, |field| writer(field, seq))?;
        }
        tag::PREVIOUS => head.previous = field.whole(Reader::hash)?,
        tag::BASE_TIME => head.base_time = field.whole(Reader::time)?,
        tag::RING => head.ring = ring(field)?,
        tag::APPLICATION if field.left() > MAX_APPLICATION => {
            return Err("its application header is too long");
        }
        tag::APPLICATION => head.application = field.share(field.left())?,
        tag::TAIL => head.tail = tail::read(field)?,
        tag::SEGMENTS => head.segments = segments(field)?,
        tag::CHECKPOINT => head.checkpoint = Some(field.whole(CheckpointRef::read)?),
        tag::HISTORY => {
            head.history = Some(field.whole(|field| {
                Ok(HistoryRef { object: ObjectRef::read(field)?, last: field.u64()? })
            })?);
        }
        tag::COLLECTED => head.collected = field.whole(Reader::time)?,
        tag::DROPS => head.drops = field.all(MAX_DROPS, Drop::read)?,
        tag => head.unknown.push((tag, field.share(field.left())?)),
    }
    Ok(())
}

fn writer(field: &mut Reader<'_>, seq: u64) -> Parse<Writer> {
    let id = WriterId(field.id64()?);
    let seen = seq.checked_sub(u64::from(field.u32()?)).ok_or("a writer is from before it all")?;
    Ok(Writer { id, seen })
}

fn ring(mut field: Reader<'_>) -> Parse<Ring> {
    let first = field.u64()?;
    let slots =
        field.all(MAX_RING, |field| Ok(Slot { bits: field.id64()?, writer: field.u8()? }))?;
    if first.checked_add(slots.len() as u64).is_none() {
        return Err("its ring ends behind the last number");
    }
    Ok(Ring { first, slots })
}

fn segments(mut field: Reader<'_>) -> Parse<Vec<SegmentRef>> {
    let mut first = field.u64()?;
    field.all(MAX_SEGMENTS, |field| {
        let (object, last) = (ObjectRef::read(field)?, field.u64()?);
        if last < first {
            return Err("its segments do not ascend");
        }
        let segment = SegmentRef { object, first, last };
        first = last.checked_add(1).ok_or("a segment ends at the last number")?;
        Ok(segment)
    })
}
