//! Which version each key had from when to when.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ifmatch_journal::Position;

/// The versions of all keys, entry by entry.
#[derive(Debug, Default)]
pub(super) struct Versions(BTreeMap<Vec<u8>, Vec<(Position, Option<Position>)>>);

impl Versions {
    /// From this entry on the key has this version.
    pub(super) fn changed(&mut self, key: &[u8], at: Position, version: Option<Position>) {
        if let Some(changes) = self.0.get_mut(key) {
            changes.push((at, version));
        } else {
            self.0.insert(key.to_vec(), vec![(at, version)]);
        }
    }

    /// The first of these commits with a state, after it or within it, in which
    /// the key had this version.
    pub(super) fn first_with(
        &self,
        key: &[u8],
        version: Option<Position>,
        seqs: RangeInclusive<u64>,
    ) -> Option<u64> {
        let (first, last) = seqs.into_inner();
        let changes = self.0.get(key).map_or(&[][..], Vec::as_slice);
        let since = changes.iter().map(|(at, version)| (at.seq, *version));
        let spans = std::iter::once((0, None)).chain(since);
        let ends = changes.iter().map(|(at, _)| at.seq).chain([u64::MAX]);
        // A version that was replaced within its own commit was there as well.
        let mut spans = spans.zip(ends).filter(|((begins, there), ends)| {
            *there == version && *begins <= last && *ends > first
        });
        spans.next().map(|((begins, _), _)| begins.max(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seq: u64, ordinal: u32) -> Position {
        Position { seq, ordinal }
    }

    #[test]
    fn a_version_is_there_from_its_entry_until_the_next() {
        let mut versions = Versions::default();
        for (position, there) in [
            (at(3, 0), Some(at(3, 0))),
            (at(5, 0), Some(at(5, 0))),
            (at(5, 2), Some(at(5, 2))),
            (at(9, 1), None),
        ] {
            versions.changed(b"key", position, there);
        }
        let first = |version, seqs| versions.first_with(b"key", version, seqs);
        assert_eq!(first(Some(at(3, 0)), 1..=9), Some(3));
        assert_eq!(first(Some(at(3, 0)), 4..=4), Some(4));
        // Gone with the first entry of commit 5, which is no state after 5.
        assert_eq!(first(Some(at(3, 0)), 5..=9), None);
        // Within commit 5 only: a rejection of the same batch may tell of it.
        assert_eq!(first(Some(at(5, 0)), 4..=5), Some(5));
        assert_eq!(first(Some(at(5, 0)), 5..=6), None);
        assert_eq!(first(Some(at(5, 2)), 1..=4), None);
        assert_eq!(first(Some(at(5, 2)), 8..=8), Some(8));
        // Absent before the first entry, and after the last.
        assert_eq!(first(None, 0..=2), Some(0));
        assert_eq!(first(None, 3..=8), None);
        assert_eq!(first(None, 3..=9), Some(9));
        assert_eq!(versions.first_with(b"another", None, 7..=7), Some(7));
    }
}
