//! Strong reads: the newest commit at some moment after the call began.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ifmatch_core::Retry;
use tokio::sync::{Notify, oneshot};

use crate::error::Result;
use crate::journal::backoff::Backoff;
use crate::journal::engine::{Engine, Seen};
use crate::journal::options::Freshness;
use crate::journal::read::session::{Base, Moment};
use crate::machine::Machine;
use crate::zoo::{Bug, planted};

type Caller<S> = oneshot::Sender<Result<Arc<Base<S>>>>;

/// Looks at the store that callers share: whoever comes while one is under way
/// waits for the next, and all who wait share it.
///
/// A task of its own looks, so that a caller whose future nobody polls any more
/// holds up nobody else.
pub(crate) struct Looks<S> {
    waiting: Mutex<Vec<Caller<S>>>,
    asked: Notify,
}

impl<S> Looks<S> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::new(Vec::new()), asked: Notify::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Caller<S>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for whoever asks, for as long as it is polled.
pub(crate) async fn run<M: Machine>(engine: Arc<Engine<M>>) {
    loop {
        engine.looks.asked.notified().await;
        let mut callers = std::mem::take(&mut *engine.looks.waiting());
        callers.retain(|caller| !caller.is_closed());
        if callers.is_empty() {
            continue;
        }
        let answer = engine.look_until_answered().await;
        if planted(Bug::SharedOldLook) {
            callers.append(&mut engine.looks.waiting());
        }
        for caller in callers {
            // An error says that the caller has left meanwhile.
            let _ = caller.send(answer.clone());
        }
    }
}

impl<M: Machine> Engine<M> {
    /// What is known, as fresh as wanted.
    pub(crate) async fn fresh(&self, freshness: Freshness) -> Result<Arc<Base<M::State>>> {
        match freshness {
            Freshness::Cached => Ok(self.session.base()),
            Freshness::MaxStaleness(most) if self.session.looked().age(&self.env) <= most => {
                Ok(self.session.base())
            }
            _ => self.newest().await,
        }
    }

    /// The newest commit at some moment after the call began.
    pub(crate) async fn newest(&self) -> Result<Arc<Base<M::State>>> {
        let (caller, answer) = oneshot::channel();
        self.looks.waiting().push(caller);
        self.looks.asked.notify_one();
        match answer.await {
            Ok(answer) => answer,
            // The task has ended with the last handle.
            Err(_) => self.look_until_answered().await,
        }
    }

    /// One look; retried until the policy gives up. An answer that cannot be
    /// adopted may be a stale one: it is read again, and becomes the error when
    /// it stays.
    pub(crate) async fn look_until_answered(&self) -> Result<Arc<Base<M::State>>> {
        let mut backoff = Backoff::start(&self.env, self.options.retry);
        loop {
            let looked = Moment::now(&self.env);
            let known = self.session.base();
            let error = match self.look(Some(&known.token)).await {
                Ok(Seen::Unchanged) => {
                    self.looked(looked);
                    return Ok(self.session.base());
                }
                Ok(Seen::Absent) => self.gone(),
                Ok(Seen::Found(found)) => match self.adopt(*found, known.head.seq).await {
                    Ok(base) => {
                        self.looked(looked);
                        return Ok(base);
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            if error.retry() == Retry::Never && matches!(error.kind(), "denied" | "unsupported") {
                return Err(error);
            }
            backoff.pause_after(error).await?;
        }
    }

    /// The store was asked, and what is known was the newest.
    fn looked(&self, before: Moment) {
        let looked = if planted(Bug::StaleFromAnswer) { Moment::now(&self.env) } else { before };
        self.session.confirm(looked, &self.env);
        self.notes().trouble = None;
    }
}
