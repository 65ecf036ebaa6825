//! The tail field: records, packed where that is worth it.

use bytes::Bytes;

use crate::object::pack::{pack, unpack};
use crate::record::wire::{Parse, Reader};
use crate::record::{CommitRecord, decode_records, encode_records};

/// Most plain bytes of a tail.
pub(crate) const MAX_TAIL: usize = 4 << 20;
/// Below this packing saves no request and hardly any time.
const WORTH_PACKING: usize = 4 << 10;
const RAW: u8 = 0;
const PACKED: u8 = 1;

/// A tail as a head stores it: packed once, asked for its size, then written.
#[derive(Clone, Debug)]
pub(crate) struct TailBytes {
    bytes: Vec<u8>,
    plain: usize,
}

impl TailBytes {
    /// The bytes of `records`.
    pub(crate) fn new(records: &[CommitRecord]) -> Self {
        if records.is_empty() {
            return Self { bytes: Vec::new(), plain: 0 };
        }
        let records = encode_records(records);
        let plain = records.len();
        let mut bytes = Vec::new();
        if let (true, Ok(length)) = (plain > WORTH_PACKING, u32::try_from(plain)) {
            bytes.push(PACKED);
            bytes.extend_from_slice(&length.to_le_bytes());
            if pack(&records, &mut bytes) {
                return Self { bytes, plain };
            }
            bytes.clear();
        }
        bytes.push(RAW);
        bytes.extend_from_slice(&records);
        Self { bytes, plain }
    }

    /// How many bytes of the head it takes; the largest number there is where no
    /// reader would take it at all, however well it packs.
    pub(crate) const fn size(&self) -> usize {
        if self.plain > MAX_TAIL { usize::MAX } else { self.bytes.len() }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

/// How many bytes of a head `records` take as its tail; see
/// [`TailBytes::size`]. Whoever goes on to encode that head keeps the
/// [`TailBytes`] instead.
pub(crate) fn tail_size(records: &[CommitRecord]) -> usize {
    TailBytes::new(records).size()
}

/// Reads the field.
pub(super) fn read(mut field: Reader<'_>) -> Parse<Vec<CommitRecord>> {
    let plain = match field.u8()? {
        RAW if field.left() > MAX_TAIL => return Err("its tail is too long"),
        RAW => field.share(field.left())?,
        PACKED => {
            let plain = field.u32()? as usize;
            Bytes::from(unpack(field.take(field.left())?, plain, MAX_TAIL)?)
        }
        _ => return Err("its tail is packed in an unknown way"),
    };
    decode_records(&plain)
}
