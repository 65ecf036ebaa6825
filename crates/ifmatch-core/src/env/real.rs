//! The one place that reads the host's clocks and randomness.
#![allow(clippy::disallowed_methods)] // This is the implementation behind the seam.

use std::time::{Duration, Instant, SystemTime};

use super::{Background, BoxFuture, Environment};
use crate::timestamp::Timestamp;

#[derive(Debug)]
pub(super) struct Real {
    start: Instant,
}

impl Default for Real {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Environment for Real {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall_clock(&self) -> Timestamp {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(tokio::time::sleep(duration))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        #[allow(clippy::expect_used)] // Without randomness no write id is unique: better to stop.
        getrandom::fill(bytes).expect("the system's random source answers");
    }

    fn spawn(&self, _name: &'static str, task: BoxFuture) -> Background {
        Background::new(tokio::spawn(task))
    }
}
