//! The order of newest states, written at its end.

use std::collections::VecDeque;
use std::sync::Arc;

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
pub(super) struct Log {
    entries: VecDeque<(At, Option<Placed>)>,
    blanks: usize,
}

/// A state in a log.
#[derive(Clone, Debug)]
pub(super) enum Placed {
    /// The document was written.
    Written(Arc<Record>),
    /// It was deleted.
    Deleted(Arc<Grave>),
}

impl Placed {
    /// Whose state it is.
    pub(super) fn key(&self) -> &DocKey {
        match self {
            Self::Written(record) => &record.document.key,
            Self::Deleted(grave) => &grave.tombstone.key,
        }
    }
}

impl Log {
    /// Appends a state; its place is after all others.
    pub(super) fn push(&mut self, at: At, placed: Placed) {
        debug_assert!(self.entries.back().is_none_or(|(last, _)| *last < at));
        self.entries.push_back((at, Some(placed)));
    }

    /// Blanks a state that is the newest of its document no longer.
    pub(super) fn remove(&mut self, at: At) {
        let entry = self.find(at).and_then(|index| self.entries.get_mut(index));
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

    fn find(&self, at: At) -> Option<usize> {
        // Documents that are written in turns are rewritten oldest first.
        if self.entries.front().is_some_and(|(first, _)| *first == at) {
            return Some(0);
        }
        self.entries.binary_search_by_key(&at, |(entry, _)| *entry).ok()
    }

    fn tidy(&mut self) {
        while self.entries.pop_front_if(|(_, placed)| placed.is_none()).is_some() {
            self.blanks -= 1;
        }
        while self.entries.pop_back_if(|(_, placed)| placed.is_none()).is_some() {
            self.blanks -= 1;
        }
        if self.blanks > FEW && self.blanks * 2 > self.entries.len() {
            self.entries.retain(|(_, placed)| placed.is_some());
            self.blanks = 0;
            if self.entries.capacity() / 4 > self.entries.len() {
                self.entries.shrink_to(self.entries.len() * 2);
            }
        }
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
