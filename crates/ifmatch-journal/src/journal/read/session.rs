//! What a handle knows of its journal. It never goes back.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::{Env, Timestamp};

use crate::head::Head;
use crate::journal::options::Seen;
use crate::register::Token;

/// A head and the state that belongs to it.
pub(crate) struct Base<S> {
    pub(crate) head: Head,
    /// The head's own bytes.
    pub(crate) bytes: Bytes,
    /// What the next swap needs.
    pub(crate) token: Token,
    pub(crate) state: S,
    /// When the head was written, by the store's clock.
    pub(crate) written: Option<Timestamp>,
}

impl<S> Base<S> {
    pub(crate) fn seen(&self) -> Seen {
        Seen { commit: self.head.commit(), fork: self.head.fork }
    }
}

impl<S> Base<S> {
    /// The same head with another state: a planted bug.
    pub(crate) fn with_state(&self, state: S) -> Self {
        let (head, bytes, token) = (self.head.clone(), self.bytes.clone(), self.token.clone());
        Self { head, bytes, token, state, written: self.written }
    }
}

impl<S> fmt::Debug for Base<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base({})", self.head.commit())
    }
}

/// A moment on two clocks: the monotonic one may stand still while the machine
/// is suspended, the wall clock may jump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    monotonic: Duration,
    wall: Timestamp,
}

impl Moment {
    pub(crate) fn now(env: &Env) -> Self {
        Self { monotonic: env.now(), wall: env.wall_clock() }
    }

    /// How long ago it was, by the clock that says longer.
    pub(crate) fn age(self, env: &Env) -> Duration {
        let now = Self::now(env);
        let monotonic = now.monotonic.saturating_sub(self.monotonic);
        monotonic.max(now.wall.since(self.wall))
    }
}

#[derive(Debug)]
pub(crate) struct Session<S>(Mutex<Known<S>>);

#[derive(Debug)]
struct Known<S> {
    base: Arc<Base<S>>,
    /// Before the last request that showed the base to be the newest.
    looked: Moment,
}

impl<S> Session<S> {
    pub(crate) fn new(base: Base<S>, looked: Moment) -> Self {
        Self(Mutex::new(Known { base: Arc::new(base), looked }))
    }

    pub(crate) fn base(&self) -> Arc<Base<S>> {
        Arc::clone(&self.known().base)
    }

    /// Where a session begins, once its state is loaded.
    pub(crate) fn begin(&self, base: Base<S>) {
        self.known().base = Arc::new(base);
    }

    /// When the store was last looked at.
    pub(crate) fn looked(&self) -> Moment {
        self.known().looked
    }

    /// The base was the newest at some moment after `looked`.
    pub(crate) fn confirm(&self, looked: Moment, env: &Env) {
        let mut known = self.known();
        if looked.age(env) < known.looked.age(env) {
            known.looked = looked;
        }
    }

    /// Moves on from `from` to `to`, if nobody has gone further meanwhile. Gives
    /// back what is known afterwards, and whether that is `to`.
    pub(crate) fn advance(&self, from: &Arc<Base<S>>, to: Base<S>) -> (Arc<Base<S>>, bool) {
        let mut known = self.known();
        let moved = known.base.head.commit() == from.head.commit();
        if moved {
            known.base = Arc::new(to);
        }
        (Arc::clone(&known.base), moved)
    }

    fn known(&self) -> MutexGuard<'_, Known<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
