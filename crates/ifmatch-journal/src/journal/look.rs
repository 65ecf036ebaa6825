//! Strong reads: the newest commit at some moment after the call began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::backoff::Backoff;
use super::engine::{Engine, Seen};
use super::options::Freshness;
use super::session::{Base, Moment};
use crate::error::Result;
use crate::machine::Machine;
use crate::zoo::{Bug, planted};
use ifmatch_core::Retry;

/// Looks at the store that callers share: whoever comes while one is under way
/// waits for the next, and all who wait share it.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    begun: AtomicU64,
    /// The number of the last look that ended well.
    done: tokio::sync::Mutex<u64>,
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
        let before = self.looks.begun.load(Ordering::SeqCst);
        let under_way = self.looks.done.try_lock().is_err();
        let mut done = self.looks.done.lock().await;
        let shared = planted(Bug::SharedOldLook) && under_way && *done == before;
        if *done > before || shared {
            return Ok(self.session.base());
        }
        let number = self.looks.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let base = self.look_until_answered().await?;
        *done = number;
        Ok(base)
    }

    /// One look; retried until the policy gives up. An answer that cannot be
    /// adopted may be a stale one: it is read again, and becomes the error when
    /// it stays.
    async fn look_until_answered(&self) -> Result<Arc<Base<M::State>>> {
        let mut backoff = Backoff::start(&self.env, self.options.retry);
        loop {
            let looked = Moment::now(&self.env);
            let base = self.session.base();
            let error = match self.look(Some(&base.token)).await {
                Ok(Seen::Unchanged) => {
                    self.looked(looked);
                    return Ok(self.session.base());
                }
                Ok(Seen::Absent) => self.gone(),
                Ok(Seen::Found(found)) => match self.adopt(*found).await {
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
