//! The store in memory: the semantics of every other one, without a file.

mod audit;
mod commit;
mod documents;
mod feed;
mod hash;
mod log;
mod nonces;
mod options;
mod partition;
mod query;
mod read;
mod slots;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod transactions;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use ifmatch_core::Env;
use tokio::sync::Notify;

pub use options::MemoryOptions;

use crate::error::{Error, Result};
use nonces::Nonces;
use state::State;

/// Documents in memory, for any number of tasks at once. Clones share them.
///
/// They live as long as any clone. Every operation takes one lock for a moment;
/// scans and queries read a snapshot that costs nothing to take, and hold
/// nobody up.
///
/// # Examples
/// ```
/// use ifmatch_core::Env;
/// use ifmatch_meta::{DocKey, DocPrecondition, Json, MemoryMetaStore, MetaStore};
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = MemoryMetaStore::new(Env::real());
/// let key = DocKey::new("teams", "a")?;
/// let first = store.put(&key, Json::new("{}")?, DocPrecondition::IfAbsent).await?;
/// let again = store.put(&key, Json::new("[]")?, DocPrecondition::IfAbsent).await;
/// assert_eq!(again.unwrap_err().conflict().unwrap().current, Some(first.etag));
/// # Ok::<(), ifmatch_meta::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MemoryMetaStore(Arc<Handle>);

/// One opening of a store: what a close ends.
struct Handle {
    data: Arc<Data>,
    options: MemoryOptions,
    nonces: Mutex<Nonces>,
    closed: std::sync::atomic::AtomicBool,
}

/// What all openings of one name share.
struct Data {
    name: Box<str>,
    /// Tells this store's tokens and marks from those of others.
    id: u128,
    /// By which lives and ages are counted, whoever asks.
    clock: Env,
    state: Mutex<State>,
    changed: Notify,
}

static SHARED: LazyLock<Mutex<HashMap<String, Weak<Data>>>> = LazyLock::new(Mutex::default);

impl MemoryMetaStore {
    /// A new, empty store that nobody else sees.
    pub fn new(env: Env) -> Self {
        Self::with(MemoryOptions::default().env(env))
    }

    /// The same with options.
    pub fn with(options: MemoryOptions) -> Self {
        let data = Arc::new(Data::new("anonymous", options.env.clone()));
        Self::over(data, options)
    }

    /// The store of this name within this process (`memory://name`). Its
    /// documents live as long as somebody holds it; options are those of this
    /// opening, and [`close`](crate::MetaStore::close) ends this opening and its
    /// clones only.
    pub fn shared(name: &str, options: MemoryOptions) -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let data = shared.get(name).and_then(Weak::upgrade);
        let data = data.unwrap_or_else(|| Arc::new(Data::new(name, options.env.clone())));
        shared.retain(|_, data| data.strong_count() > 0);
        shared.insert(name.to_owned(), Arc::downgrade(&data));
        drop(shared);
        Self::over(data, options)
    }

    fn over(data: Arc<Data>, options: MemoryOptions) -> Self {
        if options.features.audit {
            data.lock().start_audit();
        }
        let nonces = Mutex::default();
        Self(Arc::new(Handle { data, options, nonces, closed: false.into() }))
    }

    /// What is there, unless this handle was closed.
    fn state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.0.data.lock();
        // Set under the lock only.
        if self.0.closed.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Error::closed(self.to_string()));
        }
        Ok(state)
    }
}

impl Data {
    fn new(name: &str, clock: Env) -> Self {
        let id = u128::from(clock.random_u64()) << 64 | u128::from(clock.random_u64());
        let state = Mutex::default();
        Self { name: name.into(), id, clock, state, changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for MemoryMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory://{}", self.0.data.name)
    }
}

impl fmt::Debug for MemoryMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryMetaStore({})", self.0.data.name)
    }
}
