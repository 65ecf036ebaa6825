//! Hints that something changed: one connection that listens, for everybody who
//! waits.

use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{Either, select};
use ifmatch_core::Background;
use ifmatch_meta::Partition;
use sqlx::Row as _;
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::client::Client;

/// Notices kept for those who wait; who is slower than that is woken all the
/// same.
const KEPT: usize = 64;

/// The connection that listens, once somebody has waited.
#[derive(Default)]
pub(super) struct Notices {
    task: Mutex<Option<Task>>,
}

struct Task {
    sender: Sender<i64>,
    background: Background,
}

/// Somebody who waits.
pub(super) struct Waiter {
    notices: Receiver<i64>,
    /// The lock of the partition that is waited for; `None` is any.
    of: Option<i64>,
}

impl Notices {
    /// Begins to listen, unless it does already.
    pub(super) async fn waiter(
        &self,
        client: &Client,
        store: u128,
        partition: Option<&Partition>,
    ) -> Option<Waiter> {
        let of = match partition {
            Some(partition) => Some(lock_of(client, partition).await?),
            None => None,
        };
        Some(Waiter { notices: self.subscribe(client, store)?, of })
    }

    fn subscribe(&self, client: &Client, store: u128) -> Option<Receiver<i64>> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if client.is_closed() {
            return None;
        }
        if let Some(running) = task.as_ref().filter(|task| !task.background.is_finished()) {
            return Some(running.sender.subscribe());
        }
        let (sender, receiver) = channel(KEPT);
        let pool = client.listening_pool();
        let channel = format!("ifmatch_{store:032x}");
        let listening = listen(pool, channel, sender.clone()).map(drop);
        let background = client.env.spawn("ifmatch-notices", listening);
        *task = Some(Task { sender, background });
        Some(receiver)
    }

    /// Stops listening.
    pub(super) fn close(&self) {
        self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Hands notices on until the connection cannot be had any more.
async fn listen(pool: PgPool, channel: String, sender: Sender<i64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(&channel).await?;
    loop {
        // Lost notices are lost: whoever waits looks again by itself.
        let notice = listener.recv().await?;
        let _ = sender.send(notice.payload().parse().unwrap_or_default());
    }
}

/// What notices call a partition.
async fn lock_of(client: &Client, partition: &Partition) -> Option<i64> {
    let sql = "SELECT schema.lock_of($1) AS lock";
    let rows = client.read(|| client.schema.statement(sql).bind(partition.as_str())).await.ok()?;
    rows.first()?.try_get("lock").ok()
}

/// Lets writers know for a while that somebody listens.
pub(super) async fn announce(client: &Client) {
    let sql = "UPDATE schema.store SET listened_until = clock_timestamp() + interval '2 minutes'
        WHERE listened_until < clock_timestamp() + interval '1 minute'";
    // Without it there are no notices; nothing else is lost.
    let _ = client.read(|| client.schema.statement(sql)).await;
}

impl Waiter {
    /// Until a notice comes that may be about what is waited for, or there will
    /// be none: then for ever.
    pub(super) async fn notice(mut self) {
        loop {
            match self.notices.recv().await {
                Ok(lock) if self.of.is_none_or(|of| of == lock) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

/// Whichever ends first.
pub(super) async fn either(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    match select(Box::pin(a), Box::pin(b)).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}
