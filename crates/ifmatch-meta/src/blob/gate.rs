//! Closing: what has begun ends, nothing else begins.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use ifmatch_core::Env;
use tokio::sync::watch;

use crate::error::{Error, Result};

/// Who is inside, and whether anybody may still come in.
#[derive(Debug)]
pub(super) struct Gate(watch::Sender<Inside>);

#[derive(Clone, Copy, Debug, Default)]
struct Inside {
    calls: usize,
    closed: bool,
}

/// A call that is inside.
pub(super) struct Pass<'a>(&'a Gate);

impl Gate {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Inside::default()))
    }

    /// A call comes in.
    pub(super) fn enter(&self, what: impl FnOnce() -> Arc<str>) -> Result<Pass<'_>> {
        let mut closed = false;
        self.0.send_if_modified(|inside| {
            closed = inside.closed;
            inside.calls += usize::from(!closed);
            false
        });
        if closed { Err(Error::closed(what())) } else { Ok(Pass(self)) }
    }

    /// Nobody comes in any more. Waits for those inside, but not for ever: a call
    /// may be one that nobody polls.
    pub(super) async fn close(&self, env: &Env, at_most: Duration) {
        self.0.send_modify(|inside| inside.closed = true);
        let mut inside = self.0.subscribe();
        let left = std::pin::pin!(inside.wait_for(|inside| inside.calls == 0));
        let late = std::pin::pin!(env.sleep(at_most));
        match select(left, late).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.0.send_if_modified(|inside| {
            inside.calls -= 1;
            inside.closed && inside.calls == 0
        });
    }
}
