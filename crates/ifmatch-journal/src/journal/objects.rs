//! Reading and writing the immutable objects of a journal.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use ifmatch_core::{
    Attempt, BlobKey, ConditionalBlobStore, Env, Error as StoreError, Fetched, GetOptions,
    Operation, Precondition, Reason, Retry, RetryPolicy, Timestamp, WriteId,
};

use super::backoff::Backoff;
use super::stats::Stats;
use crate::error::{Error, Result};
use crate::head::{CheckpointRef, ObjectId, ObjectRef, PartRef, Parts, SegmentRef};
use crate::journal::read::session::Moment;
use crate::object::{Folder, History, Sealed, unseal_index, unseal_part, unseal_segment};
use crate::record::CommitRecord;

/// How many objects are read or written at a time.
const PARALLEL: usize = 8;
/// How often an object may be missing or damaged before that is believed.
const STRANGE: u32 = 4;
/// Nodes of the history that are kept: they never change.
const NODES: usize = 8;

/// The objects of one journal.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) store: Arc<dyn ConditionalBlobStore>,
    /// The folder they lie in, with a slash at its end, or nothing.
    pub(crate) folder: String,
    pub(crate) env: Env,
    pub(crate) retry: RetryPolicy,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    pub(crate) stats: Arc<Stats>,
    pub(crate) nodes: Mutex<Nodes>,
}

/// Nodes of the history that were read lately.
pub(crate) type Nodes = VecDeque<(ObjectId, Arc<History>)>;

/// An object that was written, and when, by the store's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uploaded {
    pub(crate) object: ObjectRef,
    pub(crate) at: Option<Timestamp>,
    /// When, by our own clocks: for a store that has none.
    pub(crate) moment: Moment,
}

/// The request's answer, unless it takes too long.
pub(crate) async fn within<T>(
    env: &Env,
    timeout: Duration,
    request: impl Future<Output = T>,
) -> Option<T> {
    let timeout = env.sleep(timeout);
    tokio::select! {
        biased;
        answer = request => Some(answer),
        () = timeout => None,
    }
}

/// What a request that took too long comes to.
fn late(key: &BlobKey) -> StoreError {
    let reason = Reason::new("the store did not answer in time");
    StoreError::unavailable(Operation::Get, key.as_str(), reason)
}

impl Objects {
    pub(crate) fn key(&self, folder: Folder, id: ObjectId) -> Result<BlobKey> {
        Ok(BlobKey::new(format!("{}{}/{id}", self.folder, folder.as_str()))?)
    }

    /// Writes an object. Its name is its own and its bytes are the same each
    /// time: sending it again is always safe.
    pub(crate) async fn write(&self, sealed: Sealed) -> Result<Uploaded> {
        let Sealed { folder, object, bytes } = sealed;
        let key = self.key(folder, object.id)?;
        let mut backoff = Backoff::start(&self.env, self.retry);
        loop {
            self.stats.object_puts.add(1);
            let write = WriteId::random(&self.env);
            let put = self.store.attempt_put(&key, bytes.clone(), &Precondition::Overwrite, write);
            let moment = Moment::now(&self.env);
            let answer = within(&self.env, self.timeout, put).await;
            let error = match answer.unwrap_or_else(|| Attempt::Unknown(late(&key))) {
                Attempt::Applied(stored) => {
                    return Ok(Uploaded { object, at: stored.date, moment });
                }
                Attempt::Refused(error) if error.retry() != Retry::Same => return Err(error.into()),
                Attempt::Refused(error) | Attempt::Unknown(error) => error,
                _ => StoreError::conflict(
                    &key,
                    Precondition::Overwrite,
                    ifmatch_core::Current::Unknown,
                ),
            };
            backoff.pause_after(error.into()).await?;
        }
    }

    /// Writes objects, several at a time.
    pub(crate) async fn write_all(&self, sealed: Vec<Sealed>) -> Result<Vec<Uploaded>> {
        stream::iter(sealed).map(|sealed| self.write(sealed)).buffered(PARALLEL).try_collect().await
    }

    /// Reads an object. What arrives damaged, or not at all, is read again, a few
    /// times: a network or a late replica may be to blame.
    async fn read<T>(
        &self,
        folder: Folder,
        object: &ObjectRef,
        unseal: impl Fn(&Bytes) -> Result<T>,
    ) -> Result<T> {
        let key = self.key(folder, object.id)?;
        let mut backoff = Backoff::start(&self.env, self.retry);
        let mut strange = 0;
        loop {
            self.stats.object_gets.add(1);
            let get = self.store.get(&key, GetOptions::new());
            let answer = within(&self.env, self.timeout, get).await;
            let error = match answer.unwrap_or_else(|| Err(late(&key))) {
                Ok(Fetched::Found(blob)) => match unseal(&blob.body) {
                    Err(Error::Store(StoreError::Corrupt { detail, .. })) => {
                        Error::corrupt(key.as_str(), detail)
                    }
                    answer => return answer,
                },
                Ok(_) => Error::missing(format!("{key}, which the head names")),
                Err(error) if error.retry() == Retry::Never && error.kind() != "corrupt" => {
                    return Err(error.into());
                }
                Err(error) => error.into(),
            };
            strange += u32::from(error.retry() == Retry::Never);
            if strange >= STRANGE {
                return Err(error);
            }
            backoff.pause_after(error).await?;
        }
    }

    pub(crate) async fn segment(&self, segment: &SegmentRef) -> Result<Vec<CommitRecord>> {
        let unseal = |bytes: &Bytes| unseal_segment(segment, bytes);
        self.read(Folder::Segments, &segment.object, unseal).await
    }

    /// The records of segments, in their order.
    pub(crate) async fn segments(
        &self,
        segments: impl IntoIterator<Item = SegmentRef>,
    ) -> Result<Vec<Vec<CommitRecord>>> {
        let read = |segment: SegmentRef| async move { self.segment(&segment).await };
        stream::iter(segments).map(read).buffered(PARALLEL).try_collect().await
    }

    pub(crate) async fn part(&self, part: &PartRef) -> Result<Bytes> {
        let unseal = |bytes: &Bytes| unseal_part(part, bytes);
        self.read(Folder::Checkpoints, &part.object, unseal).await
    }

    pub(crate) async fn part_refs(&self, checkpoint: &CheckpointRef) -> Result<Vec<PartRef>> {
        match &checkpoint.parts {
            Parts::Inline(parts) => Ok(parts.clone()),
            Parts::Indexed(index) => {
                let unseal = |bytes: &Bytes| unseal_index(index, bytes);
                self.read(Folder::Checkpoints, index, unseal).await
            }
        }
    }

    /// The parts of a checkpoint, in their order.
    pub(crate) async fn parts(&self, checkpoint: &CheckpointRef) -> Result<Vec<Bytes>> {
        let parts = self.part_refs(checkpoint).await?;
        let read = |part: PartRef| async move { self.part(&part).await };
        stream::iter(parts).map(read).buffered(PARALLEL).try_collect().await
    }

    pub(crate) async fn history(&self, object: &ObjectRef) -> Result<Arc<History>> {
        let kept = self.nodes().iter().find(|(id, _)| *id == object.id).cloned();
        if let Some((_, node)) = kept {
            return Ok(node);
        }
        let node = self.read(Folder::History, object, |bytes| History::unseal(object, bytes));
        let node = Arc::new(node.await?);
        let mut nodes = self.nodes();
        nodes.push_back((object.id, Arc::clone(&node)));
        let surplus = nodes.len().saturating_sub(NODES);
        nodes.drain(..surplus);
        Ok(node)
    }

    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
