//! A store that can be made to fail.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use ifmatch_core::Env;
use ifmatch_meta::{
    AggregateRow, Aggregation, Applied, AuditPosition, AuditRecord, ChangePage, ChangeToken,
    Deleted, DocKey, DocPrecondition, Document, Error, Features, Filter, Index, IndexName, Json,
    Limits, MemoryMetaStore, MetaStore, Op, Page, Partition, Query, QueryPage, Result, ScanOptions,
    Scope, TxBackend, WriteOptions, Written,
};

/// Answers of writes get lost.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: MemoryMetaStore,
    losses: AtomicU32,
}

impl Faulty {
    pub(crate) fn over(inner: MemoryMetaStore) -> Self {
        Self { inner, losses: AtomicU32::new(0) }
    }

    pub(crate) fn lose_answers(&self, count: u32) {
        self.losses.store(count, Ordering::Relaxed);
    }

    fn answer<T>(&self, answer: Result<T>) -> Result<T> {
        let lose = |left: u32| left.checked_sub(1);
        match self.losses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lose) {
            Ok(_) => Err(Error::OutcomeUnknown {
                subject: "faulty".into(),
                source: std::sync::Arc::new(std::io::Error::other("lost")),
            }),
            Err(_) => answer,
        }
    }
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl MetaStore for Faulty {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        self.inner.get(key).await
    }
    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.answer(self.inner.put_with(key, body, pre, options).await)
    }
    async fn delete_with(
        &self,
        key: &DocKey,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Deleted> {
        self.answer(self.inner.delete_with(key, pre, options).await)
    }
    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        self.answer(self.inner.batch_with(partition, ops, options).await)
    }
    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        self.inner.scan(partition, options).await
    }
    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        self.inner.partitions(after, limit).await
    }
    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        self.inner.count_where(scope, filter).await
    }
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        self.inner.query(scope, query).await
    }
    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        self.inner.aggregate(scope, of).await
    }
    async fn create_index(&self, index: &Index) -> Result<()> {
        self.inner.create_index(index).await
    }
    async fn drop_index(&self, name: &IndexName) -> Result<bool> {
        self.inner.drop_index(name).await
    }
    async fn indexes(&self) -> Result<Vec<Index>> {
        self.inner.indexes().await
    }
    async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        self.inner.changes(scope, since, limit).await
    }
    async fn change_token(&self, scope: &Scope) -> Result<ChangeToken> {
        self.inner.change_token(scope).await
    }
    async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        self.inner.audit(partition, after, limit).await
    }
    fn transactions(&self) -> Option<&dyn TxBackend> {
        self.inner.transactions()
    }
    fn features(&self) -> Features {
        self.inner.features()
    }
    fn limits(&self) -> Limits {
        self.inner.limits()
    }
    fn env(&self) -> &Env {
        self.inner.env()
    }
    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
