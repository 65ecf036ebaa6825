//! Who else commits, and what a winner owes them.
//!
//! The winner of a race holds the new token without a request and would win
//! again and again: so it waits long enough for the others to read and write.
//! Only writers that were seen to commit between its own attempts, a short while
//! ago, count: the dead never take part.
//!
//! Who always wins sees nobody: those who lose to it leave no trace. So a writer
//! that commits without a pause leaves a gap now and then, in which a loser can
//! win once and is known from then on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::WriterId;

/// How many round trips a rival is remembered.
const MEMORY: u32 = 20;
/// Most round trips that a winner waits.
const MOST: u32 = 8;
/// Commits without a pause before a gap: it costs a writer that is alone one
/// commit in 26.
const RUN: u32 = 50;
/// A read and a write, in round trips.
const GAP: u32 = 2;

#[derive(Debug, Default)]
pub(crate) struct Rivals {
    seen: BTreeMap<WriterId, Duration>,
    /// Commits without a pause, and when the last was.
    run: u32,
    last: Duration,
}

impl Rivals {
    /// Another writer's commit was met.
    pub(crate) fn met(&mut self, writer: WriterId, now: Duration, round_trip: Duration) {
        self.count(now, round_trip);
        self.seen.insert(writer, now);
    }

    /// How long a winner waits before its next commit: long enough for one of
    /// the others to hear of its loss, to read, and to write.
    pub(crate) fn yields(&mut self, now: Duration, round_trip: Duration) -> Duration {
        let idle = now.saturating_sub(self.last) > round_trip * GAP;
        self.run = if idle { 1 } else { self.run + 1 };
        self.last = now;
        let rivals = self.count(now, round_trip);
        if rivals > 0 {
            return round_trip * (rivals + 1).min(MOST);
        }
        if self.run < RUN {
            return Duration::ZERO;
        }
        self.run = 0;
        round_trip * GAP
    }

    /// How long a loser waits at most before it looks who won: the more races it
    /// has lost, the shorter, so that who waits longest comes first.
    pub(crate) fn passes(&mut self, now: Duration, round_trip: Duration, losses: u32) -> Duration {
        let rivals = self.count(now, round_trip).min(MOST);
        round_trip * rivals.saturating_sub(losses).max(1) / 2
    }

    /// How many there are; forgets the others.
    fn count(&mut self, now: Duration, round_trip: Duration) -> u32 {
        self.seen.retain(|_, seen| now.saturating_sub(*seen) <= round_trip * MEMORY);
        u32::try_from(self.seen.len()).unwrap_or(u32::MAX)
    }
}
