//! Writing a head's bytes.

use bytes::Bytes;
use ifmatch_core::Timestamp;

use super::tail::TailBytes;
use super::{FORMAT, Head, MAGIC};

/// The tags of the fields; see the table in the module's docs.
pub(super) mod tag {
    pub(in crate::head) const KIND: u8 = 1;
    pub(in crate::head) const JOURNAL: u8 = 2;
    pub(in crate::head) const FORK: u8 = 3;
    pub(in crate::head) const SEQ: u8 = 4;
    pub(in crate::head) const NONCE: u8 = 5;
    pub(in crate::head) const WRITERS: u8 = 6;
    pub(in crate::head) const PREVIOUS: u8 = 7;
    pub(in crate::head) const BASE_TIME: u8 = 8;
    pub(in crate::head) const RING: u8 = 9;
    pub(in crate::head) const APPLICATION: u8 = 10;
    pub(in crate::head) const TAIL: u8 = 11;
    pub(in crate::head) const SEGMENTS: u8 = 12;
    pub(in crate::head) const CHECKPOINT: u8 = 13;
    pub(in crate::head) const HISTORY: u8 = 14;
    pub(in crate::head) const COLLECTED: u8 = 15;
    pub(in crate::head) const DROPS: u8 = 16;
}

impl Head {
    /// The bytes of the head.
    pub fn encode(&self) -> Bytes {
        self.encode_with_tail(&TailBytes::new(&self.tail))
    }

    /// The bytes of the head, whose tail is already packed.
    pub(crate) fn encode_with_tail(&self, tail: &TailBytes) -> Bytes {
        let variable = tail.as_slice().len() + self.application.len() + self.drops.len() * 33;
        let mut out = Vec::with_capacity(2048 + variable);
        out.extend_from_slice(MAGIC);
        out.push(FORMAT);
        out.extend_from_slice(&[0; 4]);
        let start = out.len();
        let known = &mut out;
        field(known, tag::KIND, |out| out.extend_from_slice(self.kind.as_bytes()));
        field(known, tag::JOURNAL, |out| out.extend_from_slice(&self.journal.0.to_be_bytes()));
        field(known, tag::FORK, |out| out.extend_from_slice(&self.fork.0.to_be_bytes()));
        field(known, tag::SEQ, |out| out.extend_from_slice(&self.seq.to_le_bytes()));
        field(known, tag::NONCE, |out| out.extend_from_slice(&self.nonce.0.to_be_bytes()));
        field(known, tag::WRITERS, |out| self.put_writers(out));
        field(known, tag::PREVIOUS, |out| self.put_previous(out));
        field(known, tag::BASE_TIME, |out| put_known(out, self.base_time));
        field(known, tag::RING, |out| self.put_ring(out));
        field(known, tag::APPLICATION, |out| out.extend_from_slice(&self.application));
        field(known, tag::TAIL, |out| out.extend_from_slice(tail.as_slice()));
        field(known, tag::SEGMENTS, |out| self.put_segments(out));
        field(known, tag::CHECKPOINT, |out| {
            self.checkpoint.iter().for_each(|checkpoint| checkpoint.put(out));
        });
        field(known, tag::HISTORY, |out| self.put_history(out));
        field(known, tag::COLLECTED, |out| put_known(out, self.collected));
        field(known, tag::DROPS, |out| self.drops.iter().for_each(|drop| drop.put(out)));
        // All unknown tags lie behind the known ones, as tags are handed out in
        // order, and they were read in order.
        for (tag, bytes) in &self.unknown {
            field(&mut out, *tag, |out| out.extend_from_slice(bytes));
        }
        fill_length(&mut out, start);
        let sum = blake3::hash(&out);
        out.extend_from_slice(sum.as_bytes());
        out.into()
    }

    fn put_writers(&self, out: &mut Vec<u8>) {
        for writer in &self.writers {
            let behind = self.seq.saturating_sub(writer.seen);
            out.extend_from_slice(&writer.id.0.to_be_bytes());
            out.extend_from_slice(&u32::try_from(behind).unwrap_or(u32::MAX).to_le_bytes());
        }
    }

    fn put_previous(&self, out: &mut Vec<u8>) {
        if self.previous != [0; 32] {
            out.extend_from_slice(&self.previous);
        }
    }

    fn put_ring(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ring.first.to_le_bytes());
        for slot in &self.ring.slots {
            out.extend_from_slice(&slot.bits.to_be_bytes());
            out.push(slot.writer);
        }
    }

    fn put_segments(&self, out: &mut Vec<u8>) {
        let Some(first) = self.segments.first() else { return };
        out.extend_from_slice(&first.first.to_le_bytes());
        for segment in &self.segments {
            segment.object.put(out);
            out.extend_from_slice(&segment.last.to_le_bytes());
        }
    }

    fn put_history(&self, out: &mut Vec<u8>) {
        let Some(history) = &self.history else { return };
        history.object.put(out);
        out.extend_from_slice(&history.last.to_le_bytes());
    }
}

/// Writes one field; nothing where `put` writes nothing.
fn field(out: &mut Vec<u8>, tag: u8, put: impl FnOnce(&mut Vec<u8>)) {
    let before = out.len();
    out.extend_from_slice(&[tag, 0, 0, 0, 0]);
    let start = out.len();
    put(out);
    if out.len() == start {
        out.truncate(before);
    } else {
        fill_length(out, start);
    }
}

/// Fills in the length, in front of `start`, of what begins there. The limits of
/// a head keep it far below 4 GiB.
fn fill_length(out: &mut [u8], start: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start - 4..start].copy_from_slice(&length.to_le_bytes());
}

fn put_known(out: &mut Vec<u8>, time: Option<Timestamp>) {
    if let Some(time) = time {
        out.extend_from_slice(&time.as_micros().to_le_bytes());
    }
}
