//! The trait, on the file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ifmatch_core::Env;
use ifmatch_meta::{
    AggregateRow, Aggregation, Applied, AuditPosition, AuditRecord, ChangePage, ChangeToken,
    Changed, Deleted, DocKey, DocPrecondition, Document, ETag, Error, Features, Filter, Index,
    IndexName, Json, Limits, MetaStore, Op, Page, Partition, Query, QueryPage, Result, ScanOptions,
    Scope, TxBackend, WriteOptions, Written,
};

use super::{SqliteMetaStore, write};
use crate::sqlite::options::SqliteOptions;
use crate::sqlite::{queries, rows};

#[async_trait]
impl MetaStore for SqliteMetaStore {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        self.local().read(|connection| rows::get(connection, key)).await
    }

    async fn get_if_changed(&self, key: &DocKey, seen: &ETag) -> Result<Changed> {
        self.local().read(|connection| rows::get_if_changed(connection, key, seen)).await
    }

    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.limits().check_put(key, &body, &pre)?;
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
        self.limits().check_delete(key, &pre)?;
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
        self.limits().check_batch(partition, &ops)?;
        if ops.iter().any(Op::writes) {
            return self.write(partition, ops, &options).await;
        }
        let (partition, stamp) = (partition.clone(), self.stamp(&ops, &options));
        let look = move |connection: &_| write::check(connection, &partition, &ops, &stamp);
        self.local().read_long(look).await
    }

    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        let partition = partition.clone();
        self.local().read_long(move |connection| rows::scan(connection, &partition, &options)).await
    }

    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        let after = after.cloned();
        let read = move |connection: &_| rows::partitions(connection, after.as_ref(), limit);
        self.local().read_long(read).await
    }

    async fn count(&self, scope: &Scope) -> Result<u64> {
        let scope = scope.clone();
        self.local().read_long(move |connection| rows::count(connection, &scope)).await
    }

    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        if *filter == Filter::Everything {
            return self.count(scope).await;
        }
        filter.validate()?;
        let (scope, filter) = (scope.clone(), filter.clone());
        let count = move |connection: &_| queries::count(connection, &scope, &filter);
        self.local().read_long(count).await
    }

    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        let (plan, filter) = (query.plan(scope)?, query.filter.clone());
        let find = move |connection: &_| queries::query(connection, &filter, plan);
        self.local().read_long(find).await
    }

    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        of.validate()?;
        let (scope, of) = (scope.clone(), of.clone());
        let compute = move |connection: &_| queries::aggregate(connection, &scope, &of);
        self.local().read_long(compute).await
    }

    async fn create_index(&self, index: &Index) -> Result<()> {
        let index = index.clone();
        self.local().write(move |connection| queries::create(connection, &index)).await
    }

    async fn drop_index(&self, name: &IndexName) -> Result<bool> {
        let name = name.clone();
        self.local().write(move |connection| queries::drop(connection, &name)).await
    }

    async fn indexes(&self) -> Result<Vec<Index>> {
        self.local().read(queries::list).await
    }

    async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        let (scope, since) = (scope.clone(), since.cloned());
        let read = move |connection: &_| rows::changes(connection, &scope, since.as_ref(), limit);
        self.local().read_long(read).await
    }

    async fn change_token(&self, scope: &Scope) -> Result<ChangeToken> {
        self.local().read(|connection| rows::change_token(connection, scope)).await
    }

    async fn wait_for_change(&self, scope: &Scope, token: &ChangeToken, at_most: Duration) {
        self.watch(scope, token, at_most).await;
    }

    async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        if !self.options().audit {
            let what = "a record of changes: open the store with audit=on";
            return Err(Error::unsupported(what));
        }
        let partition = partition.clone();
        let read = move |connection: &_| rows::audit(connection, &partition, after, limit);
        self.local().read_long(read).await
    }

    fn transactions(&self) -> Option<&dyn TxBackend> {
        Some(self)
    }

    fn author(&self) -> Option<Arc<str>> {
        self.options().author.clone()
    }

    fn features(&self) -> Features {
        let SqliteOptions { transactions, audit, .. } = self.options();
        let transactions = *transactions && !self.inner.synced;
        Features::none().transactions(transactions).audit(*audit).indexes(true)
    }

    fn limits(&self) -> Limits {
        self.options().limits
    }

    fn env(&self) -> &Env {
        &self.inner.env
    }

    async fn close(&self) -> Result<()> {
        self.local().close().await
    }
}
