//! The trait that every backend implements.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use ifmatch_core::Env;

use crate::audit::{AuditPosition, AuditRecord};
use crate::changes::{ChangePage, ChangeToken};
use crate::document::{Changed, Document};
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::features::Features;
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};
use crate::limits::Limits;
use crate::ops::{Applied, Deleted, Op, WriteOptions, Written};
use crate::precondition::DocPrecondition;
use crate::query::{AggregateRow, Aggregation, Filter, Index, IndexName, Query, QueryPage};
use crate::scan::{Page, ScanOptions, Scope};
use crate::transaction::TxBackend;

/// A store of JSON documents, in which a write can depend on what is there.
///
/// # Contract
/// 1. *Linearizable documents.* Each get, put and delete takes effect at one
///    moment between its call and its answer; whoever reads after an answered
///    write sees it or a later one.
/// 2. *Conditions hold or are refused.* A write is applied only if its
///    precondition holds at that moment, by [`DocPrecondition::check`]. Of
///    several writes with one ETag exactly one wins. A conflict is true at a
///    moment inside the call, never out of a stale cache.
/// 3. *Outcomes are true.* A write answers done, conflict (nothing was
///    applied), or outcome unknown; whatever reports another failure is not
///    visible, not even later.
/// 4. *ETags.* Every write makes a new one, and none is used again: not after
///    delete and recreate, not for equal bytes, not after a restart.
/// 5. *Bodies* come back byte for byte as they were put.
/// 6. *Batches are atomic* within their partition. Operations apply in order,
///    a later one sees the earlier ones. If one fails nothing is applied.
/// 7. *Order.* Scans are in byte order of the id, partitions in byte order.
/// 8. *Pages are snapshots.* A page is the state at one moment. A document that
///    is there during a whole scan is in it exactly once; writes meanwhile never
///    end a scan with an error.
/// 9. *Positions* grow with every commit; the members of a batch share one.
/// 10. *Names* are exact bytes. Names of ours are left out of scans, counts and
///     partitions.
/// 11. *Times and authors.* `created_at` survives replacement, not deletion;
///     `updated_by` is the author of the write, else the store's.
/// 12. *Shared.* Any number of tasks use one store at once; counting is as
///     fresh as reading.
/// 13. *Queries* mean what the evaluator says ([`Filter::matches`]), on every
///     backend; what a backend cannot do is an error, never another answer.
/// 14. *The feed is complete.* Whoever goes on from token to token hears of the
///     newest state of every document, deleted ones too, in the order of
///     commits of its partition; never of a state and then of an older one.
/// 15. *Local transactions* exclude every other writer of their partition from
///     begin to end, and are applied as one commit or not at all.
///
/// # Cancellation
/// Dropping a future never leaves anything half applied and never blocks
/// others. A write whose future was dropped may have been applied, or may still
/// be.
///
/// # Examples
/// ```
/// use ifmatch_meta::{DocKey, DocPrecondition, Json, MetaStore, Result};
/// # #[allow(dead_code)]
/// async fn rename(store: &dyn MetaStore) -> Result<()> {
///     let key = DocKey::new("teams", "a")?;
///     let first = store.put(&key, Json::new(r#"{"name":"A"}"#)?, DocPrecondition::IfAbsent).await?;
///     let next = DocPrecondition::IfMatch(first.etag);
///     store.put(&key, Json::new(r#"{"name":"B"}"#)?, next.clone()).await?;
///     let late = store.put(&key, Json::new(r#"{"name":"C"}"#)?, next).await;
///     assert_eq!(late.unwrap_err().kind(), "conflict");
///     Ok(())
/// }
/// ```
#[async_trait]
pub trait MetaStore: fmt::Debug + fmt::Display + Send + Sync {
    /// Reads a document; `None` where there is none.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`, `Closed`.
    ///
    /// # Cost
    /// Nothing on local stores.
    async fn get(&self, key: &DocKey) -> Result<Option<Document>>;

    /// Reads a document unless it is still in the state of `seen`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// # Cost
    /// As [`get`](Self::get).
    async fn get_if_changed(&self, key: &DocKey, seen: &ETag) -> Result<Changed> {
        Ok(match self.get(key).await? {
            None => Changed::Absent,
            Some(document) if document.etag == *seen => Changed::Unchanged,
            Some(document) => Changed::Document(document),
        })
    }

