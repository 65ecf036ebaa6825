//! The store, and what its parts share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ifmatch_core::{ConditionalBlobStore, Env, Error as CoreError};
use ifmatch_journal::{Freshness, JournalId, Kind, Marker};

use super::cache::Cache;
use super::failure::failure;
use super::gate::{Gate, Pass};
use super::options::BlobMetaOptions;
use crate::audit::{AuditPosition, AuditRecord};
use crate::changes::{ChangePage, ChangeToken};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::features::Features;
use crate::json::Json;
use crate::key::{DocKey, Partition};
use crate::limits::Limits;
use crate::ops::{Applied, Deleted, Op, WriteOptions, Written};
use crate::precondition::DocPrecondition;
use crate::query::{AggregateRow, Aggregation, Filter, Index, IndexName, Query, QueryPage};
use crate::scan::{Page, ScanOptions, Scope};
use crate::store::MetaStore;
use crate::transaction::TxBackend;

/// Documents on blobs, one journal per partition. Clones share everything.
///
/// ```text
/// <prefix>/ifmatch                     what lies here, and the store's id
/// <prefix>/heads/<partition>           the head of the partition's journal
/// <prefix>/data/<partition>/segments/  and checkpoints/, history/: its objects
/// <prefix>/data/<partition>/staged/<begin>/<number>   what a transaction staged
/// <prefix>/tx/<id>                     in which partition a transaction is
/// ```
///
/// # Cost
///
/// | to | requests, once the partition is open and nobody else writes |
/// |---|---|
/// | put, delete, patch, a batch of any length | 1 PUT; callers at the same time share it |
/// | be told of a conflict | 1 GET without a body |
/// | get, scan, query, the feed | 1 GET without a body; callers at the same time share it |
/// | open a partition | its head, then at most about 10 objects at once |
/// | list or count partitions | the listing of `heads/`, and the head of each |
/// | anything of all partitions | the same, and to open each |
/// | begin a transaction | 2 PUTs: its address, the lock |
/// | commit or abort one | 1 PUT |
/// | stage writes for another process | 2 PUTs |
///
/// A segment of the journal costs one request more, about every 16 KiB of what is
/// written.
///
/// A partition is held in memory as a whole, in the process that uses it
/// ([`BlobMetaOptions::partition_bytes`]).
#[derive(Clone)]
pub struct BlobMetaStore {
    pub(super) inner: Arc<Inner>,
}

/// What clones share.
pub(super) struct Inner {
    pub(super) store: Arc<dyn ConditionalBlobStore>,
    pub(super) env: Env,
    pub(super) options: BlobMetaOptions,
    /// The store's own id.
    pub(super) id: u128,
    pub(super) cache: Cache,
    pub(super) gate: Gate,
}

impl BlobMetaStore {
    /// Opens the documents that lie at the root of a blob store.
    ///
    /// # Errors
    /// - `NotFound` where nothing lies here and
    ///   [`create`](BlobMetaOptions::create) is not set.
    /// - `Invalid` where something of another kind lies here.
    /// - `Unsupported` for a newer format, or a blob store that does not keep its
    ///   conditions; `Corrupt`, `Denied`, `Unavailable`.
    ///
    /// # Cancellation
    /// The place may have become one for documents.
    ///
    /// # Cost
    /// One request; where nothing lies here the probe of the blob store and one
    /// request more.
    pub async fn open(
        store: Arc<dyn ConditionalBlobStore>,
        options: BlobMetaOptions,
    ) -> Result<Self> {
        let env = options.env.clone().unwrap_or_else(|| store.env().clone());
        let subject = || Arc::from(store.to_string());
        let find = || Marker::store(store.as_ref(), Kind::Documents);
        let mut id = find().await.map_err(|error| failure(error, subject))?;
        if id.is_none() && options.create {
            let drawn = JournalId::random(&env);
            let ensure = Box::pin(Marker::ensure(store.as_ref(), Kind::Documents, drawn));
            ensure.await.map_err(|error| failure(error, subject))?;
            // Another may have been faster.
            id = find().await.map_err(|error| failure(error, subject))?;
        }
        let Some(id) = id else {
            let what = format!("a store of documents in {store}").into();
            return Err(CoreError::NotFound { what }.into());
        };
        let cache = Cache::new(Arc::clone(&store), env.clone(), options.clone());
        let (id, gate) = (id.bits(), Gate::new());
        Ok(Self { inner: Arc::new(Inner { store, env, options, id, cache, gate }) })
    }
}

