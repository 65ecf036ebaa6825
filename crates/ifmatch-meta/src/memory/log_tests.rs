//! A log and the map that it stands for.

use std::collections::BTreeMap;
use std::time::Duration;

use ifmatch_core::{Simulation, Timestamp};

use super::*;
use crate::changes::Tombstone;
use crate::etag::ETag;

impl<const WHICH: usize> Log<WHICH> {
    /// Holds these states in this order, not many blanks beside them, and none at
    /// its ends.
    pub(in crate::memory) fn check(&self, states: &BTreeMap<At, Placed>) {
        assert!(self.entries.iter().map(|(at, _)| *at).is_sorted_by(|a, b| a < b));
        let same = |a: &Placed, b: &Placed| match (a, b) {
            (Placed::Written(a), Placed::Written(b)) => Arc::ptr_eq(a, b),
            (Placed::Deleted(a), Placed::Deleted(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        let all: Vec<_> =
            self.entries.iter().filter_map(|(at, placed)| Some((at, placed.as_ref()?))).collect();
        assert_eq!(all.len(), states.len());
        let mut pairs = all.iter().zip(states);
        assert!(pairs.all(|(ours, (at, state))| ours.0 == at && same(ours.1, state)));
        let hinted = |(index, (_, placed)): (usize, &(At, Option<Placed>))| {
            let number = |placed: &Placed| placed.hints().0[WHICH].load(Relaxed);
            placed.as_ref().is_none_or(|placed| number(placed) == self.first.wrapping_add(index))
        };
        assert!(self.entries.iter().enumerate().all(hinted), "somebody has to search");
        assert_eq!(self.blanks, self.entries.len() - all.len());
        assert!(self.blanks <= FEW.max(all.len()));
        let blank = |entry: Option<&(At, Option<Placed>)>| entry.is_some_and(|e| e.1.is_none());
        assert!(!blank(self.entries.front()) && !blank(self.entries.back()));
    }
}

fn at(position: u64) -> At {
    At { position, ordinal: 0 }
}

fn state(position: u64) -> Placed {
    let tombstone = Tombstone {
        key: DocKey::new("p", "a").unwrap(),
        deleted_etag: ETag::mint(1, &Simulation::seeded(1).env()),
        deleted_at: Timestamp::default(),
        deleted_by: None,
    };
    Placed::Deleted(Arc::new(Grave {
        tombstone,
        at: at(position),
        hints: Hints::default(),
        since: Duration::ZERO,
    }))
}

#[test]
fn a_log_is_a_map_in_the_order_of_writing() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut log, mut states) = (PartitionLog::default(), BTreeMap::new());
    for position in 1..20_000 {
        let placed = state(position);
        log.push(at(position), placed.clone());
        states.insert(at(position), placed);
        // Grows, stays, shrinks; the oldest, the newest, any.
        let gone = [0, 1, 1, 2][(position / 1_000 % 4) as usize];
        for _ in 0..gone {
            let index = match random.u8(0..4) {
                0 => 0,
                1 => states.len().saturating_sub(1),
                _ => random.usize(0..states.len().max(1)),
            };
            let Some(old) = states.keys().nth(index).copied() else { continue };
            let Some(gone) = states.remove(&old) else { continue };
            log.remove(old, gone.hints());
            log.remove(old, gone.hints());
        }
        if position % 97 == 0 {
            log.check(&states);
            let since = at(random.u64(0..position + 2));
            let after: Vec<_> = log.after(since).map(|(at, _)| at).collect();
            let expected = states.keys().copied().filter(|at| *at > since);
            assert_eq!(after, expected.collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_log_that_shrank_gives_its_memory_back() {
    let mut log = StoreLog::default();
    (1..=10_000).for_each(|position| log.push(at(position), state(position)));
    // Whatever the hint says.
    (2..10_000).for_each(|position| log.remove(at(position), &Hints::default()));
    assert!(log.entries.len() <= FEW + 2 && log.entries.capacity() <= 4 * FEW);
}
