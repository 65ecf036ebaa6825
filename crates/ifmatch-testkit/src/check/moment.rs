//! When something happened in a history.

use std::fmt;

/// A point of a history, by time and, where times are equal, by order.
///
/// One call precedes another only if it returned strictly before the other was
/// invoked: calls that touch at one moment count as concurrent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Moment {
    /// Virtual or monotonic time, in any unit.
    pub time: u64,
    /// Place in the order of all recorded events.
    pub order: u64,
}

impl Moment {
    /// The moment at `time`, recorded as number `order`.
    pub const fn new(time: u64, order: u64) -> Self {
        Self { time, order }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.time, self.order)
    }
}

/// The events of a list of calls, in order: each call's index, at its
/// invocation and at its return. At one moment invocations come first, which
/// makes calls that touch concurrent.
pub(super) fn events(
    calls: impl Iterator<Item = (Moment, Option<Moment>)>,
) -> Vec<(Moment, Phase, usize)> {
    let mut events = Vec::new();
    for (call, (invoked, returned)) in calls.enumerate() {
        events.push((invoked, Phase::Invoked, call));
        // A clock that ran backwards must not make a call end before it began.
        events.extend(returned.map(|at| (at.max(invoked), Phase::Returned, call)));
    }
    events.sort_unstable();
    events
}

/// Which end of a call an event is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Phase {
    Invoked,
    Returned,
}
