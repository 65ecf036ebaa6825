//! Connections that go from one call to the next.
//!
//! The pool asks the server for a sign of life whenever a connection comes back:
//! one more round trip for each call. A connection whose answer was read to its
//! end needs none. It is kept here for the next call, and goes through the pool
//! again, which ends what is idle or old, where others are used instead, or once it
//! was handed on for a while. Whoever finds none here waits for the pool, so those
//! that come free meanwhile go there. Whatever else becomes of a call, its connection goes
//! back to the pool.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use ifmatch_core::Env;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection as _, Postgres};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A connection that was idle for longer is tried before it is used.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// Nobody waits longer for its answer.
const PING: Duration = Duration::from_secs(2);
/// A connection that is handed on for longer is shown to the pool.
const LONG: Duration = Duration::from_mins(1);

/// The connections of a store, as many at once as its pool has.
pub(super) struct Connections {
    pool: PgPool,
    /// One for each connection that is in use. Those that are kept and those in
    /// use are together never more than the pool may have: it is asked only
    /// where none is kept.
    turns: Semaphore,
    kept: Mutex<Kept>,
    env: Env,
    /// How long a turn is waited for.
    patience: Duration,
}

#[derive(Default)]
struct Kept {
    /// The last one was used last.
    free: Vec<Free>,
    /// How many wait for the pool.
    asking: usize,
    closed: bool,
}

enum Next<'a> {
    Free(Free),
    None(Asking<'a>),
}

/// Somebody waits for the pool.
struct Asking<'a>(&'a Connections);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.kept().asking -= 1;
    }
}

/// A connection that may be dead. Dropped, also with the call that asks it, it
/// leaves the pool at once: on its way back it would be asked without a limit, and
/// hold its place until then.
struct Doubtful(Option<PoolConnection<Postgres>>);

impl Drop for Doubtful {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

struct Free {
    connection: PoolConnection<Postgres>,
    since: Duration,
    used: Duration,
}

/// A connection in use. Dropped, it goes back to the pool.
pub(super) struct InUse<'a> {
    connection: PoolConnection<Postgres>,
    since: Duration,
    of: &'a Connections,
    _turn: SemaphorePermit<'a>,
}

impl Connections {
    pub(super) fn new(pool: PgPool, most: u32, env: Env, patience: Duration) -> Self {
        let turns = Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS));
        Self { pool, turns, kept: Mutex::default(), env, patience }
    }

    pub(super) async fn acquire(&self) -> Result<InUse<'_>, sqlx::Error> {
        let turn = match self.turns.try_acquire() {
            Ok(turn) => turn,
            Err(_) => self.turn().await?,
        };
        let _asking = loop {
            let Free { connection, since, used } = match self.next() {
                Next::Free(free) => free,
                Next::None(asking) => break asking,
            };
            let mut doubtful = Doubtful(Some(connection));
            if self.env.now().saturating_sub(used) <= FRESH || self.answers(&mut doubtful).await {
                let Some(connection) = doubtful.0.take() else { continue };
                return Ok(InUse { connection, since, of: self, _turn: turn });
            }
            // What took this one away took those that were idle for longer, too.
            self.forget(used);
        };
        let connection = self.pool.acquire().await?;
        Ok(InUse { connection, since: self.env.now(), of: self, _turn: turn })
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, sqlx::Error> {
        let limit = Box::pin(self.env.sleep(self.patience));
        match select(Box::pin(self.turns.acquire()), limit).await {
            Either::Left((turn, _)) => turn.map_err(|_| sqlx::Error::PoolClosed),
            Either::Right(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// The connection that was used last. Where there is none the pool is to be
    /// asked: until that is over others give theirs to the pool.
    fn next(&self) -> Next<'_> {
        let mut kept = self.kept();
        if let Some(free) = kept.free.pop() {
            return Next::Free(free);
        }
        kept.asking += 1;
        Next::None(Asking(self))
    }

    /// Gives up the connections that were not used since.
    fn forget(&self, used: Duration) {
        let mut kept = self.kept();
        let (old, young) = kept.free.drain(..).partition(|free| free.used <= used);
        kept.free = young;
        drop(kept);
        let old: Vec<Free> = old;
        for free in old {
            drop(Doubtful(Some(free.connection)));
        }
    }

    async fn answers(&self, connection: &mut Doubtful) -> bool {
        let Some(connection) = &mut connection.0 else { return false };
        let limit = Box::pin(self.env.sleep(self.patience.min(PING)));
        matches!(select(Box::pin(connection.ping()), limit).await, Either::Left((Ok(()), _)))
    }

    fn keep(&self, connection: PoolConnection<Postgres>, since: Duration) {
        let used = self.env.now();
        if used.saturating_sub(since) > LONG {
            return;
        }
        let mut kept = self.kept();
        if kept.closed || kept.asking > 0 {
            return;
        }
        let stale = |free: &Free| used.saturating_sub(free.used) > FRESH;
        if kept.free.first().is_some_and(stale) {
            kept.free.remove(0);
        }
        kept.free.push(Free { connection, since, used });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// Waits for what is under way and lets go of the connections.
    pub(super) async fn close(&self) {
        let free = {
            let mut kept = self.kept();
            kept.closed = true;
            std::mem::take(&mut kept.free)
        };
        // Closed before they come back, so that it asks them for nothing.
        let closing = self.pool.close();
        drop(free);
        closing.await;
    }
}

impl Drop for Connections {
    /// Only a runtime can take connections back into the pool, and there may be
    /// none any more.
    fn drop(&mut self) {
        for free in self.kept().free.drain(..) {
            drop(free.connection.detach());
        }
    }
}

impl InUse<'_> {
    /// The answer was read to its end.
    pub(super) fn keep(self) {
        let Self { connection, since, of, _turn } = self;
        of.keep(connection, since);
    }

    /// Whatever is under way on it is not waited for.
    pub(super) fn close_on_drop(&mut self) {
        self.connection.close_on_drop();
    }
}

impl Deref for InUse<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for InUse<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
