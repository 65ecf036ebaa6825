//! The seam for everything nondeterministic: clocks, sleep, randomness, tasks.
//!
//! A seed then reproduces a run. Nothing outside this module reads a clock,
//! sleeps or draws a random number.

mod real;
mod simulated;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use simulated::Simulation;

use crate::timestamp::Timestamp;

/// A future in a box.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// What an environment provides. Most code holds an [`Env`].
pub trait Environment: fmt::Debug + Send + Sync + 'static {
    /// Time since an arbitrary start; never goes back.
    fn now(&self) -> Duration;
    /// The host's wall clock. Informational only.
    fn wall_clock(&self) -> Timestamp;
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture;
    /// Fills `bytes` with random bits.
    fn fill_random(&self, bytes: &mut [u8]);
    /// Runs `task` in the background; `name` stands in traces. The task is
    /// dropped at its next await after the handle is dropped.
    fn spawn(&self, name: &'static str, task: BoxFuture) -> Background;
}

impl<E: Environment> Environment for Arc<E> {
    fn now(&self) -> Duration {
        (**self).now()
    }
    fn wall_clock(&self) -> Timestamp {
        (**self).wall_clock()
    }
    fn sleep(&self, duration: Duration) -> BoxFuture {
        (**self).sleep(duration)
    }
    fn fill_random(&self, bytes: &mut [u8]) {
        (**self).fill_random(bytes);
    }
    fn spawn(&self, name: &'static str, task: BoxFuture) -> Background {
        (**self).spawn(name, task)
    }
}

/// A background task; dropping it ends the task at its next await.
#[derive(Debug)]
pub struct Background(tokio::task::JoinHandle<()>);

impl Background {
    /// A handle on a tokio task.
    pub fn new(handle: tokio::task::JoinHandle<()>) -> Self {
        Self(handle)
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until the task has ended by itself.
    pub async fn finished(mut self) {
        // An error says that the task panicked or was cancelled: it has ended.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The environment of a store or engine: cheap to clone, passed in at
/// construction.
#[derive(Clone, Debug)]
pub struct Env(Arc<dyn Environment>);

impl Env {
    /// The real one: the host's clocks, tokio's timer, the system's randomness.
    pub fn real() -> Self {
        Self(Arc::new(real::Real::default()))
    }

    /// Your own.
    pub fn new(environment: impl Environment) -> Self {
        Self(Arc::new(environment))
    }

    /// Time since an arbitrary start; never goes back.
    pub fn now(&self) -> Duration {
        self.0.now()
    }

    /// The host's wall clock. Informational only.
    pub fn wall_clock(&self) -> Timestamp {
        self.0.wall_clock()
    }

    /// Completes after `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }

    /// Fills `bytes` with random bits.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.0.fill_random(bytes);
    }

    /// 64 random bits.
    pub fn random_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A random duration in `0..limit`.
    pub fn jitter(&self, limit: Duration) -> Duration {
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(if nanos == 0 { 0 } else { self.random_u64() % nanos })
    }

    /// Runs `task` in the background.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Background {
        self.0.spawn(name, Box::pin(task))
    }
}

impl Default for Env {
    fn default() -> Self {
        Self::real()
    }
}
