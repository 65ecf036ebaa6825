//! How far a transaction has come, and whose turn it is.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::MutexGuard;

use super::amount::Amount;
use super::{Committed, Inner};
use crate::error::{Error, Result};
use crate::transaction::TxCommit;
use crate::transaction::overlay::Overlay;

/// Stands for the time of the last operation while one is under way.
pub(super) const IN_OPERATION: u64 = u64::MAX;

/// What is said of a transaction that was idle for too long.
pub(super) const IDLE: &str = "it was idle for too long";
/// Why a transaction is over that lived too long.
pub(super) const LIFE: &str = "it lived longer than its lifetime";

/// What a handle knows of its transaction.
#[derive(Debug)]
pub(super) struct State {
    pub(super) overlay: Overlay,
    /// How many pieces are staged, as far as this handle knows.
    pub(super) staged: u64,
    /// What those pieces hold.
    pub(super) amount: Amount,
    /// A piece that may be staged or not: its answer was lost.
    pub(super) doubtful: Option<Piece>,
    /// The version of the overlay that is staged; `None`: this handle began it
    /// and has never detached.
    pub(super) detached: Option<u64>,
    pub(super) phase: Phase,
}

/// A piece under way, as number [`State::staged`].
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    pub(super) amount: Amount,
    /// The version of the overlay that it brings the store to.
    pub(super) version: u64,
}

#[derive(Debug)]
pub(super) enum Phase {
    Open,
    /// A commit was sent and its answer is not known, so nothing may be added to
    /// it; `None` is that of a transaction without writes.
    Deciding(Option<TxCommit>),
    Committed(Committed),
    Aborted,
    /// Another handle went on with it.
    Overtaken,
    Expired(&'static str),
}

impl State {
    pub(super) fn new(phase: Phase) -> Self {
        let (overlay, amount) = (Overlay::default(), Amount::default());
        Self { overlay, staged: 0, amount, doubtful: None, detached: None, phase }
    }

    /// Notes that all of it is in the store, and that others may go on with it.
    pub(super) fn leave(&mut self) {
        self.detached = Some(self.overlay.version());
    }

    /// Whether nobody else goes on with it: it was begun here, and never left for
    /// another process.
    pub(super) fn is_ours_to_abort(&self) -> bool {
        self.detached.is_none() && matches!(self.phase, Phase::Open | Phase::Expired(IDLE | LIFE))
    }
}

/// The only operation of the moment. Whatever ends it, a dropped future too,
/// makes room for the next.
pub(super) struct Turn<'a> {
    inner: &'a Inner,
    state: MutexGuard<'a, State>,
}

impl Deref for Turn<'_> {
    type Target = State;
    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.inner.last.store(nanos(self.inner.env().now()), Ordering::Relaxed);
    }
}

impl Inner {
    /// The state, without counting as an operation.
    pub(super) fn peek(&self) -> Result<MutexGuard<'_, State>> {
        self.state.try_lock().map_err(|_| self.busy("another request of it is under way"))
    }

    /// Begins an operation, in whatever phase; and why its life is over, where
    /// it is.
    pub(super) fn turn(&self) -> Result<(Turn<'_>, Option<&'static str>)> {
        let over = self.life_is_over();
        let state = self.peek()?;
        self.last.store(IN_OPERATION, Ordering::Relaxed);
        Ok((Turn { inner: self, state }, over))
    }

    /// Begins an operation of an open transaction.
    pub(super) fn open_turn(&self) -> Result<Turn<'_>> {
        let (mut turn, over) = self.turn()?;
        if let (Phase::Open, Some(over)) = (&turn.phase, over) {
            turn.phase = Phase::Expired(over);
        }
        self.check_open(&turn.phase)?;
        Ok(turn)
    }

    fn check_open(&self, phase: &Phase) -> Result<()> {
        Err(match phase {
            Phase::Open => return Ok(()),
            Phase::Deciding(_) => self.busy("the outcome of its commit is not known: commit again"),
            Phase::Committed(_) => {
                Error::closed(format!("transaction {}: it was committed", self.id))
            }
            phase => self.ended(phase),
        })
    }

    /// What is said of a transaction that is over for this handle.
    pub(super) fn ended(&self, phase: &Phase) -> Error {
        match phase {
            Phase::Overtaken => self.busy("another handle went on with it"),
            Phase::Committed(_) => self.expired("it was committed"),
            Phase::Aborted => self.expired("it was aborted"),
            Phase::Expired(what) => self.expired(what),
            Phase::Open | Phase::Deciding(_) => self.expired("it is over"),
        }
    }

    /// Why its life is over, by this host's clock.
    pub(super) fn life_is_over(&self) -> Option<&'static str> {
        let now = self.env().now();
        if now >= self.ends {
            return Some(LIFE);
        }
        self.idle_left(now).is_zero().then_some(IDLE)
    }

    /// How much longer it may be idle.
    pub(super) fn idle_left(&self, now: Duration) -> Duration {
        match self.last.load(Ordering::Relaxed) {
            IN_OPERATION => self.options.idle,
            last => (Duration::from_nanos(last) + self.options.idle).saturating_sub(now),
        }
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(IN_OPERATION - 1)
}
