//! One partition that is open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ifmatch_core::{BlobKey, ConditionalBlobStore, Env, Timestamp};
use ifmatch_journal::{Freshness, Journal, Snapshot};

use super::machine::{Documents, Lock, LockId, State};
use super::meter::Meter;

/// The journal of a partition, and what this process has seen of its lock.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) journal: Journal<Documents>,
    pub(super) meter: Arc<Meter>,
    pub(super) head: BlobKey,
    watch: Mutex<Option<Watch>>,
}

/// A lock, and since when this process knows of it.
#[derive(Clone, Debug)]
struct Watch {
    tx: LockId,
    since: Duration,
    /// The store's clock, and ours after it answered.
    date: Option<(Timestamp, Duration)>,
}

/// What is known of how long a lock still holds.
pub(super) struct Left {
    /// Its life is over.
    pub(super) over: bool,
    /// It holds at most this long.
    pub(super) at_most: Duration,
}

impl Handle {
    pub(super) fn new(journal: Journal<Documents>, meter: Arc<Meter>, head: BlobKey) -> Self {
        Self { journal, meter, head, watch: Mutex::new(None) }
    }

    /// The partition, as fresh as wanted.
    pub(super) async fn read(
        &self,
        freshness: Freshness,
        env: &Env,
    ) -> ifmatch_journal::Result<Snapshot<Documents>> {
        let read = self.journal.read(freshness).await;
        self.meter.read();
        let snapshot = read?;
        self.notice(snapshot.state(), env);
        Ok(snapshot)
    }

    /// Remembers since when the lock is known.
    pub(super) fn notice(&self, state: &State, env: &Env) {
        if let Some(lock) = &state.lock {
            self.watched(lock, env.now());
        }
    }

    /// The lock that is over as far as this process can tell without asking.
    pub(super) fn over(&self, state: &State, env: &Env) -> Option<LockId> {
        let lock = state.lock.as_ref()?;
        let watch = self.watched(lock, env.now());
        judge(lock, &watch, env.now()).over.then(|| lock.tx.clone())
    }

    /// How long a lock still holds: by our own clock, since we first saw it, or
    /// by the store's, which is asked once.
    pub(super) async fn left(
        &self,
        lock: &Lock,
        store: &dyn ConditionalBlobStore,
        env: &Env,
    ) -> Left {
        let mut watch = self.watched(lock, env.now());
        let known = judge(lock, &watch, env.now());
        if known.over || lock.date.is_none() || watch.date.is_some() {
            return known;
        }
        // Not to know is no failure: the watch goes on.
        if let Ok(Some(info)) = store.head(&self.head).await {
            watch.date = info.date.map(|date| (date, env.now()));
            if let Some(mine) = self.lock().as_mut().filter(|mine| mine.tx == lock.tx) {
                mine.date = watch.date;
            }
        }
        judge(lock, &watch, env.now())
    }

    fn watched(&self, lock: &Lock, now: Duration) -> Watch {
        let mut watch = self.lock();
        match &mut *watch {
            Some(watch) if watch.tx == lock.tx => watch.clone(),
            other => other.insert(Watch { tx: lock.tx.clone(), since: now, date: None }).clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock is over when we have seen it for its whole life, or when the store's
/// clock is two lives past the lower bound of its begin.
fn judge(lock: &Lock, watch: &Watch, now: Duration) -> Left {
    let mut at_most = lock.lifetime.saturating_sub(now.saturating_sub(watch.since));
    if let (Some(began), Some((date, answered))) = (lock.date, watch.date) {
        let past = date.since(began) + now.saturating_sub(answered);
        at_most = at_most.min((lock.lifetime * 2).saturating_sub(past));
    }
    Left { over: at_most.is_zero(), at_most }
}
