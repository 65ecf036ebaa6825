//! What objects hold: segments, parts of checkpoints, indexes of parts.

use bytes::Bytes;

use super::envelope::{corrupt, seal, unseal};
use super::refs::first_128;
use super::{Folder, ObjectRef, PartRef, Sealed, SegmentRef};
use crate::error::{Error, Result};
use crate::id::Nonce;
use crate::record::wire::Reader;
use crate::record::{CommitRecord, decode_records, encode_records};

/// Makes the segment of `records`, which must be dense and not empty.
pub(crate) fn seal_segment(nonce: Nonce, records: &[CommitRecord]) -> Result<(SegmentRef, Sealed)> {
    let dense = records.windows(2).all(|pair| pair[0].seq.checked_add(1) == Some(pair[1].seq));
    let (Some(first), Some(last), true) = (records.first(), records.last(), dense) else {
        return Err(Error::invalid("a segment holds consecutive commits, at least one"));
    };
    let sealed = seal(Folder::Segments, nonce, &encode_records(records))?;
    Ok((SegmentRef { object: sealed.object, first: first.seq, last: last.seq }, sealed))
}

/// The records of a segment.
pub(crate) fn unseal_segment(segment: &SegmentRef, bytes: &Bytes) -> Result<Vec<CommitRecord>> {
    let plain = unseal(Folder::Segments, &segment.object, bytes)?;
    let corrupt = corrupt(Folder::Segments, &segment.object);
    let records = decode_records(&plain).map_err(&corrupt)?;
    let range = records.first().zip(records.last()).map(|(first, last)| (first.seq, last.seq));
    if range != Some((segment.first, segment.last)) {
        return Err(corrupt("it holds other commits than its reference says"));
    }
    Ok(records)
}

/// What tells contents of parts apart.
pub(crate) fn content_of(plain: &[u8]) -> u128 {
    first_128(plain)
}

/// Makes a part of a checkpoint.
pub(crate) fn seal_part(nonce: Nonce, plain: &[u8]) -> Result<(PartRef, Sealed)> {
    let sealed = seal(Folder::Checkpoints, nonce, plain)?;
    Ok((PartRef { object: sealed.object, content: content_of(plain) }, sealed))
}

/// The contents of a part.
pub(crate) fn unseal_part(part: &PartRef, bytes: &Bytes) -> Result<Bytes> {
    let plain = unseal(Folder::Checkpoints, &part.object, bytes)?;
    if content_of(&plain) != part.content {
        let corrupt = corrupt(Folder::Checkpoints, &part.object);
        return Err(corrupt("it holds other contents than its reference says"));
    }
    Ok(plain)
}

/// Makes the list of a checkpoint's parts.
pub(crate) fn seal_index(nonce: Nonce, parts: &[PartRef]) -> Result<Sealed> {
    let mut plain = Vec::with_capacity(parts.len() * 36);
    for part in parts {
        part.put(&mut plain);
    }
    seal(Folder::Checkpoints, nonce, &plain)
}

/// The parts that an index lists.
pub(crate) fn unseal_index(object: &ObjectRef, bytes: &Bytes) -> Result<Vec<PartRef>> {
    let plain = unseal(Folder::Checkpoints, object, bytes)?;
    let parts = Reader::new(&plain).all(usize::MAX, PartRef::read);
    parts.map_err(corrupt(Folder::Checkpoints, object))
}
