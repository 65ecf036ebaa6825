//! The machine that a client runs on: its clocks, its randomness, and whether it
//! runs at all.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use ifmatch_core::{Background, BoxFuture, Env, Environment, Simulation, Timestamp};
use tokio::sync::Notify;

/// A host. While it is paused none of its sleeps and requests goes on.
#[derive(Debug)]
pub(in crate::sim) struct Host {
    base: Arc<Simulation>,
    paused: AtomicBool,
    resumed: Notify,
    clock: Mutex<Clock>,
    /// Tasks that panicked, here and on other hosts.
    panics: Arc<AtomicU64>,
}

/// The monotonic clock, which stands still while a host is suspended.
#[derive(Debug, Default)]
struct Clock {
    suspended_at: Option<Duration>,
    suspended_for: Duration,
}

impl Host {
    pub(in crate::sim) fn seeded(seed: u64, panics: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self {
            base: Arc::new(Simulation::seeded(seed)),
            paused: AtomicBool::new(false),
            resumed: Notify::new(),
            clock: Mutex::default(),
            panics,
        })
    }

    /// The environment of what runs here.
    pub(in crate::sim) fn env(self: &Arc<Self>) -> Env {
        Env::new(Here(Arc::clone(self)))
    }

    /// Stops everything here; the monotonic clock too, if it is `suspended`.
    pub(in crate::sim) fn pause(&self, suspended: bool) {
        self.paused.store(true, Ordering::Relaxed);
        if suspended {
            let now = self.base.now();
            self.clock().suspended_at.get_or_insert(now);
        }
    }

    pub(in crate::sim) fn resume(&self) {
        let now = self.base.now();
        let mut clock = self.clock();
        if let Some(since) = clock.suspended_at.take() {
            clock.suspended_for += now.saturating_sub(since);
        }
        drop(clock);
        self.paused.store(false, Ordering::Relaxed);
        self.resumed.notify_waiters();
    }

    /// Moves the wall clock.
    pub(in crate::sim) fn jump(&self, micros: i64) {
        self.base.jump_wall_clock(micros);
    }

    /// Goes on once the host runs.
    pub(in crate::sim) async fn running(&self) {
        loop {
            let resumed = self.resumed.notified();
            if !self.paused.load(Ordering::Relaxed) {
                return;
            }
            resumed.await;
        }
    }

    /// Waits, whether the host runs or not: the world outside.
    pub(in crate::sim) async fn outside(&self, time: Duration) {
        self.base.sleep(time).await;
    }

    fn now(&self) -> Duration {
        let now = self.base.now();
        let clock = self.clock();
        clock.suspended_at.map_or(now, |since| since.min(now)).saturating_sub(clock.suspended_for)
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct Here(Arc<Host>);

impl Environment for Here {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn wall_clock(&self) -> Timestamp {
        self.0.base.wall_clock()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            let until = host.now().saturating_add(duration);
            loop {
                let left = until.saturating_sub(host.now());
                if left.is_zero() {
                    break;
                }
                host.base.sleep(left).await;
                host.running().await;
            }
        })
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.0.base.fill_random(bytes);
    }

    fn spawn(&self, name: &'static str, task: BoxFuture) -> Background {
        let panics = Arc::clone(&self.0.panics);
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                panics.fetch_add(1, Ordering::Relaxed);
            }
        };
        self.0.base.spawn(name, Box::pin(watched))
    }
}
