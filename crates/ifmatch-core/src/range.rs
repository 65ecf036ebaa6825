//! Byte ranges of bodies.

use std::ops::Range;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::key::BlobKey;

/// What of a body of `size` bytes `range` names: its end is cut to the body's.
///
/// # Errors
/// [`Error::Invalid`] where the range is empty or starts at or behind the end.
pub fn clamp(key: &BlobKey, size: u64, range: &Range<u64>) -> Result<Range<u64>> {
    if range.start >= range.end || range.start >= size {
        let Range { start, end } = range;
        return Err(Error::invalid(format!(
            "range {start}..{end} of {key}: the body has {size} bytes"
        )));
    }
    Ok(range.start..range.end.min(size))
}

pub(crate) fn slice(key: &BlobKey, body: &Bytes, range: &Range<u64>) -> Result<Bytes> {
    let range = clamp(key, body.len() as u64, range)?;
    let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
    Ok(body.slice(at(range.start)..at(range.end)))
}
