//! Writing a head's bytes.

use bytes::Bytes;
use ifmatch_core::Timestamp;

use super::{Drop, FORMAT, Head, MAGIC, ObjectRef, TailCommit};

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
        let mut fields: Vec<(u8, Vec<u8>)> = vec![
            (tag::KIND, self.kind.clone().into_bytes()),
            (tag::JOURNAL, self.journal.0.to_be_bytes().to_vec()),
            (tag::FORK, self.fork.0.to_be_bytes().to_vec()),
            (tag::SEQ, self.seq.to_le_bytes().to_vec()),
            (tag::NONCE, self.nonce.0.to_be_bytes().to_vec()),
            (tag::WRITERS, self.writers_bytes()),
            (tag::PREVIOUS, self.previous.to_vec()),
            (tag::BASE_TIME, time(self.base_time)),
            (tag::RING, self.ring_bytes()),
            (tag::APPLICATION, self.application.to_vec()),
            (tag::TAIL, self.tail.iter().flat_map(tail_commit).collect()),
            (tag::SEGMENTS, self.segments_bytes()),
            (tag::CHECKPOINT, self.checkpoint_bytes()),
            (tag::HISTORY, self.history_bytes()),
            (tag::COLLECTED, time(self.collected)),
            (tag::DROPS, self.drops.iter().flat_map(dropped).collect()),
        ];
        fields.extend(self.unknown.iter().map(|(tag, bytes)| (*tag, bytes.to_vec())));
        fields.retain(|(_, bytes)| !bytes.is_empty());
        fields.sort_by_key(|(tag, _)| *tag);
        let mut body = Vec::new();
        for (tag, bytes) in fields {
            body.push(tag);
            body.extend_from_slice(&length(bytes.len()));
            body.extend_from_slice(&bytes);
        }
        let mut head = Vec::with_capacity(body.len() + 44);
        head.extend_from_slice(MAGIC);
        head.push(FORMAT);
        head.extend_from_slice(&length(body.len()));
        head.extend_from_slice(&body);
        let sum = blake3::hash(&head);
        head.extend_from_slice(sum.as_bytes());
        head.into()
    }

    fn writers_bytes(&self) -> Vec<u8> {
        let each = |writer: &super::Writer| {
            [writer.id.0.to_be_bytes(), writer.seen.to_le_bytes()].concat()
        };
        self.writers.iter().flat_map(each).collect()
    }

    fn ring_bytes(&self) -> Vec<u8> {
        let mut bytes = self.ring.first.to_le_bytes().to_vec();
        for slot in &self.ring.slots {
            bytes.extend_from_slice(&slot.bits.to_be_bytes());
            bytes.push(slot.writer);
        }
        bytes
    }

    fn segments_bytes(&self) -> Vec<u8> {
        let each = |segment: &super::SegmentRef| {
            let mut bytes = segment.object.id.0.to_be_bytes().to_vec();
            bytes.extend_from_slice(&segment.first.to_le_bytes());
            bytes.extend_from_slice(&segment.last.to_le_bytes());
            bytes.extend_from_slice(&segment.object.bytes.to_le_bytes());
            bytes.extend_from_slice(&segment.object.hash);
            bytes
        };
        self.segments.iter().flat_map(each).collect()
    }

    fn checkpoint_bytes(&self) -> Vec<u8> {
        let Some(checkpoint) = &self.checkpoint else { return Vec::new() };
        let mut bytes = checkpoint.seq.to_le_bytes().to_vec();
        bytes.extend(checkpoint.objects.iter().flat_map(object));
        bytes
    }

    fn history_bytes(&self) -> Vec<u8> {
        let Some(history) = &self.history else { return Vec::new() };
        let mut bytes = object(&history.object);
        bytes.extend_from_slice(&history.last.to_le_bytes());
        bytes
    }
}

/// A length, which the limits of a head keep far below 4 GiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

fn time(time: Option<Timestamp>) -> Vec<u8> {
    time.map_or_else(Vec::new, |time| time.as_micros().to_le_bytes().to_vec())
}

fn object(object: &ObjectRef) -> Vec<u8> {
    let mut bytes = object.id.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(&object.bytes.to_le_bytes());
    bytes.extend_from_slice(&object.hash);
    bytes
}

fn tail_commit(commit: &TailCommit) -> Vec<u8> {
    let mut bytes = commit.seq.to_le_bytes().to_vec();
    bytes.extend_from_slice(&commit.nonce.0.to_be_bytes());
    bytes.push(commit.writer);
    bytes.extend_from_slice(&length(commit.entries.len()));
    for entry in &commit.entries {
        bytes.extend_from_slice(&length(entry.len()));
        bytes.extend_from_slice(entry);
    }
    bytes
}

fn dropped(drop: &Drop) -> Vec<u8> {
    let mut bytes = drop.id.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(&drop.seq.to_le_bytes());
    bytes.push(u8::from(drop.time.is_some()));
    bytes.extend_from_slice(&drop.time.unwrap_or_default().as_micros().to_le_bytes());
    bytes
}
