//! The events of a history in order, from which calls are taken out and put
//! back in constant time.

use super::super::Moment;
use super::super::moment::{Phase, events};

/// A doubly linked list over the events: 0 is before the first, `end` after
/// the last.
pub(super) struct Events {
    next: Vec<usize>,
    previous: Vec<usize>,
    what: Vec<Option<(Phase, usize)>>,
    /// Where each call begins, and where it returns.
    places: Vec<(usize, Option<usize>)>,
}

impl Events {
    pub(super) fn new(calls: impl ExactSizeIterator<Item = (Moment, Option<Moment>)>) -> Self {
        let mut places = vec![(0, None); calls.len()];
        let mut what = vec![None];
        for (place, (_, phase, call)) in (1..).zip(events(calls)) {
            what.push(Some((phase, call)));
            match phase {
                Phase::Invoked => places[call].0 = place,
                Phase::Returned => places[call].1 = Some(place),
            }
        }
        what.push(None);
        let next = (1..=what.len()).collect();
        let previous = (0..what.len()).map(|place| place.saturating_sub(1)).collect();
        Self { next, previous, what, places }
    }

    /// The first event that is left.
    pub(super) fn first(&self) -> usize {
        self.next[0]
    }

    pub(super) fn after(&self, place: usize) -> usize {
        self.next[place]
    }

    /// What happens at `place`; `None` at the end.
    pub(super) fn at(&self, place: usize) -> Option<(Phase, usize)> {
        self.what[place]
    }

    /// Where `call` begins.
    pub(super) fn place(&self, call: usize) -> usize {
        self.places[call].0
    }

    /// Takes both events of `call` out.
    pub(super) fn take(&mut self, call: usize) {
        let (invoked, returned) = self.places[call];
        self.unlink(invoked);
        if let Some(returned) = returned {
            self.unlink(returned);
        }
    }

    /// Puts the events of the call taken out last back.
    pub(super) fn put_back(&mut self, call: usize) {
        let (invoked, returned) = self.places[call];
        if let Some(returned) = returned {
            self.relink(returned);
        }
        self.relink(invoked);
    }

    fn unlink(&mut self, place: usize) {
        let (previous, next) = (self.previous[place], self.next[place]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn relink(&mut self, place: usize) {
        let (previous, next) = (self.previous[place], self.next[place]);
        self.next[previous] = place;
        self.previous[next] = place;
    }
}
