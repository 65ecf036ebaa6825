//! The document store on PostgreSQL.

mod batch;
mod landed;
mod put;
mod read;
pub(super) mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ifmatch_core::Env;
use ifmatch_meta::{
    AggregateRow, Aggregation, Applied, AuditPosition, AuditRecord, Batch, ChangePage, ChangeToken,
    Changed, Deleted, DocKey, DocPrecondition, Document, ETag, Error, Features, Filter, Index,
    IndexName, Json, Limits, MetaStore, Op, Page, Partition, Query, QueryPage, Result, ScanOptions,
    Scope, TxBackend, WriteOptions, Written,
};

use super::client::Client;
use super::feed::Feed;
use super::notices::{self, Notices};
use super::options::PostgresOptions;
use super::schema;
use super::{index, query};
use write::Stamp;

/// Documents in a schema of a PostgreSQL database (13 or newer, UTF-8), for any
/// number of tasks, processes and hosts at once. Clones share its connections.
///
/// # Consistency
/// Every write is one call of a function of the schema, in which the documents
/// it names are locked; batches are evaluated on what one statement read, and
/// applied if that is still there. Reads are one statement each, on the server
/// that the URL names.
///
/// # Positions
/// A commit's position is the number of its transaction
/// (`pg_current_xact_id()`). Transactions need not end in the order of their
/// numbers: the change feed and the record of changes stop below the oldest one
/// under way in the database server ([`PostgresOptions::patience`]). They belong
/// to that server: a dump that is restored into another one is refused, unless
/// more transactions have been there.
///
/// # Cost
/// One round trip for reads, puts and deletes; two for batches, patches and
/// puts under `FieldEquals`, more where others write the same documents.
#[derive(Clone)]
pub struct PostgresMetaStore {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) options: PostgresOptions,
    pub(super) id: u128,
    etags: AtomicU64,
    notices: Notices,
}

impl PostgresMetaStore {
    /// Opens the store in the schema that the options name, in the database of
    /// this URL (`postgres://user:password@host:port/database?sslmode=...`).
    /// Creates the schema if it is missing and [`PostgresOptions::create`] is
    /// set.
    ///
    /// # Errors
    /// - `Invalid`: the URL or the name of the schema.
    /// - `NotFound`: no such schema, and none is to be created; no such database.
    /// - `Unsupported`: the schema holds other tables or a store of a newer
    ///   version, or the server is older than 13 or not UTF-8.
    /// - `Denied`, `Unavailable`.
    ///
    /// # Cancellation
    /// There is a whole store, or none.
    pub async fn open(url: &str, options: PostgresOptions) -> Result<Self> {
        let client = Client::new(url, &options)?;
        let id = schema::prepare(&client, options.create).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                options,
                id,
                etags: AtomicU64::new(0),
                notices: Notices::default(),
            }),
        })
    }

    /// How the server finds the documents that match: its plan, as `EXPLAIN`
    /// prints it. For telling whether a declared index is of use.
    ///
    /// # Errors
    /// As [`query`](MetaStore::query).
    pub async fn explain(&self, scope: &Scope, filter: &Filter) -> Result<String> {
        query::explain(self.client(), scope, filter).await
    }

    fn client(&self) -> &Client {
        &self.inner.client
    }

    fn feed(&self) -> Feed<'_> {
        let patience = self.inner.options.patience;
        Feed { client: self.client(), store: self.inner.id, patience }
    }

    /// Until something may have changed; for ever where there are no notices.
    async fn changed(&self, scope: &Scope, token: &ChangeToken) {
        let partition = match scope {
            Scope::Partition(partition) => Some(partition),
            _ => None,
        };
        let (client, store) = (self.client(), self.inner.id);
        let waiter = self.inner.notices.waiter(client, store, partition).await;
        notices::announce(client).await;
        // What came before the first notice could.
        if self.feed().has_changed(scope, token).await.unwrap_or(false) {
            return;
        }
        match waiter {
            Some(waiter) => waiter.notice().await,
            None => std::future::pending().await,
        }
    }

    fn stamp(&self, options: &WriteOptions) -> Stamp {
        let author = options.author.clone().or_else(|| self.inner.options.author.clone());
        Stamp { now: self.inner.options.env.wall_clock(), author }
    }

    fn etag(&self) -> ETag {
        let counter = self.inner.etags.fetch_add(1, Ordering::Relaxed) + 1;
        ETag::mint(counter, &self.inner.options.env)
    }

    async fn run(
        &self,
        partition: &Partition,
        ops: &[Op],
        options: &WriteOptions,
    ) -> Result<Vec<Applied>> {
        let Stamp { now, author } = self.stamp(options);
        let etags: Vec<ETag> = ops.iter().map(|_| self.etag()).collect();
        let batch = Batch {
            partition,
            ops,
            etags: &etags,
            now,
            author,
            return_documents: options.return_document,
            largest: self.inner.options.limits.document,
        };
        batch::run(self.client(), self.inner.id, &batch, self.inner.options.audit).await
    }

    /// An operation whose precondition has to be evaluated.
    async fn run_alone(&self, key: &DocKey, op: Op, options: &WriteOptions) -> Result<Applied> {
        let applied = self.run(&key.partition, &[op], options).await.map_err(Error::alone)?;
        let applied = applied.into_iter().next();
        applied.ok_or_else(|| Error::corrupt(self.to_string(), "an operation without answer"))
    }
}