    /// Writes a document if the precondition holds.
    ///
    /// # Atomicity
    /// All of the document or nothing.
    ///
    /// # Errors
    /// - `Conflict`: the precondition does not hold; nothing was applied.
    /// - `Invalid`, `TooLarge`: the call is wrong; nothing was applied.
    /// - `OutcomeUnknown`: it may have been applied.
    /// - everything else: nothing was applied.
    ///
    /// # Cancellation
    /// Applied as a whole, now or a little later, or not at all.
    ///
    /// # Cost
    /// [`Written::cost`].
    async fn put(&self, key: &DocKey, body: Json, pre: DocPrecondition) -> Result<Written> {
        self.put_with(key, body, pre, WriteOptions::default()).await
    }

    /// [`put`](Self::put) with options.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written>;

    /// Deletes a document if the precondition holds.
    ///
    /// # Errors
    /// As [`put`](Self::put); `Invalid` under `IfAbsent`.
    ///
    /// # Cancellation
    /// As [`put`](Self::put).
    async fn delete(&self, key: &DocKey, pre: DocPrecondition) -> Result<Deleted> {
        self.delete_with(key, pre, WriteOptions::default()).await
    }

    /// [`delete`](Self::delete) with options.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    async fn delete_with(
        &self,
        key: &DocKey,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Deleted>;

    /// Writes a document under a new id, which the store makes: in the order of
    /// time, by the writer's clock, and never one that is there.
    ///
    /// # Errors
    /// As [`put`](Self::put); `Unsupported` where local transactions may be
    /// begun ([`Features::transactions`]).
    async fn insert(
        &self,
        partition: &Partition,
        body: Json,
        options: WriteOptions,
    ) -> Result<(DocId, Written)> {
        if self.features().transactions {
            return Err(Error::unsupported(
                "an id made by the store where local transactions may be begun: choose one",
            ));
        }
        let id = DocId::time_ordered(self.env());
        let key = DocKey { partition: partition.clone(), id: id.clone() };
        let written = self.put_with(&key, body, DocPrecondition::IfAbsent, options).await?;
        Ok((id, written))
    }

    /// Changes members of a document that is there (JSON merge patch, RFC
    /// 7396).
    ///
    /// # Errors
    /// As [`put`](Self::put); `Conflict` where nothing is there, under
    /// `Overwrite` too; `Invalid` under `IfAbsent`.
    async fn patch(
        &self,
        key: &DocKey,
        patch: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        let op = Op::patch(key.id.clone(), patch, pre);
        let applied = self.batch_with(&key.partition, vec![op], options).await;
        match applied.map_err(Error::alone)?.pop() {
            Some(Applied::Written(written)) => Ok(written),
            _ => Err(Error::corrupt(self.to_string(), "a patch that answers no write")),
        }
    }

    /// Applies operations in order, all or none; answers one by one.
    ///
    /// # Atomicity
    /// All operations in one commit, or nothing. Nobody sees a part.
    ///
    /// # Errors
    /// As [`put`](Self::put); where one operation fails the error is
    /// [`InBatch`](crate::Error::InBatch) and names its index: also a conflict
    /// with an earlier one, whose tag nobody ever sees. A batch beyond [`Limits`]
    /// has the kind `too_large`.
    ///
    /// # Cancellation
    /// As [`put`](Self::put), as a whole.
    ///
    /// # Cost
    /// The first answer carries the cost of all.
    async fn batch(&self, partition: &Partition, ops: Vec<Op>) -> Result<Vec<Applied>> {
        self.batch_with(partition, ops, WriteOptions::default()).await
    }

    /// [`batch`](Self::batch) with options.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>>;

    /// Reads one page of a partition, in order of the id.
    ///
    /// # Consistency
    /// A page is the state at one moment; the next page, asked for with the
    /// token, is that of a later one.
    ///
    /// # Errors
    /// `Invalid` for a token of the other direction; else as
    /// [`get`](Self::get).
    async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page>;

