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
