//! The order of newest states, written at its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::partition::{At, Grave, Record};
use crate::key::DocKey;

/// So many stale entries are never worth a sweep.
const FEW: usize = 64;

/// The newest state of each document that is there or was deleted, in the order
/// in which they were written.
///
/// An older state is blanked where it stands when a newer one is appended.
/// Blanks at either end are dropped at once, those in between when they are more
/// than half of all and more than a few: so an append costs no more than a few
/// steps for each entry, and a reader passes no more blanks than there are
/// states in the log.
#[derive(Debug, Default)]
pub(super) struct Log<const WHICH: usize> {
    entries: VecDeque<(At, Option<Placed>)>,
    blanks: usize,
    /// The number of the first entry; those after it follow.
    first: usize,
}

/// The log of a partition.
pub(super) type PartitionLog = Log<0>;
/// The log of all of them.
pub(super) type StoreLog = Log<1>;

/// Which entry of each log a state is, so that nobody has to search. Written
/// under the lock only, and only a hint: the entry says itself whether it is
/// the one.
#[derive(Debug, Default)]
pub(super) struct Hints([AtomicUsize; 2]);

/// A state in a log.
#[derive(Clone, Debug)]
pub(super) enum Placed {
    /// The document was written.
    Written(Arc<Record>),
    /// It was deleted.
    Deleted(Arc<Grave>),
}

impl Placed {
    fn hints(&self) -> &Hints {
        match self {
            Self::Written(record) => &record.hints,
            Self::Deleted(grave) => &grave.hints,
        }
    }

    /// Whose state it is.
    pub(super) fn key(&self) -> &DocKey {
        match self {
            Self::Written(record) => &record.document.key,
            Self::Deleted(grave) => &grave.tombstone.key,
        }
    }
}

impl<const WHICH: usize> Log<WHICH> {
    /// Appends a state; its place is after all others.
    pub(super) fn push(&mut self, at: At, placed: Placed) {
        debug_assert!(self.entries.back().is_none_or(|(last, _)| *last < at));
        let number = self.first.wrapping_add(self.entries.len());
        placed.hints().0[WHICH].store(number, Relaxed);
        self.entries.push_back((at, Some(placed)));
    }

    /// Blanks a state that is the newest of its document no longer.
    pub(super) fn remove(&mut self, at: At, hints: &Hints) {
        let entry = self.find(at, hints).and_then(|index| self.entries.get_mut(index));
        if entry.is_some_and(|(_, placed)| placed.take().is_some()) {
            self.blanks += 1;
            self.tidy();
        }
    }

    /// The states after a place, in order.
    pub(super) fn after(&self, at: At) -> impl Iterator<Item = (At, &Placed)> {
        let first = self.entries.partition_point(|(entry, _)| *entry <= at);
        let entries = self.entries.range(first..);
        entries.filter_map(|(at, placed)| placed.as_ref().map(|placed| (*at, placed)))
    }

    fn find(&self, at: At, hints: &Hints) -> Option<usize> {
        let hint = hints.0[WHICH].load(Relaxed).wrapping_sub(self.first);
        if self.entries.get(hint).is_some_and(|(entry, _)| *entry == at) {
            return Some(hint);
        }
        self.entries.binary_search_by_key(&at, |(entry, _)| *entry).ok()
    }

    fn tidy(&mut self) {
        while self.entries.pop_front_if(|(_, placed)| placed.is_none()).is_some() {
            self.blanks -= 1;
            self.first = self.first.wrapping_add(1);
        }
        while self.entries.pop_back_if(|(_, placed)| placed.is_none()).is_some() {
            self.blanks -= 1;
        }
        if self.blanks > FEW && self.blanks * 2 > self.entries.len() {
            self.entries.retain(|(_, placed)| placed.is_some());
            self.blanks = 0;
            for (index, (_, placed)) in self.entries.iter().enumerate() {
                if let Some(placed) = placed {
                    placed.hints().0[WHICH].store(self.first.wrapping_add(index), Relaxed);
                }
            }
            if self.entries.capacity() / 4 > self.entries.len() {
                self.entries.shrink_to(self.entries.len() * 2);
            }
        }
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
