//! Cutting a state into parts that stay the same.

use bytes::Bytes;

/// No part but the last is smaller.
const LEAST: usize = 768 << 10;
/// No part is larger, but for one record.
const MOST: usize = 4 << 20;
/// One key in this many ends a part, once it is large enough.
const ODDS: u64 = 64;

/// Cuts records, in the order of their keys, into parts of a checkpoint.
///
/// Where a part ends is told by the keys alone, so an insertion or a change
/// touches the part it lies in, and hardly ever the next: everything else keeps
/// its bytes and is not written again.
#[derive(Debug)]
pub struct Cut<I> {
    records: I,
}

impl<I: Iterator<Item = (Bytes, Vec<u8>)>> Cut<I> {
    /// Cuts records: the key that tells where to cut, and the bytes to keep.
    pub const fn new(records: I) -> Self {
        Self { records }
    }
}

impl<I: Iterator<Item = (Bytes, Vec<u8>)>> Iterator for Cut<I> {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut part = Vec::new();
        for (key, record) in self.records.by_ref() {
            part.extend_from_slice(&record);
            let ends = || {
                let hash = blake3::hash(&key);
                hash.as_bytes()
                    .first_chunk()
                    .is_some_and(|bits| u64::from_le_bytes(*bits) % ODDS == 0)
            };
            if part.len() >= MOST || part.len() >= LEAST && ends() {
                break;
            }
        }
        (!part.is_empty()).then(|| part.into())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn parts(records: &BTreeMap<u32, Vec<u8>>) -> Vec<Bytes> {
        let keyed = records
            .iter()
            .map(|(key, record)| (Bytes::copy_from_slice(&key.to_be_bytes()), record.clone()));
        Cut::new(keyed).collect()
    }

    #[test]
    fn an_insertion_leaves_most_parts_as_they_were() {
        let mut records: BTreeMap<u32, Vec<u8>> =
            (0..40_000).map(|key| (key * 2, vec![7; 300])).collect();
        let before = parts(&records);
        assert!(before.len() > 8, "{} parts", before.len());
        assert_eq!(before.concat().len(), 40_000 * 300);
        records.insert(20_001, vec![8; 300]);
        let after = parts(&records);
        let new = after.iter().filter(|part| !before.contains(part)).count();
        assert!(new <= 2, "{new} of {} parts changed", after.len());
    }

    #[test]
    fn nothing_has_no_parts_and_a_huge_record_is_one() {
        assert!(parts(&BTreeMap::new()).is_empty());
        let huge = BTreeMap::from([(1, vec![0; 9 << 20]), (2, vec![0; 1])]);
        assert_eq!(parts(&huge).len(), 2);
    }
}
