//! The store itself: the trait over blocking file operations.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Error, Fetched, GetOptions, Operation, Precondition, ProbeGate, Reach, Result,
    RetryPolicy, Stored, WriteId,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::config::FsOptions;
use super::core::Core;
use super::delete::Delete;
use super::list::Walk;
use super::put::{End, Put};
use super::{read, shard};

/// Blobs as files below a folder of this machine, compared and swapped between
/// all its processes.
///
/// Clones share a handle; several handles on one root, in one process or in
/// many, exclude each other by file locks. The root is created by the first
/// write, and reading below a missing root finds nothing. The root may be given
/// through a symbolic link; below it none is followed. Files are readable by
/// their owner only.
///
/// # Atomicity
/// A reader sees a body whole or not at all, whatever is killed and whenever.
///
/// # Consistency
/// As the trait says, between all processes of **one machine** that use the
/// store through this crate. Network file systems (NFS, SMB) are unsupported:
/// their locks and renames do not hold what this store promises. Removing
/// `.ifmatch-store` costs a writer that is at work a retry and nothing else.
///
/// An answered write is on disk (with [`FsOptions::durable`]). One whose writer
/// was killed between the rename and its answer is seen by readers at once and
/// is on disk with the next answered write in its folder.
///
/// # Errors
/// - [`Denied`](Error::Denied): no permission, or a read-only file system.
/// - [`Other`](Error::Other): a full disk, an I/O error; nothing was applied.
/// - [`Unavailable`](Error::Unavailable): too many open files, or folders that
///   change all the time; nothing was applied.
/// - [`Corrupt`](Error::Corrupt): a file that does not verify, a symbolic link.
///   Only a put or delete under `Overwrite` touches such an object.
/// - [`Invalid`](Error::Invalid): the root is no folder.
/// - [`Closed`](Error::Closed): a folder could not be synced earlier, so that
///   nobody knows what of it is on disk: the handle and its clones answer
///   nothing more; open the store anew. The write that met it ended in
///   `OutcomeUnknown`.
///
/// # Cancellation
/// A write whose future is dropped runs on to its end: its outcome is unknown
/// to the caller. It waits as long as another process holds its shard's lock.
///
/// # Cost
/// A durable put syncs one file and each folder from the root down to its own.
/// Blocking calls run on tokio's blocking threads. A listing holds the names of
/// the folders on its way in memory.
///
/// # Examples
/// ```
/// use ifmatch_core::{BlobKey, ConditionalBlobStore, Env, Precondition};
/// use ifmatch_object::{FsBlobStore, FsOptions};
/// # let folder = tempfile::tempdir()?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = FsBlobStore::new(folder.path().join("blobs"), FsOptions::default(), Env::real())?;
/// let key = BlobKey::new("teams/a/head")?;
/// let first = store.put(&key, "1".into(), Precondition::IfAbsent).await?;
/// store.put(&key, "2".into(), Precondition::IfMatch(first.version.clone())).await?;
/// let late = store.put(&key, "3".into(), Precondition::IfMatch(first.version)).await;
/// assert_eq!(late.unwrap_err().kind(), "conflict");
/// # Ok::<(), ifmatch_core::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FsBlobStore {
    core: Arc<Core>,
    /// In front of each shard's file lock, so that the writers of one handle
    /// wait here and not each on a thread.
    shards: Arc<[Arc<Mutex<()>>]>,
    env: Env,
    retry: RetryPolicy,
}

