//! A store in memory: the same semantics as every other, for tests and caches.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use crate::capabilities::{Capabilities, Reach};
use crate::env::Env;
use crate::error::{Current, Error, Result};
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::probe::ProbeGate;
use crate::store::{
    Attempt, Blob, BlobInfo, ConditionalBlobStore, Deleted, Endpoint, Fetched, GetOptions,
    RetryPolicy, Stored,
};
use crate::timestamp::Timestamp;
use crate::version::Version;
use crate::write_id::{Base, WriteId, WriteRecord};

/// A store in memory. Clones share their blobs.
///
/// Versions are unique for as long as any clone lives. The store's clock is its
/// [`Env`]'s wall clock.
#[derive(Clone)]
pub struct MemoryBlobStore {
    name: Arc<str>,
    env: Env,
    policy: RetryPolicy,
    blobs: Arc<Mutex<Blobs>>,
}

#[derive(Debug, Default)]
struct Blobs {
    by_key: BTreeMap<BlobKey, Entry>,
    writes: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    body: Bytes,
    version: Version,
    modified: Timestamp,
    write: WriteRecord,
}

impl Entry {
    fn info(&self, key: &BlobKey, date: Timestamp) -> BlobInfo {
        BlobInfo {
            key: key.clone(),
            version: self.version.clone(),
            size: self.body.len() as u64,
            last_modified: Some(self.modified),
            write: Some(self.write.clone()),
            date: Some(date),
        }
    }
}

static SHARED: LazyLock<Mutex<HashMap<String, Weak<Mutex<Blobs>>>>> = LazyLock::new(Mutex::default);

impl MemoryBlobStore {
    /// A new, empty store that nobody else sees.
    pub fn new(env: Env) -> Self {
        Self::over("anonymous", env, Arc::default())
    }

    /// The store of this name within this process (`memory://name`). It lives
    /// as long as somebody holds it.
    pub fn shared(name: &str, env: Env) -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let blobs = shared.get(name).and_then(Weak::upgrade).unwrap_or_default();
        shared.insert(name.to_owned(), Arc::downgrade(&blobs));
        shared.retain(|_, blobs| blobs.strong_count() > 0);
        Self::over(name, env, blobs)
    }

    fn over(name: &str, env: Env, blobs: Arc<Mutex<Blobs>>) -> Self {
        Self { name: name.into(), env, policy: RetryPolicy::default(), blobs }
    }

    fn blobs(&self) -> std::sync::MutexGuard<'_, Blobs> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `precondition` holds for what is there; else what is there.
fn holds(there: Option<&Entry>, precondition: &Precondition) -> bool {
    match precondition {
        Precondition::Overwrite => true,
        Precondition::IfAbsent => there.is_none(),
        Precondition::IfMatch(version) => there.is_some_and(|entry| entry.version == *version),
    }
}

#[async_trait]
impl ConditionalBlobStore for MemoryBlobStore {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let date = self.env.wall_clock();
        let Some(entry) = self.blobs().by_key.get(key).cloned() else {
            return match options.if_match {
                Some(version) => {
                    Err(Error::conflict(key, Precondition::IfMatch(version), Current::Absent))
                }
                None => Ok(Fetched::Absent { date: Some(date) }),
            };
        };
        if let Some(version) = options.if_match.filter(|version| *version != entry.version) {
            let current = Current::Present(entry.version);
            return Err(Error::conflict(key, Precondition::IfMatch(version), current));
        }
        if options.if_none_match.is_some_and(|version| version == entry.version) {
            return Ok(Fetched::NotModified { date: Some(date) });
        }
        let body = match options.range {
            None => entry.body.clone(),
            Some(range) => crate::range::slice(key, &entry.body, &range)?,
        };
        Ok(Fetched::Found(Blob { body, info: entry.info(key, date) }))
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let date = self.env.wall_clock();
        Ok(self.blobs().by_key.get(key).map(|entry| entry.info(key, date)))
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let modified = self.env.wall_clock();
        let mut blobs = self.blobs();
        if !holds(blobs.by_key.get(key), precondition) {
            return Attempt::Rejected { date: Some(modified) };
        }
        blobs.writes += 1;
        let version = Version::from_etag(&blobs.writes.to_string()).with_write(Some(write));
        let base = match (precondition, blobs.by_key.get(key)) {
            (Precondition::Overwrite, Some(entry)) => Base::Version(entry.version.clone()),
            (Precondition::Overwrite, None) => Base::Absent,
            (precondition, _) => Base::of(precondition),
        };
        let record = WriteRecord { id: write, base: Some(base) };
        let entry = Entry { body, version: version.clone(), modified, write: record };
        blobs.by_key.insert(key.clone(), entry);
        Attempt::Applied(Stored { version, date: Some(modified) })
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        if *precondition == Precondition::IfAbsent {
            let what = format!("delete of {key} under if-absent deletes nothing");
            return Attempt::Refused(Error::invalid(what));
        }
        let date = Some(self.env.wall_clock());
        let mut blobs = self.blobs();
        if !holds(blobs.by_key.get(key), precondition) {
            return Attempt::Rejected { date };
        }
        blobs.by_key.remove(key);
        Attempt::Applied(Deleted { date })
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        let date = self.env.wall_clock();
        let from = match (prefix.folder(), start_after) {
            (Some(folder), Some(after)) if folder > after => Bound::Excluded(folder.clone()),
            (_, Some(after)) => Bound::Excluded(after.clone()),
            (Some(folder), None) => Bound::Excluded(folder.clone()),
            (None, None) => Bound::Unbounded,
        };
        let found: Vec<_> = self
            .blobs()
            .by_key
            .range((from, Bound::Unbounded))
            .take_while(|(key, _)| {
                prefix.folder().is_none_or(|folder| key.as_str().starts_with(folder.as_str()))
            })
            .filter(|(key, _)| prefix.contains(key))
            .map(|(key, entry)| Ok(entry.info(key, date)))
            .collect();
        stream::iter(found).boxed()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::full(Reach::Process)
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new("memory")
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.policy
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        None
    }
}

impl fmt::Display for MemoryBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory://{}", self.name)
    }
}

impl fmt::Debug for MemoryBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBlobStore({:?}, {} blobs)", self.name, self.blobs().by_key.len())
    }
}
