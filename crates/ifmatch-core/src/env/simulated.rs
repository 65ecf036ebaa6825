//! A seeded environment on tokio's paused clock.
#![allow(clippy::disallowed_methods)] // This is an implementation behind the seam.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Background, BoxFuture, Env, Environment};
use crate::timestamp::Timestamp;

/// A seeded environment: random numbers from the seed, time from tokio's clock
/// (start the runtime paused, then time moves only when everybody waits).
///
/// ```
/// use ifmatch_core::Simulation;
/// let (one, two) = (Simulation::seeded(7).env(), Simulation::seeded(7).env());
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// assert_eq!(one.random_u64(), two.random_u64());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Simulation {
    random: Mutex<fastrand::Rng>,
    start: std::sync::OnceLock<Instant>,
    wall_start: AtomicI64,
}

impl Simulation {
    /// A new simulated environment.
    pub fn seeded(seed: u64) -> Self {
        Self {
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            start: std::sync::OnceLock::new(),
            wall_start: AtomicI64::new(1_767_225_600_000_000), // 2026-01-01
        }
    }

    /// Moves this environment's wall clock, as a bad clock does.
    pub fn jump_wall_clock(&self, micros: i64) {
        self.wall_start.fetch_add(micros, Ordering::Relaxed);
    }

    /// The handle that stores and engines take.
    pub fn env(self) -> Env {
        Env::new(self)
    }
}

impl Environment for Simulation {
    fn now(&self) -> Duration {
        self.start.get_or_init(Instant::now).elapsed()
    }

    fn wall_clock(&self) -> Timestamp {
        Timestamp::from_micros(self.wall_start.load(Ordering::Relaxed)).plus(self.now())
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(tokio::time::sleep(duration))
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }

    fn spawn(&self, _name: &'static str, task: BoxFuture) -> Background {
        Background::new(tokio::spawn(task))
    }
}