#[async_trait]
impl MetaStore for PostgresMetaStore {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        read::get(self.client(), key).await
    }

    async fn get_if_changed(&self, key: &DocKey, seen: &ETag) -> Result<Changed> {
        read::get_if_changed(self.client(), key, seen).await
    }

    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.inner.options.limits.check_put(key, &body, &pre)?;
        if let Some(expect) = write::expectation(&pre) {
            let how = (self.inner.options.audit, options.return_document);
            let (state, stamp) = ((&body, self.etag()), self.stamp(&options));
            return put::put(self.client(), key, state, (&pre, expect), &stamp, how).await;
        }
        match self.run_alone(key, Op::put(key.id.clone(), body, pre), &options).await? {
            Applied::Written(written) => Ok(written),
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
        if let Some(expect) = write::expectation(&pre) {
            let (stamp, audit) = (self.stamp(&options), self.inner.options.audit);
            return write::delete(self.client(), key, (&pre, expect), &stamp, audit).await;
        }
        match self.run_alone(key, Op::delete(key.id.clone(), pre), &options).await? {
            Applied::Deleted(deleted) => Ok(deleted),
            _ => Err(Error::corrupt(self.to_string(), "a delete that answers no deletion")),
        }
    }

    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        self.inner.options.limits.check_batch(partition, &ops)?;
        self.run(partition, &ops, &options).await
    }

    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        read::scan(self.client(), self.inner.id, partition, &options).await
    }

    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        read::partitions(self.client(), after, limit).await
    }

    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        query::count(self.client(), scope, filter).await
    }

    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        query::page(self.client(), self.inner.id, scope, query).await
    }

    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        query::aggregate(self.client(), scope, of).await
    }

    async fn create_index(&self, index: &Index) -> Result<()> {
        index::create(self.client(), index).await
    }

    async fn drop_index(&self, name: &IndexName) -> Result<bool> {
        index::drop(self.client(), name).await
    }

    async fn indexes(&self) -> Result<Vec<Index>> {
        index::list(self.client()).await
    }

    async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        self.feed().changes(scope, since, limit).await
    }

    async fn change_token(&self, scope: &Scope) -> Result<ChangeToken> {
        self.feed().token(scope).await
    }

    async fn wait_for_change(&self, scope: &Scope, token: &ChangeToken, at_most: Duration) {
        let sleep = self.env().sleep(at_most);
        notices::either(sleep, self.changed(scope, token)).await;
    }

    async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        if !self.inner.options.audit {
            return Err(Error::unsupported("a record of changes: open the store with audit on"));
        }
        self.feed().audit(partition, after, limit).await
    }

    fn transactions(&self) -> Option<&dyn TxBackend> {
        Some(self)
    }

    fn features(&self) -> Features {
        let options = &self.inner.options;
        Features::none().transactions(options.transactions).audit(options.audit).indexes(true)
    }

    fn limits(&self) -> Limits {
        self.inner.options.limits
    }

    fn author(&self) -> Option<Arc<str>> {
        self.inner.options.author.clone()
    }

    fn env(&self) -> &Env {
        &self.inner.options.env
    }

    async fn close(&self) -> Result<()> {
        self.inner.notices.close();
        self.client().close().await;
        Ok(())
    }
}

impl fmt::Display for PostgresMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.client().subject)
    }
}

impl fmt::Debug for PostgresMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresMetaStore({})", self.client().subject)
    }
}
