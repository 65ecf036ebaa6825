//! The document store on a SQLite file.

mod write;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ifmatch_core::Env;
use ifmatch_meta::{
    AggregateRow, Aggregation, Applied, AuditPosition, AuditRecord, ChangePage, ChangeToken,
    Changed, Deleted, DocKey, DocPrecondition, Document, ETag, Error, Features, Filter, Index,
    IndexName, Json, Limits, MetaStore, Op, Page, Partition, Query, QueryPage, Result, ScanOptions,
    Scope, TxBackend, WriteOptions, Written,
};
use sqlx::SqlitePool;

use crate::sqlite::local::{Executor, LocalDb, OnClose};
use crate::sqlite::options::SqliteOptions;
use crate::sqlite::{pool, rows, schema};
use write::Stamp;

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
        let db = LocalDb::open(path, options.local.clone(), |connection, local| {
            schema::prepare(connection, create, &env)?;
            if schema::is_synced(connection)? {
                local.on_close = OnClose::KeepLog;
            }
            Ok(())
        });
        Ok(Self::over(db.map_err(|error| about(error, path))?, options, env))
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
        Ok(Self::over(db, options, env))
    }

    fn over(db: LocalDb, options: SqliteOptions, env: Env) -> Self {
        Self { inner: Arc::new(Inner { db, env, options, pool: OnceLock::new() }) }
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

    async fn write(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: &WriteOptions,
    ) -> Result<Vec<Applied>> {
        let mut stamp = Stamp::draw(&self.inner.env, ops.len());
        stamp.author = options.author.clone().or_else(|| self.inner.options.author.clone());
        stamp.return_documents = options.return_document;
        stamp.largest = self.inner.options.limits.document;
        let partition = partition.clone();
        let work = move |connection: &_| write::batch(connection, &partition, &ops, &stamp);
        self.inner.db.write(work).await
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

#[async_trait]
impl MetaStore for SqliteMetaStore {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        self.inner.db.read(|connection| rows::get(connection, key)).await
    }

    async fn get_if_changed(&self, key: &DocKey, seen: &ETag) -> Result<Changed> {
        self.inner.db.read(|connection| rows::get_if_changed(connection, key, seen)).await
    }

    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.inner.options.limits.check_put(key, &body, &pre)?;
        let op = Op::put(key.id.clone(), body, pre);
        match self.write(&key.partition, vec![op], &options).await.map_err(Error::alone)?.pop() {
            Some(Applied::Written(written)) => Ok(written),
            _ => Err(Error::corrupt(self.to_string(), "a put that answers no write")),
        }
    }

    async fn delete_with(
        &self,
        key: &DocKey,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Deleted> {
        self.inner.options.limits.check_delete(key, &pre)?;
        let op = Op::delete(key.id.clone(), pre);
        match self.write(&key.partition, vec![op], &options).await.map_err(Error::alone)?.pop() {
            Some(Applied::Deleted(deleted)) => Ok(deleted),
            _ => Err(Error::corrupt(self.to_string(), "a delete that answers none")),
        }
    }

    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        self.inner.options.limits.check_batch(partition, &ops)?;
        self.write(partition, ops, &options).await
    }

    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        let partition = partition.clone();
        self.inner
            .db
            .read_long(move |connection| rows::scan(connection, &partition, &options))
            .await
    }

    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        let after = after.cloned();
        let read = move |connection: &_| rows::partitions(connection, after.as_ref(), limit);
        self.inner.db.read_long(read).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64> {
        let scope = scope.clone();
        self.inner.db.read_long(move |connection| rows::count(connection, &scope)).await
    }

    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        match filter {
            Filter::Everything => self.count(scope).await,
            _ => Err(Error::unsupported("filters on SQLite")),
        }
    }

    async fn query(&self, _: &Scope, _: &Query) -> Result<QueryPage> {
        Err(Error::unsupported("queries on SQLite"))
    }

    async fn aggregate(&self, _: &Scope, _: &Aggregation) -> Result<Vec<AggregateRow>> {
        Err(Error::unsupported("aggregates on SQLite"))
    }

    async fn create_index(&self, _: &Index) -> Result<()> {
        Err(Error::unsupported("indexes on SQLite"))
    }

    async fn drop_index(&self, _: &IndexName) -> Result<bool> {
        Err(Error::unsupported("indexes on SQLite"))
    }

    async fn indexes(&self) -> Result<Vec<Index>> {
        Ok(Vec::new())
    }

    async fn changes(&self, _: &Scope, _: Option<&ChangeToken>, _: usize) -> Result<ChangePage> {
        Err(Error::unsupported("the feed on SQLite"))
    }

    async fn change_token(&self, _: &Scope) -> Result<ChangeToken> {
        Err(Error::unsupported("the feed on SQLite"))
    }

    async fn audit(
        &self,
        _: &Partition,
        _: Option<AuditPosition>,
        _: usize,
    ) -> Result<Vec<AuditRecord>> {
        Err(Error::unsupported("the record of changes on SQLite"))
    }

    fn transactions(&self) -> Option<&dyn TxBackend> {
        None
    }

    fn features(&self) -> Features {
        Features::none()
    }

    fn limits(&self) -> Limits {
        self.inner.options.limits
    }

    fn env(&self) -> &Env {
        &self.inner.env
    }

    async fn close(&self) -> Result<()> {
        self.inner.db.close().await
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
