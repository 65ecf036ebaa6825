//! Stores that break the contract in one way each.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use ifmatch_core::{
    Attempt, Blob, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Current,
    Deleted, Endpoint, Env, Error, Fetched, GetOptions, MemoryBlobStore, Precondition, ProbeGate,
    Result, RetryPolicy, Stored, Version, WriteId,
};

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    IgnoresIfMatch,
    IgnoresIfAbsent,
    UpdateCreates,
    DropsConditionsOfDeletes,
    DeletesThoughUnsupported,
    UpdatesThoughUnsupported,
    FoldsCase,
    DecodesNames,
    BlobHidesFolder,
    ListsBackwards,
    ListsByText,
    ListsReserved,
    ListsOnePage,
    ListsAfterInclusive,
    ListsOtherVersions,
    AnswersStaleAfterDelete,
    RepeatsVersions,
    ForgetsWrites,
    IgnoresRanges,
    IgnoresIfNoneMatch,
    IgnoresIfMatchOfGets,
    TruncatesBodies,
    MixesBodies,
    CallsSuccessConflict,
    TellsSecrets,
    LivesInAnotherCentury,
}

pub(crate) const SECRET: &str = "hunter2-canary";

pub(crate) struct Flawed {
    inner: MemoryBlobStore,
    flaw: Flaw,
    /// What was there before the last write, per key.
    before: Mutex<HashMap<BlobKey, Blob>>,
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw, env: Env) -> Self {
        Self { inner: MemoryBlobStore::new(env), flaw, before: Mutex::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key(&self, key: &BlobKey) -> BlobKey {
        let text = key.as_str();
        let name = match self.flaw {
            Flaw::FoldsCase => text.to_lowercase(),
            Flaw::DecodesNames => text.replace("%41", "A"),
            _ => return key.clone(),
        };
        BlobKey::internal(name).unwrap()
    }

    async fn remember(&self, key: &BlobKey) {
        if let Ok(Fetched::Found(blob)) = self.inner.get(key, GetOptions::new()).await {
            self.before.lock().unwrap().insert(key.clone(), blob);
        }
    }

    fn earlier(&self, key: &BlobKey) -> Option<Blob> {
        self.before.lock().unwrap().get(key).cloned()
    }

    /// What this store tells of a blob.
    fn told(&self, mut info: BlobInfo, listed: bool) -> BlobInfo {
        match self.flaw {
            Flaw::RepeatsVersions => info.version = Self::by_size(&info.version, info.size),
            Flaw::ForgetsWrites => info.write = None,
            Flaw::ListsOtherVersions if listed => info.version = Version::from_etag("listed"),
            Flaw::LivesInAnotherCentury => {
                info.last_modified = Some("1900-01-01T00:00:00Z".parse().unwrap());
            }
            _ => {}
        }
        info
    }

    fn by_size(version: &Version, size: u64) -> Version {
        Version::from_etag(&format!("size-{size}")).with_write(version.written_by())
    }

    /// The version that `inner` means where this store repeats its own.
    async fn meant(&self, key: &BlobKey, condition: &Precondition) -> Precondition {
        if !self.has(Flaw::RepeatsVersions) {
            return condition.clone();
        }
        let there = self.inner.head(key).await.unwrap();
        match (condition, there) {
            (Precondition::IfMatch(version), Some(info))
                if Self::by_size(&info.version, info.size) == *version =>
            {
                Precondition::IfMatch(info.version)
            }
            (condition, _) => condition.clone(),
        }
    }
}

#[async_trait]
impl ConditionalBlobStore for Flawed {
    async fn get(&self, key: &BlobKey, mut options: GetOptions) -> Result<Fetched> {
        let key = &self.key(key);
        match self.flaw {
            Flaw::IgnoresRanges => options.range = None,
            Flaw::IgnoresIfNoneMatch => options.if_none_match = None,
            Flaw::IgnoresIfMatchOfGets => options.if_match = None,
            _ => {}
        }
        match self.inner.get(key, options).await? {
            Fetched::Found(mut blob) => {
                if let Some(earlier) = self.earlier(key)
                    && self.has(Flaw::MixesBodies)
                    && earlier.body.len() < blob.body.len()
                {
                    let rest = blob.body.slice(earlier.body.len()..);
                    blob.body = [earlier.body, rest].concat().into();
                }
                if self.has(Flaw::TruncatesBodies) {
                    blob.body.truncate(1 << 20);
                }
                blob.info = self.told(blob.info, false);
                Ok(Fetched::Found(blob))
            }
            Fetched::Absent { date } => match self.earlier(key) {
                Some(blob) if self.has(Flaw::AnswersStaleAfterDelete) => Ok(Fetched::Found(blob)),
                _ => Ok(Fetched::Absent { date }),
            },
            fetched => Ok(fetched),
        }
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let found = self.inner.head(&self.key(key)).await?;
        Ok(found.map(|info| self.told(info, false)))
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let key = &self.key(key);
        self.remember(key).await;
        let there = self.inner.head(key).await.unwrap().is_some();
        let condition = match (precondition, self.flaw) {
            (Precondition::IfMatch(_), Flaw::IgnoresIfMatch) if there => Precondition::Overwrite,
            (Precondition::IfMatch(_), Flaw::UpdateCreates) if !there => Precondition::Overwrite,
            (Precondition::IfAbsent, Flaw::IgnoresIfAbsent) => Precondition::Overwrite,
            (condition, _) => self.meant(key, condition).await,
        };
        if self.has(Flaw::BlobHidesFolder) {
            for info in listed(&self.inner, key.as_str()).await {
                self.inner.delete(&info.key, Precondition::Overwrite).await.unwrap();
            }
        }
        let size = body.len() as u64;
        match self.inner.attempt_put(key, body, &condition, write).await {
            Attempt::Applied(mut stored) => {
                if self.has(Flaw::RepeatsVersions) {
                    stored.version = Self::by_size(&stored.version, size);
                }
                Attempt::Applied(stored)
            }
            attempt => attempt,
        }
    }

    async fn put(&self, key: &BlobKey, body: Bytes, condition: Precondition) -> Result<Stored> {
        if self.has(Flaw::UpdatesThoughUnsupported) {
            return self.inner.put(key, body, Precondition::Overwrite).await;
        }
        let stored = ifmatch_core::put_resolved(self, key, body, condition.clone(), None).await?;
        match condition {
            Precondition::IfMatch(_) if self.has(Flaw::CallsSuccessConflict) => {
                Err(Error::conflict(key, condition, Current::Present(stored.version)))
            }
            _ => Ok(stored),
        }
    }

    async fn attempt_delete(&self, key: &BlobKey, condition: &Precondition) -> Attempt<Deleted> {
        let key = &self.key(key);
        self.remember(key).await;
        let condition = match self.flaw {
            Flaw::DropsConditionsOfDeletes => Precondition::Overwrite,
            _ => self.meant(key, condition).await,
        };
        self.inner.attempt_delete(key, &condition).await
    }

    async fn delete(&self, key: &BlobKey, condition: Precondition) -> Result<()> {
        match self.flaw {
            Flaw::DeletesThoughUnsupported => self.inner.delete(key, condition).await,
            _ => ifmatch_core::delete_resolved(self, key, condition).await,
        }
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        let (prefix, after) = (prefix.clone(), start_after.cloned());
        let everything = async move {
            let mut infos = listed(&self.inner, "").await;
            infos.retain(|info| match self.flaw {
                Flaw::ListsByText => {
                    let folder = prefix.folder().map(BlobKey::as_str).unwrap_or_default();
                    info.key.as_str().starts_with(folder) && info.key.as_str() != folder
                }
                Flaw::ListsReserved if prefix.folder().is_none() => true,
                _ => prefix.contains(&info.key),
            });
            infos.retain(|info| match &after {
                Some(after) if self.has(Flaw::ListsAfterInclusive) => info.key >= *after,
                Some(after) => info.key > *after,
                None => true,
            });
            match self.flaw {
                Flaw::ListsBackwards => infos.reverse(),
                Flaw::ListsOnePage => infos.truncate(1_000),
                _ => {}
            }
            stream::iter(infos.into_iter().map(|info| Ok(self.told(info, true))))
        };
        stream::once(everything).flatten().boxed()
    }

    fn capabilities(&self) -> Capabilities {
        let mut can = self.inner.capabilities();
        can.delete_if_match = !self.has(Flaw::DeletesThoughUnsupported);
        can.put_if_match = !self.has(Flaw::UpdatesThoughUnsupported);
        can
    }

    fn endpoint(&self) -> Endpoint {
        self.inner.endpoint()
    }

    fn env(&self) -> &Env {
        self.inner.env()
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.inner.retry_policy()
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        None
    }
}

async fn listed(store: &MemoryBlobStore, folder: &str) -> Vec<BlobInfo> {
    let prefix = BlobPrefix::internal(folder).unwrap();
    store.list(&prefix, None).map(std::result::Result::unwrap).collect().await
}

impl fmt::Display for Flawed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flawed://{:?}", self.flaw)?;
        if self.has(Flaw::TellsSecrets) {
            write!(f, "?password={SECRET}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flawed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
