//! What the body of an optimistic transaction works on.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::failures::Read;
use super::run::Run;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::evaluate::{Batch, Present, evaluate};
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};
use crate::mark::Mark;
use crate::ops::Op;
use crate::precondition::DocPrecondition;
use crate::query::{Query, QueryPage};
use crate::scan::{Page, ScanOptions, Scope};
use crate::store::MetaStore;
use crate::transaction::overlay::{Overlay, Row};
use crate::transaction::pages;

/// One run of the body of [`transact`](crate::transact()): its reads are
/// remembered, its writes are collected.
///
/// A document is read once and stays as it was read. Reads of documents and
/// scans see the writes of this draft; what such a document carries as ETag and
/// time is provisional, the true ones are in
/// [`Transacted::applied`](crate::Transacted::applied). Clones are the same
/// draft.
#[derive(Clone)]
pub struct Draft<'a> {
    store: &'a dyn MetaStore,
    partition: &'a Partition,
    run: Arc<Mutex<Run>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(store: &'a dyn MetaStore, partition: &'a Partition) -> Self {
        Self { store, partition, run: Arc::default() }
    }

    /// Ends the run: clones that the body kept can do nothing more.
    pub(super) fn close(&self) -> Run {
        let mut run = self.run();
        run.closed = true;
        run.clone()
    }

    /// The partition.
    pub const fn partition(&self) -> &'a Partition {
        self.partition
    }

    /// Names who writes; the store's own author otherwise.
    pub fn author(&self, author: impl Into<Arc<str>>) {
        self.run().options.author = Some(author.into());
    }

    /// Says that what the body answers and writes does not rest on the reads of
    /// this draft that have failed so far, so that the run may count in spite of
    /// them.
    pub fn disregard_failures(&self) {
        self.run().failures.clear();
    }

    /// Reads a document; `None` where there is none.
    ///
    /// # Errors
    /// As [`MetaStore::get`]; `Conflict` where a write of this draft to it does
    /// not fit what is there.
    pub async fn get(&self, id: &DocId) -> Result<Option<Document>> {
        let document = self.committed(id).await?;
        let ops: Vec<Op> =
            self.open()?.ops.iter().filter(|op| op.id() == Some(id)).cloned().collect();
        if ops.is_empty() {
            return Ok(document);
        }
        let written = self.written(&ops)?;
        Ok(written.written(id).map_or(document, Row::document))
    }

    /// Reads one page of the partition. Whatever changes in the partition
    /// before the commit makes the body run again.
    ///
    /// # Errors
    /// As [`MetaStore::scan`] and [`get`](Self::get).
    pub async fn scan(&self, options: ScanOptions) -> Result<Page> {
        let ops = self.open()?.ops.clone();
        for id in ops.iter().filter_map(Op::id) {
            self.committed(id).await?;
        }
        let written = self.written(&ops)?;
        let read = Read::Page(Box::new(options.clone()));
        let page = pages::scan(self.store, self.partition, &written, options).await;
        let page = self.noted(&read, page)?;
        self.mark(page.mark.clone());
        Ok(page)
    }

    /// Reads one page of the documents that match. Whatever changes in the
    /// partition before the commit makes the body run again.
    ///
    /// # Errors
    /// As [`MetaStore::query`]; `Invalid` after a write of this draft, which a
    /// query does not see: query first.
    pub async fn query(&self, query: &Query) -> Result<QueryPage> {
        if !self.open()?.ops.is_empty() {
            return Err(Error::invalid("a query after a write of the same draft: query first"));
        }
        let scope = Scope::Partition(self.partition.clone());
        let read = Read::Query(Box::new(query.clone()));
        let page = self.noted(&read, self.store.query(&scope, query).await)?;
        let Some(mark) = page.mark.clone() else {
            let store = self.store.to_string();
            return Err(Error::corrupt(store, "a query of a partition without its mark"));
        };
        self.mark(mark);
        Ok(page)
    }

    /// Writes a document at the commit, if the precondition holds then.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn put(&self, id: &DocId, body: Json, pre: DocPrecondition) -> Result<()> {
        self.push(Op::put(id.clone(), body, pre))
    }

    /// Changes members of a document at the commit, if it is there and the
    /// precondition holds then.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn patch(&self, id: &DocId, patch: Json, pre: DocPrecondition) -> Result<()> {
        self.push(Op::patch(id.clone(), patch, pre))
    }

    /// Deletes a document at the commit, if the precondition holds then.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn delete(&self, id: &DocId, pre: DocPrecondition) -> Result<()> {
        self.push(Op::delete(id.clone(), pre))
    }

    /// Adds an operation to the commit.
    ///
    /// # Errors
    /// `Invalid` and `TooLarge` where it can be known already; `Closed` after
    /// the body has answered.
    pub fn push(&self, op: Op) -> Result<()> {
        let limits = self.store.limits();
        let checked = limits.check_batch(self.partition, std::slice::from_ref(&op));
        checked.map_err(Error::alone)?;
        self.open()?.ops.push(op);
        Ok(())
    }

    /// A document as it is committed, read once.
    async fn committed(&self, id: &DocId) -> Result<Option<Document>> {
        let read = Read::Document(id.clone());
        let known = self.open()?.documents.get(id).cloned();
        if let Some(document) = known {
            return self.noted(&read, Ok(document));
        }
        let key = DocKey { partition: self.partition.clone(), id: id.clone() };
        let document = self.noted(&read, self.store.get(&key).await)?;
        // Where two reads of it were under way the first counts.
        Ok(self.open()?.documents.entry(id.clone()).or_insert(document).clone())
    }

    /// What operations make of documents that were read before.
    fn written(&self, ops: &[Op]) -> Result<Overlay> {
        let env = self.store.env();
        let etags: Vec<ETag> = ops.iter().map(|_| ETag::mint(0, env)).collect();
        let mut run = self.open()?;
        let batch = Batch {
            partition: self.partition,
            ops,
            etags: &etags,
            now: env.wall_clock(),
            author: run.options.author.clone().or_else(|| self.store.author()),
            return_documents: false,
            largest: self.store.limits().document,
        };
        let evaluated = evaluate(&batch, &mut *run)?;
        let mut written = Overlay::default();
        written.apply(evaluated.effects, usize::MAX)?;
        Ok(written)
    }

    fn mark(&self, mark: Mark) {
        let mut run = self.run();
        if run.marks.last() != Some(&mark) {
            run.marks.push(mark);
        }
    }

    /// Remembers what failed.
    fn noted<T>(&self, read: &Read, answer: Result<T>) -> Result<T> {
        self.run().failures.note(read, &answer);
        answer
    }

    fn open(&self) -> Result<MutexGuard<'_, Run>> {
        let run = self.run();
        if run.closed {
            return Err(Error::closed("a draft whose body has answered"));
        }
        Ok(run)
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present<Error> for Run {
    type Document = Document;

    fn document(&mut self, id: &DocId) -> Result<Option<Document>> {
        Ok(self.documents.get(id).cloned().flatten())
    }

    fn is_unchanged(&mut self, _: &Mark) -> Result<bool> {
        Ok(true) // Judged at the commit.
    }
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("partition", self.partition).finish_non_exhaustive()
    }
}
