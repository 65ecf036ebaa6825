//! The trait.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use ifmatch_core::Env;
use tokio::task::coop::consume_budget;

use super::{MemoryMetaStore, read};
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

/// No call waits for anything, so each counts against the budget of its task: one
/// that calls in a loop lets others run.
#[async_trait]
impl MetaStore for MemoryMetaStore {
    async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        consume_budget().await;
        let state = self.state()?;
        let partition = state.partitions.get(&key.partition);
        let record = partition.and_then(|partition| partition.documents.get(&key.id));
        Ok(record.map(|record| record.document.clone()))
    }

    async fn put(&self, key: &DocKey, body: Json, pre: DocPrecondition) -> Result<Written> {
        consume_budget().await;
        self.write(key, body, pre, &WriteOptions::default())
    }

    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        consume_budget().await;
        self.write(key, body, pre, &options)
    }

    async fn delete_with(
        &self,
        key: &DocKey,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Deleted> {
        consume_budget().await;
        self.0.options.limits.check_delete(key, &pre)?;
        let op = Op::delete(key.id.clone(), pre);
        match self.apply_one(&key.partition, op, &options)? {
            Some(Applied::Deleted(deleted)) => Ok(deleted),
            _ => Err(Error::corrupt(self.to_string(), "a delete that answers no deletion")),
        }
    }

    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        consume_budget().await;
        self.0.options.limits.check_batch(partition, &ops)?;
        self.apply_all(partition, &ops, &options)
    }

    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        consume_budget().await;
        let (documents, mark) = {
            let state = self.state()?;
            (state.documents(partition), state.mark(self.0.data.id, partition))
        };
        read::page(&documents, &options, mark)
    }

    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>> {
        consume_budget().await;
        Ok(self.state()?.partitions(after, limit))
    }

    async fn count(&self, scope: &Scope) -> Result<u64> {
        consume_budget().await;
        let state = self.state()?;
        Ok(match scope {
            Scope::All => state.visible,
            Scope::Partition(partition) => {
                state.partitions.get(partition).map_or(0, |partition| partition.visible)
            }
        })
    }

    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        consume_budget().await;
        if *filter == Filter::Everything {
            return self.count(scope).await;
        }
        let snapshot = self.state()?.snapshot(self.0.data.id, scope);
        snapshot.count(filter).await
    }

    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        consume_budget().await;
        let snapshot = self.state()?.snapshot(self.0.data.id, scope);
        snapshot.query(query).await
    }

    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        consume_budget().await;
        let snapshot = self.state()?.snapshot(self.0.data.id, scope);
        snapshot.aggregate(of).await
    }

    async fn create_index(&self, _: &Index) -> Result<()> {
        self.no_indexes()
    }

    async fn drop_index(&self, _: &IndexName) -> Result<bool> {
        self.no_indexes()
    }

    async fn indexes(&self) -> Result<Vec<Index>> {
        drop(self.state()?);
        Ok(Vec::new())
    }

    async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        consume_budget().await;
        self.state()?.changes(self.0.data.id, scope, since, limit)
    }

    async fn change_token(&self, scope: &Scope) -> Result<ChangeToken> {
        consume_budget().await;
        Ok(self.state()?.token(self.0.data.id, scope))
    }

    async fn wait_for_change(&self, scope: &Scope, token: &ChangeToken, at_most: Duration) {
        let mut timeout = std::pin::pin!(self.0.options.env.sleep(at_most));
        loop {
            // Asked for before looking: what changes after the look is not missed.
            let mut notice = std::pin::pin!(self.0.data.changed.notified());
            notice.as_mut().enable();
            match self.state() {
                Ok(state) if !state.is_behind(scope, token) => {}
                _ => return,
            }
            if let Either::Right(_) = select(notice, timeout.as_mut()).await {
                return;
            }
        }
    }

    async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        consume_budget().await;
        let state = self.state()?;
        if !self.0.options.features.audit {
            return Err(Error::unsupported("a record of changes: open the store with audit on"));
        }
        state.changes_recorded(partition, after, limit)
    }

    fn transactions(&self) -> Option<&dyn TxBackend> {
        Some(self)
    }

    fn features(&self) -> Features {
        self.0.options.features
    }

    fn limits(&self) -> Limits {
        self.0.options.limits
    }

    fn author(&self) -> Option<Arc<str>> {
        self.0.options.author.clone()
    }

    fn env(&self) -> &Env {
        &self.0.options.env
    }

    async fn close(&self) -> Result<()> {
        let state = self.0.data.lock();
        self.0.closed.store(true, Ordering::Relaxed);
        drop(state);
        self.0.data.changed.notify_waiters();
        Ok(())
    }
}

impl MemoryMetaStore {
    fn write(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: &WriteOptions,
    ) -> Result<Written> {
        self.0.options.limits.check_put(key, &body, &pre)?;
        match self.apply_one(&key.partition, Op::put(key.id.clone(), body, pre), options)? {
            Some(Applied::Written(written)) => Ok(written),
            _ => Err(Error::corrupt(self.to_string(), "a put that answers no write")),
        }
    }

    fn no_indexes<T>(&self) -> Result<T> {
        drop(self.state()?);
        Err(Error::unsupported("an index in memory: queries need none"))
    }
}