impl FsBlobStore {
    /// The store below `root`, an absolute path. Nothing is touched yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the path is relative or holds a zero byte.
    pub fn new(root: impl Into<PathBuf>, options: FsOptions, env: Env) -> Result<Self> {
        let root = root.into();
        if !root.is_absolute() || root.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(Error::invalid(format!(
                "the root of a file store must be an absolute path, not {}",
                root.display()
            )));
        }
        Ok(Self {
            core: Arc::new(Core::new(root, options.durable, options.hook)),
            shards: (0..shard::SHARDS).map(|_| Arc::default()).collect(),
            env,
            retry: options.retry,
        })
    }

    /// The folder that holds the store.
    pub fn root(&self) -> &Path {
        self.core.root()
    }

    /// How many names below the root are not the store's: no object, no folder
    /// of keys. Listings leave them out.
    ///
    /// # Errors
    /// As a listing.
    ///
    /// # Cost
    /// Reads every folder, opens no object.
    pub async fn foreign_names(&self) -> Result<u64> {
        let walk = Walk::new(BlobPrefix::internal("")?, None);
        self.read(Operation::List, move |core| walk.count_foreign(core)).await
    }

    /// Runs a read on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Core) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.core.check()?;
        let core = self.core.clone();
        match tokio::task::spawn_blocking(move || work(&core)).await {
            // What was read while a sync failed elsewhere may not be on disk.
            Ok(answer) => self.core.check().and(answer),
            Err(error) => Err(self.core.lost(operation, &error)),
        }
    }

    /// Runs a write of `key`, after the handle's earlier ones in its shard.
    async fn write<T: Send + 'static>(
        &self,
        operation: Operation,
        key: &BlobKey,
        work: impl FnOnce(&Core) -> Result<T, End> + Send + 'static,
    ) -> Result<T, End> {
        let turn: OwnedMutexGuard<()> = self.shards[shard::number(key)].clone().lock_owned().await;
        self.core.check().map_err(End::Refused)?;
        let core = self.core.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&core)
        });
        match task.await {
            // Its sync may have succeeded after one that failed elsewhere.
            Ok(Ok(done)) => self.core.check().map(|()| done).map_err(End::Unknown),
            Ok(Err(end)) => Err(end),
            Err(error) => {
                let lost = self.core.lost(operation, &error);
                Err(if error.is_cancelled() { End::Refused(lost) } else { End::Unknown(lost) })
            }
        }
    }
}

#[async_trait]
impl ConditionalBlobStore for FsBlobStore {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let (key, date) = (key.clone(), self.env.wall_clock());
        self.read(Operation::Get, move |core| read::get(core, &key, options, date)).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let (key, date) = (key.clone(), self.env.wall_clock());
        self.read(Operation::Head, move |core| read::head(core, &key, date)).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let put = Put {
            key: key.clone(),
            body,
            precondition: precondition.clone(),
            write,
            version: *WriteId::random(&self.env).as_bytes(),
            modified: self.env.wall_clock(),
            nonce: self.env.random_u64(),
        };
        let ended = self.write(Operation::Put, key, move |core| put.run(core)).await;
        let date = self.env.wall_clock();
        match ended {
            Ok(version) => Attempt::Applied(Stored { version, date: Some(date) }),
            Err(end) => end.attempt(date),
        }
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        if matches!(precondition, Precondition::IfAbsent) {
            return Attempt::Refused(Error::invalid(format!(
                "delete of {key} under if-absent deletes nothing"
            )));
        }
        let delete = Delete { key: key.clone(), precondition: precondition.clone() };
        let ended = self.write(Operation::Delete, key, move |core| delete.run(core)).await;
        let date = self.env.wall_clock();
        match ended {
            Ok(()) => Attempt::Applied(Deleted { date: Some(date) }),
            Err(end) => end.attempt(date),
        }
    }

    /// A blob that does not verify is an error in its place, and the listing
    /// goes on; any other error ends it.
    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        let walk = Walk::new(prefix.clone(), start_after.cloned());
        stream::unfold(Some(walk), move |walk| async move {
            let (mut walk, date) = (walk?, self.env.wall_clock());
            let paged = self.read(Operation::List, move |core| {
                let page = walk.page(core, date);
                Ok((page, walk))
            });
            match paged.await {
                Ok((page, _)) if page.is_empty() => None,
                Ok((page, walk)) => Some((page, Some(walk))),
                Err(error) => Some((vec![Err(error)], None)),
            }
        })
        .flat_map(stream::iter)
        .boxed()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::full(Reach::Machine)
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new("file")
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.retry
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        None
    }
}

impl fmt::Display for FsBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.core.name())
    }
}

impl fmt::Debug for FsBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FsBlobStore")
            .field("root", &self.core.root())
            .field("durable", &self.core.tree().durable)
            .finish_non_exhaustive()
    }
}
