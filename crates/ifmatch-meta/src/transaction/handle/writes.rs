//! Writes of a transaction.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::{Inner, Transaction};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::evaluate::{Batch, Present, evaluate};
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};
use crate::mark::Mark;
use crate::ops::{Applied, Cost, Deleted, Op, WriteOptions, Written};
use crate::precondition::DocPrecondition;
use crate::store::MetaStore;
use crate::transaction::overlay::Overlay;

/// How many documents are read at once.
const READS: usize = 8;

impl Transaction {
    /// Writes a document if the precondition holds for what the transaction
    /// sees. `position` and cost of the answer are 0: see
    /// [`commit`](Self::commit).
    ///
    /// # Errors
    /// `Expired`, `Busy`; `Invalid` for another partition; `TooLarge` where too
    /// much is staged; else as [`MetaStore::put`]. Nothing was written, and the
    /// transaction stays open.
    pub async fn put(&self, key: &DocKey, body: Json, pre: DocPrecondition) -> Result<Written> {
        self.put_with(key, body, pre, WriteOptions::default()).await
    }

    /// [`put`](Self::put) with options.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn put_with(
        &self,
        key: &DocKey,
        body: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.write(&key.partition, Op::put(key.id.clone(), body, pre), options).await
    }

    /// Changes members of a document that is there, as [`MetaStore::patch`].
    ///
    /// # Errors
    /// As [`put`](Self::put) and [`MetaStore::patch`].
    pub async fn patch(
        &self,
        key: &DocKey,
        patch: Json,
        pre: DocPrecondition,
        options: WriteOptions,
    ) -> Result<Written> {
        self.write(&key.partition, Op::patch(key.id.clone(), patch, pre), options).await
    }

    /// Deletes a document if the precondition holds for what the transaction
    /// sees.
    ///
    /// # Errors
    /// As [`put`](Self::put) and [`MetaStore::delete`].
    pub async fn delete(&self, key: &DocKey, pre: DocPrecondition) -> Result<Deleted> {
        let op = Op::delete(key.id.clone(), pre);
        match self.one(&key.partition, op, WriteOptions::default()).await? {
            Applied::Deleted(deleted) => Ok(deleted),
            _ => Err(self.strange()),
        }
    }

    /// Applies operations in order to what the transaction sees, all or none.
    ///
    /// # Errors
    /// As [`put`](Self::put) and [`MetaStore::batch`]. Nothing was written.
    pub async fn batch(&self, partition: &Partition, ops: Vec<Op>) -> Result<Vec<Applied>> {
        self.batch_with(partition, ops, WriteOptions::default()).await
    }

    /// [`batch`](Self::batch) with options.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    pub async fn batch_with(
        &self,
        partition: &Partition,
        ops: Vec<Op>,
        options: WriteOptions,
    ) -> Result<Vec<Applied>> {
        let inner = &*self.inner;
        let mut turn = inner.open_turn()?;
        let address = inner.address()?;
        let own = &address.partition;
        if own != partition {
            return Err(Error::invalid(format!(
                "partition {partition}: transaction {} writes in {own} only",
                inner.id
            )));
        }
        let (store, env) = (&*inner.store, inner.env());
        let limits = store.limits();
        limits.check_batch(partition, &ops)?;
        let counter = address.incarnation.saturating_add(1);
        let etags: Vec<ETag> = ops.iter().map(|_| ETag::mint(counter, env)).collect();
        let mut present = Seen::read(store, partition, &turn.overlay, &ops).await?;
        let batch = Batch {
            partition,
            ops: &ops,
            etags: &etags,
            now: env.wall_clock(),
            author: inner.author(options.author),
            return_documents: options.return_document,
            largest: limits.document,
        };
        let mut evaluated = evaluate(&batch, &mut present)?;
        let effects = std::mem::take(&mut evaluated.effects);
        turn.overlay.apply(effects, inner.options.staged)?;
        Ok(evaluated.answers(0, Cost::default()))
    }

    async fn write(&self, partition: &Partition, op: Op, options: WriteOptions) -> Result<Written> {
        match self.one(partition, op, options).await? {
            Applied::Written(written) => Ok(written),
            _ => Err(self.strange()),
        }
    }

    async fn one(&self, partition: &Partition, op: Op, options: WriteOptions) -> Result<Applied> {
        let applied = self.batch_with(partition, vec![op], options).await.map_err(Error::alone)?;
        applied.into_iter().next().ok_or_else(|| self.strange())
    }

    fn strange(&self) -> Error {
        Error::corrupt(self.inner.store.to_string(), "an operation without its answer")
    }
}

impl Inner {
    pub(super) fn author(
        &self,
        of_the_write: Option<std::sync::Arc<str>>,
    ) -> Option<std::sync::Arc<str>> {
        of_the_write.or_else(|| self.options.author.clone()).or_else(|| self.store.author())
    }
}

/// What operations look at, read before they are evaluated.
pub(in crate::transaction) struct Seen {
    documents: BTreeMap<DocId, Option<Document>>,
    marks: Vec<(Mark, bool)>,
}

impl Seen {
    /// What was written, else what is committed.
    pub(in crate::transaction) async fn read(
        store: &dyn MetaStore,
        partition: &Partition,
        written: &Overlay,
        ops: &[Op],
    ) -> Result<Self> {
        let ids: BTreeSet<&DocId> = ops.iter().filter_map(Op::id).collect();
        let (mut documents, mut committed) = (BTreeMap::new(), Vec::new());
        for id in ids {
            match written.written(id) {
                Some(row) => _ = documents.insert(id.clone(), row.document()),
                None => committed.push(DocKey { partition: partition.clone(), id: id.clone() }),
            }
        }
        let reads = committed.into_iter().map(|key| async move {
            let document = store.get(&key).await?;
            Ok::<_, Error>((key.id, document))
        });
        let read: Vec<_> = stream::iter(reads).buffered(READS).try_collect().await?;
        documents.extend(read);
        let mut marks = Vec::new();
        for op in ops {
            let Op::Unchanged { since } = op else { continue };
            // A batch that only checks is no write: no lock is in its way.
            match store.batch(partition, vec![op.clone()]).await.map_err(Error::alone) {
                Ok(_) => marks.push((since.clone(), true)),
                Err(Error::PartitionChanged { .. }) => marks.push((since.clone(), false)),
                Err(error) => return Err(error),
            }
        }
        Ok(Self { documents, marks })
    }
}

impl Present<Error> for Seen {
    type Document = Document;

    fn document(&mut self, id: &DocId) -> Result<Option<Document>> {
        Ok(self.documents.get(id).cloned().flatten())
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool> {
        Ok(self.marks.iter().any(|(mark, unchanged)| mark == since && *unchanged))
    }
}
