//! How old commits are, by the store's clock.

use std::time::Duration;

use ifmatch_core::Timestamp;
use rpds::RedBlackTreeMapSync as Map;

/// Deletions, records of changes and ends of transactions are remembered at
/// least this long ...
const LEAST: Duration = Duration::from_hours(7 * 24);
/// ... and over at least this many commits.
const COMMITS: u64 = 1_000;
/// So far apart are the commits whose time is kept.
const STEP: Duration = Duration::from_mins(80);

/// Some commits, and when the store made them; every commit before is older.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Clock(Map<u64, Timestamp>);

impl Clock {
    /// The commit `seq` was made at `time`.
    pub(super) fn learn(&mut self, seq: u64, time: Timestamp) {
        let last = self.0.last();
        if last.is_none_or(|(at, last)| seq > *at && time.since(*last) >= STEP) {
            self.0.insert_mut(seq, time);
        }
    }

    /// The newest commit that need not be remembered when `seq` is the newest.
    pub(super) fn floor(&mut self, seq: u64) -> Option<u64> {
        let (_, now) = self.0.last()?;
        let now = *now;
        let old = |at: u64, time: Timestamp| now.since(time) >= LEAST && at + COMMITS <= seq;
        let mut floor = None;
        while let Some((at, time)) = self.0.first().map(|(at, time)| (*at, *time)) {
            if !old(at, time) {
                break;
            }
            floor = Some(at);
            self.0.remove_mut(&at);
        }
        floor
    }

    pub(super) fn times(&self) -> impl Iterator<Item = (u64, Timestamp)> {
        self.0.iter().map(|(seq, time)| (*seq, *time))
    }

    pub(super) fn len(&self) -> usize {
        self.0.size()
    }

    /// The clock that knows these times.
    pub(super) fn of(times: impl IntoIterator<Item = (u64, Timestamp)>) -> Self {
        Self(times.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_micros(0).plus(Duration::from_hours(hours))
    }

    #[test]
    fn a_floor_is_old_in_time_and_in_commits() {
        let mut clock = Clock::default();
        clock.learn(1, at(0));
        clock.learn(2, at(1)); // Too near the one before.
        clock.learn(10, at(24));
        clock.learn(20, at(7 * 24));
        assert_eq!(clock.floor(1_000), None);
        assert_eq!(clock.floor(1_001), Some(1));
        assert_eq!(clock.floor(5_000), None);
        clock.learn(15, at(9 * 24)); // Behind what is known.
        clock.learn(1_100, at(8 * 24));
        assert_eq!(clock.floor(1_009), None);
        assert_eq!(clock.floor(1_010), Some(10));
        assert_eq!(clock.times().collect::<Vec<_>>(), [(20, at(7 * 24)), (1_100, at(8 * 24))]);
    }
}
