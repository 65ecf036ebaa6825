//! Taking everything out of a partition.

mod error;

use std::collections::BTreeMap;
use std::future::Future;

use futures::TryStreamExt as _;
use ifmatch_core::{Retry, RetryPolicy};

pub use error::DrainError;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::key::{DocId, Partition};
use crate::ops::{Op, WriteOptions};
use crate::precondition::DocPrecondition;
use crate::scan::ScanOptions;
use crate::store::MetaStore;
use crate::update::Backoff;

/// What is taken, and how.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DrainOptions {
    /// Which documents, and how many of them at a time; all of the partition and
    /// 1,000 unless set. Its fields must not be projected.
    pub scan: ScanOptions,
    /// How long and how often each request is tried.
    pub policy: RetryPolicy,
    /// Who deletes.
    pub write: WriteOptions,
}

impl DrainOptions {
    /// Sets which documents, and how many of them at a time.
    pub fn scan(mut self, scan: ScanOptions) -> Self {
        self.scan = scan;
        self
    }

    /// Sets how long and how often each request is tried.
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets who deletes.
    pub fn write(mut self, write: WriteOptions) -> Self {
        self.write = write;
        self
    }
}

/// What was taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Drained {
    /// How many documents were handed out and deleted.
    pub deleted: u64,
    /// Those that were handed out and not deleted, because somebody else wrote
    /// or deleted them in between.
    pub changed: Vec<DocId>,
}

/// Takes all documents out of a partition: hands them to `take`, page by page,
/// and deletes exactly the states that were handed out, each page after `take`
/// has answered that they are in safety.
///
/// A document that somebody writes in between stays, in its new state, and is
/// told in [`Drained::changed`]; so does one that is created behind the place
/// that was reached. Call it again to take those too.
///
/// # Atomicity
/// What was deleted was handed out before. A page is deleted in one batch, where
/// it is within the store's [`Limits`](crate::Limits) and nobody else wrote to it.
///
/// # Errors
/// Each tells what was taken until then.
/// - [`Refused`](DrainError::Refused): `take` failed; its page is there still.
/// - [`Store`](DrainError::Store): documents of the last page may be there still,
///   and with `OutcomeUnknown` also if nothing is: they may be handed out again.
///
/// # Cancellation
/// As after an error: what was handed out last may be there or not.
///
/// # Cost
/// A scan and a batch for each page; one more of both each time that somebody
/// else wrote to it.
///
/// # Examples
/// ```
/// use ifmatch_core::Env;
/// use ifmatch_meta::{DocKey, DocPrecondition, DrainOptions, Json, MemoryMetaStore, MetaStore};
/// use ifmatch_meta::{Partition, Result, Scope, drain};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = MemoryMetaStore::new(Env::real());
/// for id in ["a", "b"] {
///     let key = DocKey::new("inbox", id)?;
///     store.put(&key, Json::new("{}")?, DocPrecondition::IfAbsent).await?;
/// }
/// let inbox = Partition::new("inbox")?;
/// let mut saved = Vec::new();
/// let drained = drain(&store, &inbox, DrainOptions::default(), |page| {
///     saved.extend(page);
///     async { Ok::<_, std::io::Error>(()) } // Here they go to where they are safe.
/// })
/// .await?;
/// assert_eq!((saved.len(), drained.deleted), (2, 2));
/// assert_eq!(store.count(&Scope::Partition(inbox)).await?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn drain<E, F, T>(
    store: &dyn MetaStore,
    partition: &Partition,
    options: DrainOptions,
    mut take: F,
) -> Result<Drained, DrainError<E>>
where
    E: Send,
    F: FnMut(Vec<Document>) -> T + Send,
    T: Future<Output = Result<(), E>> + Send,
{
    let mut run = Run { store, partition, options, drained: Drained::default() };
    if run.options.scan.fields.is_some() {
        let error = Error::invalid("a drain of chosen fields: the rest would be lost");
        return Err(run.failed(error));
    }
    loop {
        let (documents, next) = match run.scan().await {
            Ok(page) => page,
            Err(error) => return Err(run.failed(error)),
        };
        let states: States =
            documents.iter().map(|document| (document.key.id.clone(), document.etag)).collect();
        if !documents.is_empty() {
            if let Err(error) = take(documents).await {
                return Err(DrainError::Refused { error, drained: run.drained });
            }
            if let Err(error) = run.delete(states).await {
                return Err(run.failed(error));
            }
        }
        let Some(next) = next else { return Ok(run.drained) };
        run.options.scan = run.options.scan.after(next);
    }
}

/// Documents and the tags under which they were handed out.
type States = BTreeMap<DocId, ETag>;

struct Run<'a> {
    store: &'a dyn MetaStore,
    partition: &'a Partition,
    options: DrainOptions,
    drained: Drained,
}

impl Run<'_> {
    fn failed<E>(self, error: Error) -> DrainError<E> {
        DrainError::Store { error, drained: self.drained }
    }

    async fn scan(&self) -> Result<(Vec<Document>, Option<crate::scan::ScanToken>)> {
        let mut backoff = Backoff::start(self.store.env(), self.options.policy);
        loop {
            match self.store.scan(self.partition, self.options.scan.clone()).await {
                Ok(page) => return Ok((page.documents, page.next)),
                Err(error) if error.retry() == Retry::Same => backoff.pause_after(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Deletes these states, as far as they are there.
    async fn delete(&mut self, mut states: States) -> Result<()> {
        let mut backoff = Backoff::start(self.store.env(), self.options.policy);
        while !states.is_empty() {
            let ops = self.batch(&states);
            let count = ops.len();
            let done = self.store.batch_with(self.partition, ops, self.options.write.clone()).await;
            let mut failed = done.map(|_| {
                self.drained.deleted += count as u64;
                (0..count).for_each(|_| drop(states.pop_first()));
            });
            if let Err(error) = &failed
                && error.retry() == Retry::Rebase
            {
                failed = self.leave_changed(&mut states).await;
            }
            match failed {
                Err(error) if error.retry() == Retry::Same => backoff.pause_after(error).await?,
                failed => failed.map_err(Error::alone)?,
            }
        }
        Ok(())
    }

    /// As many deletes as one batch may hold.
    fn batch(&self, states: &States) -> Vec<Op> {
        let limits = self.store.limits();
        let mut bytes = 0;
        let mut ops = Vec::new();
        for (id, etag) in states {
            let op = Op::delete(id.clone(), DocPrecondition::IfMatch(*etag));
            bytes += op.size();
            let full = ops.len() >= limits.batch_operations || bytes > limits.batch_bytes;
            if full && !ops.is_empty() {
                break;
            }
            ops.push(op);
        }
        ops
    }

    /// Takes out of `states` what is not there any more, and tells it.
    async fn leave_changed(&mut self, states: &mut States) -> Result<()> {
        let (Some((first, _)), Some((last, _))) =
            (states.first_key_value(), states.last_key_value())
        else {
            return Ok(());
        };
        let mut scan = ScanOptions::default().ids(first.as_str()..=last.as_str());
        scan.with_reserved = self.options.scan.with_reserved;
        let mut documents = self.store.documents(self.partition, scan);
        let mut unchanged = States::new();
        while let Some(Document { key, etag, .. }) = documents.try_next().await? {
            if states.get(&key.id) == Some(&etag) {
                unchanged.insert(key.id, etag);
            }
        }
        let changed = states.keys().filter(|id| !unchanged.contains_key(*id)).cloned();
        self.drained.changed.extend(changed);
        *states = unchanged;
        Ok(())
    }
}
