//! The entries of one commit.

use std::iter;

use bytes::Bytes;

use super::wire::{Parse, Reader, put_varint};

/// The entries of one commit, packed into one buffer: a clone costs a count,
/// however many there are. Heads are cloned with every commit.
///
/// Equal entries have equal bytes: each is its length in the shortest form and
/// then itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entries {
    packed: Bytes,
    count: usize,
}

impl Entries {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Packed size in bytes.
    pub fn size(&self) -> usize {
        self.packed.len()
    }

    /// The entries in order, as slices of the packed buffer.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> + '_ {
        let mut reader = Reader::new(&self.packed);
        iter::from_fn(move || entry(&mut reader).ok())
    }

    pub(super) fn packed(&self) -> &Bytes {
        &self.packed
    }

    /// Takes packed bytes over if they hold exactly `count` entries.
    pub(super) fn unpack(packed: Bytes, count: usize) -> Parse<Self> {
        let mut reader = Reader::new(&packed);
        let mut left = count;
        while reader.left() > 0 {
            left = left.checked_sub(1).ok_or("a commit has more entries than it says")?;
            let length = reader.count()?;
            reader.take(length)?;
        }
        if left > 0 {
            return Err("a commit has fewer entries than it says");
        }
        Ok(Self { packed, count })
    }
}

fn entry(reader: &mut Reader<'_>) -> Parse<Bytes> {
    let length = reader.count()?;
    reader.share(length)
}

impl<T: AsRef<[u8]>> FromIterator<T> for Entries {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let (mut packed, mut count) = (Vec::new(), 0);
        for entry in entries {
            let entry = entry.as_ref();
            put_varint(&mut packed, entry.len() as u64);
            packed.extend_from_slice(entry);
            count += 1;
        }
        Self { packed: packed.into(), count }
    }
}