impl Inner {
    /// A call comes in.
    pub(super) fn enter(&self) -> Result<Pass<'_>> {
        self.gate.enter(|| self.subject())
    }

    /// What errors are about.
    pub(super) fn subject(&self) -> Arc<str> {
        Arc::from(format!("documents in {}", self.store))
    }

    /// How fresh reads are.
    pub(super) fn freshness(&self) -> Freshness {
        match self.options.staleness {
            Duration::ZERO => Freshness::Strong,
            age => Freshness::MaxStaleness(age),
        }
    }
}

#[async_trait]
impl MetaStore for BlobMetaStore {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        let _pass = self.inner.enter()?;
        self.inner.get(key).await
    }

    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        let _pass = self.inner.enter()?;
        self.inner.options.limits.check_put(key, &body, &pre)?;
        let op = Op::put(key.id.clone(), body, pre);
        match self.inner.alone(&key.partition, op, options).await? {
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
        let _pass = self.inner.enter()?;
        self.inner.options.limits.check_delete(key, &pre)?;
        let op = Op::delete(key.id.clone(), pre);
        match self.inner.alone(&key.partition, op, options).await? {
            Applied::Deleted(deleted) => Ok(deleted),
            _ => Err(Error::corrupt(self.to_string(), "a delete that answers none")),
        }
    }

    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        let _pass = self.inner.enter()?;
        self.inner.options.limits.check_batch(partition, &ops)?;
        Box::pin(self.inner.batch(partition, ops, options)).await
    }

    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        let _pass = self.inner.enter()?;
        self.inner.scan(partition, &options).await
    }

    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.partitions(after, limit.max(1))).await
    }

    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.count(scope, filter)).await
    }

    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.query(scope, query)).await
    }

    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.aggregate(scope, of)).await
    }

    async fn create_index(&self, _index: &Index) -> Result<()> {
        Err(no_indexes())
    }

    async fn drop_index(&self, _name: &IndexName) -> Result<bool> {
        Err(no_indexes())
    }

    async fn indexes(&self) -> Result<Vec<Index>> {
        let _pass = self.inner.enter()?;
        Ok(Vec::new())
    }

    async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.changes(scope, since, limit.max(1))).await
    }

    async fn change_token(&self, scope: &Scope) -> Result<ChangeToken> {
        let _pass = self.inner.enter()?;
        Box::pin(self.inner.change_token(scope)).await
    }

    async fn wait_for_change(&self, scope: &Scope, token: &ChangeToken, at_most: Duration) {
        Box::pin(self.inner.wait_for_change(scope, token, at_most)).await;
    }

    async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        let _pass = self.inner.enter()?;
        self.inner.audit(partition, after, limit.max(1)).await
    }

    fn transactions(&self) -> Option<&dyn TxBackend> {
        Some(self)
    }

    fn features(&self) -> Features {
        let options = &self.inner.options;
        let stale = !options.staleness.is_zero();
        Features::none().transactions(options.transactions).audit(options.audit).stale_reads(stale)
    }

    fn limits(&self) -> Limits {
        self.inner.options.limits
    }

    fn author(&self) -> Option<Arc<str>> {
        self.inner.options.author.clone()
    }

    fn env(&self) -> &Env {
        &self.inner.env
    }

    async fn close(&self) -> Result<()> {
        let inner = &self.inner;
        inner.gate.close(&inner.env, inner.options.retry.deadline).await;
        inner.cache.clear();
        Ok(())
    }
}

fn no_indexes() -> Error {
    Error::unsupported("indexes on blobs: a partition is held in memory as a whole")
}

impl fmt::Display for BlobMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner.store, f)
    }
}

impl fmt::Debug for BlobMetaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobMetaStore({})", self.inner.store)
    }
}
