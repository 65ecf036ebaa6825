//! A store whose answers can be lost, refused or late.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ifmatch_core::{Env, Operation};
use ifmatch_meta::{
    AggregateRow, Aggregation, Applied, AuditPosition, AuditRecord, ChangePage, ChangeToken, Cost,
    Deleted, DocKey, DocPrecondition, Document, Error, Features, Filter, Index, IndexName, Json,
    Limits, MetaStore, Op, Page, Partition, Query, QueryPage, Result, ScanOptions, Scope,
    TxAddress, TxBackend, TxCommit, TxId, TxOutcome, TxRecord, WriteOptions, Written,
};

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Done,
    /// Not done, and the caller is told so.
    Refused,
    /// Not done, and it never will be.
    Broken,
    /// Not done, and the caller does not hear of it.
    Lost,
    /// Done, and the caller does not hear of it.
    AnswerLost,
    /// Done after so long.
    Late(Duration),
    /// Done, but the answer never comes.
    Hangs,
}

#[derive(Debug)]
pub(crate) struct Lossy {
    inner: Box<dyn MetaStore>,
    fates: Mutex<VecDeque<Fate>>,
    random: Mutex<Option<fastrand::Rng>>,
    requests: AtomicU64,
}

impl Lossy {
    pub(crate) fn new(inner: impl MetaStore + 'static) -> Self {
        let (fates, random) = (Mutex::default(), Mutex::default());
        Self { inner: Box::new(inner), fates, random, requests: AtomicU64::new(0) }
    }

    /// What happens to the next requests that matter: writes and those of
    /// transactions; and reads of documents.
    pub(crate) fn next(&self, fates: impl IntoIterator<Item = Fate>) {
        *self.fates.lock().unwrap() = fates.into_iter().collect();
    }

    /// Loses at random; `None` no more.
    pub(crate) fn lose(&self, seed: Option<u64>) {
        *self.random.lock().unwrap() = seed.map(fastrand::Rng::with_seed);
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn fate(&self) -> Fate {
        if let Some(fate) = self.fates.lock().unwrap().pop_front() {
            return fate;
        }
        let mut random = self.random.lock().unwrap();
        match random.as_mut().map(|random| random.u8(0..20)) {
            Some(0) => Fate::Refused,
            Some(1 | 2) => Fate::Lost,
            Some(3 | 4) => Fate::AnswerLost,
            _ => Fate::Done,
        }
    }

    async fn ask<T>(&self, writes: bool, answer: impl Future<Output = Result<T>>) -> Result<T> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let failed =
            || ifmatch_core::Error::unavailable(Operation::Get, "x", std::io::Error::other("x"));
        let unknown = || Error::OutcomeUnknown {
            subject: "the store".into(),
            source: Arc::new(std::io::Error::other("x")),
        };
        match self.fate() {
            Fate::Done => answer.await,
            Fate::Refused => Err(failed().into()),
            Fate::Broken => Err(Error::corrupt("x", "x")),
            Fate::Lost | Fate::AnswerLost if !writes => Err(failed().into()),
            Fate::Lost => Err(unknown()),
            Fate::AnswerLost => {
                answer.await?;
                Err(unknown())
            }
            Fate::Late(time) => {
                self.env().sleep(time).await;
                answer.await
            }
            Fate::Hangs => {
                let _ = answer.await;
                std::future::pending().await
            }
        }
    }

    fn backend(&self) -> &dyn TxBackend {
        self.inner.transactions().unwrap()
    }
}

impl fmt::Display for Lossy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

#[async_trait]
impl TxBackend for Lossy {
    async fn begin(&self, p: &Partition, id: &TxId, lifetime: Duration) -> Result<TxRecord> {
        self.ask(true, self.backend().begin(p, id, lifetime)).await
    }
    async fn find(&self, id: &TxId) -> Result<Option<TxRecord>> {
        self.ask(false, self.backend().find(id)).await
    }
    async fn stage(&self, address: &TxAddress, number: u64, piece: Bytes) -> Result<Cost> {
        self.ask(true, self.backend().stage(address, number, piece)).await
    }
    async fn staged(&self, address: &TxAddress) -> Result<Vec<Bytes>> {
        self.ask(false, self.backend().staged(address)).await
    }
    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)> {
        self.ask(true, self.backend().commit(address, commit)).await
    }
    async fn abort(&self, address: &TxAddress) -> Result<Cost> {
        self.ask(true, self.backend().abort(address)).await
    }
    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome> {
        self.ask(false, self.backend().outcome(id, incarnation)).await
    }
}

#[async_trait]
impl MetaStore for Lossy {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        self.ask(false, self.inner.get(key)).await
    }
    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.ask(true, self.inner.put_with(key, body, pre, options)).await
    }
    async fn delete_with(
        &self,
        key: &DocKey,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Deleted> {
        self.ask(true, self.inner.delete_with(key, pre, options)).await
    }
    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        let writes = ops.iter().any(Op::writes);
        self.ask(writes, self.inner.batch_with(partition, ops, options)).await
    }
    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        self.ask(false, self.inner.scan(partition, options)).await
    }
    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        self.inner.partitions(after, limit).await
    }
    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        self.inner.count_where(scope, filter).await
    }
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        self.ask(false, self.inner.query(scope, query)).await
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
        Some(self)
    }
    fn author(&self) -> Option<Arc<str>> {
        self.inner.author()
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
