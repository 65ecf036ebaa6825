//! The document store on a SQLite file.

mod meta;
mod watch;
mod write;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use ifmatch_core::Env;
use ifmatch_meta::{Error, Result};
use sqlx::SqlitePool;
use tokio::sync::Notify;

use crate::sqlite::local::{Executor, LocalDb, OnClose};
use crate::sqlite::options::SqliteOptions;
use crate::sqlite::{pool, schema};

/// Documents in a SQLite file, for any number of tasks and processes at once.
/// Clones share it.
///
/// # Consistency
/// Writes are serialised; what a write expects is checked in its own
/// transaction. Reads see the newest commit of any process.
///
/// # Examples
/// ```
/// use ifmatch_core::Env;
/// use ifmatch_meta::{DocKey, DocPrecondition, Json, MetaStore};
/// use ifmatch_sql::SqliteMetaStore;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = SqliteMetaStore::open_in_memory(Default::default(), Env::real())?;
/// let key = DocKey::new("teams", "a")?;
/// let first = store.put(&key, Json::new("{}")?, DocPrecondition::IfAbsent).await?;
/// assert_eq!(store.get(&key).await?.map(|document| document.etag), Some(first.etag));
/// # store.close().await })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteMetaStore {
    inner: Arc<Inner>,
}

struct Inner {
    db: LocalDb,
    env: Env,
    options: SqliteOptions,
    pool: OnceLock<SqlitePool>,
    /// Rung after every commit of this process.
    changed: Notify,
    /// Whether it was a working copy that is synced when it was opened.
    synced: bool,
}

impl SqliteMetaStore {
    /// Opens the store in this file; creates it if it is missing and
    /// [`SqliteOptions::create`] is set (mode 0600, whole or not at all).
    ///
    /// # Errors
    /// - `NotFound`: the file is missing and not to be created, it is an empty
    ///   database, or its directory is missing.
    /// - `Unsupported`: it holds other tables, or a form from a newer version.
    /// - `Corrupt`: it is no database, or damaged.
    /// - `Denied`, `Unavailable` (locked, disk full), `Invalid` (a directory).
    ///
    /// # Cancellation
    /// There is a whole file, or none.
    pub async fn open(
        path: impl AsRef<Path> + Send,
        options: SqliteOptions,
        env: Env,
    ) -> Result<Self> {
        let path = path.as_ref().to_owned();
        if options.local.executor == Executor::Inline {
            return Self::open_blocking(&path, options, env);
        }
        let open = move || Self::open_blocking(&path, options, env);
        let opened = tokio::task::spawn_blocking(open).await;
        opened.unwrap_or_else(|_| Err(Error::closed("the runtime, while a store was opened")))
    }

    fn open_blocking(path: &Path, options: SqliteOptions, env: Env) -> Result<Self> {
        let create = options.create;
        if create && !path.exists() {
            LocalDb::create(path, &options.local, &env, |connection| {
                schema::prepare(connection, true, &env)
            })?;
        }
        let mut synced = false;
        let db = LocalDb::open(path, options.local.clone(), |connection, local| {
            schema::prepare(connection, create, &env)?;
            synced = schema::is_synced(connection)?;
            if synced {
                local.on_close = OnClose::KeepLog;
            }
            Ok(())
        });
        Ok(Self::over(db.map_err(|error| about(error, path))?, options, env, synced))
    }

    /// A new store in memory, which lives as long as any clone.
    ///
    /// # Errors
    /// `Unavailable` where there is no memory.
    pub fn open_in_memory(options: SqliteOptions, env: Env) -> Result<Self> {
        let by = env.clone();
        let db = LocalDb::open_in_memory(&options.local, move |connection| {
            schema::prepare(connection, true, &by)
        })?;
        Ok(Self::over(db, options, env, false))
    }

    fn over(db: LocalDb, options: SqliteOptions, env: Env, synced: bool) -> Self {
        let (pool, changed) = (OnceLock::new(), Notify::new());
        Self { inner: Arc::new(Inner { db, env, options, pool, changed, synced }) }
    }

    /// A pool of sqlx connections on the same file, for SQL of your own: at
    /// most 4, opened when needed, shared by all callers. Reading
    /// `documents` is fine. Do not write to it or to tables whose names begin
    /// with `_ifmatch`: such a change has no ETag and no position.
    ///
    /// Closing the store leaves the pool open; close it yourself.
    ///
    /// # Errors
    /// `Unsupported` for a store in memory.
    pub fn pool(&self) -> Result<SqlitePool> {
        let Some(path) = self.inner.db.path() else {
            return Err(Error::unsupported("a pool on a store in memory: use a file"));
        };
        let open = || pool::open(path, &self.inner.options.local);
        Ok(self.inner.pool.get_or_init(open).clone())
    }

    /// The seam to the file, for engines that build on this store.
    pub fn local(&self) -> &LocalDb {
        &self.inner.db
    }

    pub(crate) fn options(&self) -> &SqliteOptions {
        &self.inner.options
    }

    pub(crate) fn clock(&self) -> Env {
        self.inner.env.clone()
    }

    /// Tells those in this process who wait for a change.
    pub(crate) fn notify(&self) {
        self.inner.changed.notify_waiters();
    }
}

/// Names the file where what the schema says does not.
fn about(error: Error, path: &Path) -> Error {
    use ifmatch_core::Error as Core;
    let path = path.display();
    match error {
        Error::Core(Core::Unsupported { what }) => Error::unsupported(format!("{path}: {what}")),
        Error::Core(Core::NotFound { what }) if &*what == schema::EMPTY => {
            Core::NotFound { what: format!("{what} in {path}").into() }.into()
        }
        Error::Core(Core::Corrupt { detail, .. }) => Error::corrupt(path.to_string(), detail),
        error => error,
    }
}

impl fmt::Display for SqliteMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.inner.db.subject())
    }
}

impl fmt::Debug for SqliteMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteMetaStore({})", self.inner.db.subject())
    }
}
