//! Records: what one commit leaves in the tail, in segments and in the history.
//!
//! # Format, byte for byte
//!
//! A list of records is empty, or:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | seq of the first; each further one is one more |
//! | | then for each record: |
//! | 16 | commit nonce |
//! | 8 | writer id |
//! | 8 | store time of its base in microseconds; the least number there is: unknown |
//! | varint | number of entries |
//! | varint | size of the packed entries |
//! | n | packed entries: for each a varint with its length, and that many bytes |
//!
//! A varint has seven bits to the byte, lowest first, the top bit set on all
//! bytes but the last, and no more bytes than it needs. Numbers of fixed size
//! are little endian, ids big endian, as they print.

mod entries;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

use bytes::Bytes;
use ifmatch_core::Timestamp;

pub use entries::Entries;

use self::wire::{Parse, Reader, put_time, put_varint};
use crate::id::{Nonce, WriterId};

/// One commit, as tail, segments and history keep it. A commit without entries
/// leaves one as well: so the history knows the id of every number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitRecord {
    /// Its number, from 1.
    pub seq: u64,
    /// What makes it this one.
    pub nonce: Nonce,
    /// Who committed.
    pub writer: WriterId,
    /// The store's clock when its base was read or written.
    pub base_time: Option<Timestamp>,
    /// Opaque bytes, in order; may be none.
    pub entries: Entries,
}

/// The bytes of `records`, whose numbers must be dense.
pub(crate) fn encode_records(records: &[CommitRecord]) -> Vec<u8> {
    let Some(first) = records.first() else { return Vec::new() };
    // 52: the fixed fields, and varints of any ordinary length.
    let each = records.iter().map(|record| 52 + record.entries.size());
    let mut out = Vec::with_capacity(8 + each.sum::<usize>());
    out.extend_from_slice(&first.seq.to_le_bytes());
    for record in records {
        out.extend_from_slice(&record.nonce.0.to_be_bytes());
        out.extend_from_slice(&record.writer.0.to_be_bytes());
        put_time(&mut out, record.base_time);
        put_varint(&mut out, record.entries.len() as u64);
        put_varint(&mut out, record.entries.size() as u64);
        out.extend_from_slice(record.entries.packed());
    }
    out
}

/// Reads records. Their entries are slices of `bytes`.
pub(crate) fn decode_records(bytes: &Bytes) -> Parse<Vec<CommitRecord>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(bytes);
    let mut next = reader.u64()?;
    if next == 0 || reader.left() == 0 {
        return Err("its records have no number");
    }
    reader.all(usize::MAX, |reader| {
        let seq = next;
        // So that no reader's "the next one" overflows either.
        next = seq.checked_add(1).ok_or("a commit has the last number")?;
        record(reader, seq)
    })
}

fn record(reader: &mut Reader<'_>, seq: u64) -> Parse<CommitRecord> {
    let nonce = reader.nonce()?;
    let writer = WriterId(reader.id64()?);
    let base_time = reader.time()?;
    let (count, size) = (reader.count()?, reader.count()?);
    let entries = Entries::unpack(reader.share(size)?, count)?;
    Ok(CommitRecord { seq, nonce, writer, base_time, entries })
}