    /// All documents of a scan, page by page as they are asked for.
    ///
    /// `options.limit` is that of a page; take as many as you want.
    ///
    /// # Consistency
    /// As [`scan`](Self::scan): concurrent writes never end it with an error.
    fn documents(
        &self,
        partition: &Partition,
        options: ScanOptions,
    ) -> BoxStream<'_, Result<Document>> {
        let partition = partition.clone();
        stream::try_unfold(Some(options), move |options| {
            let partition = partition.clone();
            async move {
                let Some(options) = options else { return Ok::<_, Error>(None) };
                let page = self.scan(&partition, options.clone()).await?;
                let next = page.next.map(|token| options.after(token));
                Ok(Some((stream::iter(page.documents.into_iter().map(Ok)), next)))
            }
        })
        .try_flatten()
        .boxed()
    }

    /// The partitions that hold documents, in byte order, those after `after`
    /// only, at most `limit` (at least 1). Fewer than that: there are no more.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn partitions(&self, after: Option<&Partition>, limit: usize) -> Result<Vec<Partition>>;

    /// How many documents there are.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn count(&self, scope: &Scope) -> Result<u64> {
        self.count_where(scope, &Filter::Everything).await
    }

    /// How many documents match.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    async fn count_where(&self, scope: &Scope, filter: &Filter) -> Result<u64>;

    /// Reads one page of the documents that match.
    ///
    /// # Consistency
    /// A page is the state at one moment where the scope is one partition; of
    /// all partitions, each is read at one moment.
    ///
    /// # Errors
    /// `Invalid` for a filter that makes no sense (it names the field and the
    /// operator) and for a token of another query; `TooLarge` (kind) for one of
    /// more than 1,000 conditions; else as [`get`](Self::get).
    async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage>;

    /// Counts, sums, smallest and largest values, by group.
    ///
    /// # Errors
    /// As [`query`](Self::query); `TooLarge` for more groups than asked for.
    async fn aggregate(&self, scope: &Scope, of: &Aggregation) -> Result<Vec<AggregateRow>>;

    /// Declares an index and fills it. Declaring one that is there is fine.
    ///
    /// # Errors
    /// `Unsupported` where the backend has none; `Invalid` where the name stands
    /// for another field.
    async fn create_index(&self, index: &Index) -> Result<()>;

    /// Drops an index; whether it was there.
    ///
    /// # Errors
    /// `Unsupported` where the backend has none.
    async fn drop_index(&self, name: &IndexName) -> Result<bool>;

    /// The declared indexes, in order of their names.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn indexes(&self) -> Result<Vec<Index>>;

    /// What became of documents since a token; from the beginning without one.
    /// At most `limit` changes (at least 1), fewer where they are large.
    ///
    /// # Errors
    /// `Invalid` for a token of another store or scope; `TokenExpired` where
    /// deletions since then are no longer remembered.
    ///
    /// # Cost
    /// One request on remote stores where nothing changed.
    async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage>;

    /// A token of now: only what changes later follows it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn change_token(&self, scope: &Scope) -> Result<ChangeToken>;

    /// Waits until something may have changed since `token`, at most so long.
    /// Only a hint: it may return early, and a notice may be lost. Backends
    /// without notices wait the whole time.
    async fn wait_for_change(&self, scope: &Scope, token: &ChangeToken, at_most: Duration) {
        let _ = (scope, token);
        self.env().sleep(at_most).await;
    }

    /// Every change of a partition's documents after a place in the record, in
    /// order, at most `limit` (at least 1). Fewer than that: there are no more.
    ///
    /// # Errors
    /// `Unsupported` where the store keeps no record ([`Features::audit`]);
    /// `TokenExpired` where it reaches not so far back.
    async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>>;

    /// What local transactions stand on; `None` where they are not supported at
    /// all (they may still be switched off, [`Features::transactions`]).
    fn transactions(&self) -> Option<&dyn TxBackend>;

    /// What this store was opened with.
    fn features(&self) -> Features;

    /// How large documents and batches may be here.
    fn limits(&self) -> Limits;

    /// Who writes where a write does not say so, by an option of the store.
    fn author(&self) -> Option<Arc<str>> {
        None
    }

    /// Clock and randomness of this store.
    fn env(&self) -> &Env;

    /// Ends what runs in the background and lets go of files and connections,
    /// after what was accepted before is done. Every later operation on any
    /// clone answers `Closed`. Closing twice is fine.
    ///
    /// # Errors
    /// Where something could not be brought to its end; it is closed all the
    /// same.
    async fn close(&self) -> Result<()>;
}
