//! A part of a store, seen as a store of its own.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};

use crate::capabilities::Capabilities;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::probe::ProbeGate;
use crate::store::{
    Attempt, BlobInfo, ConditionalBlobStore, Deleted, Endpoint, Fetched, GetOptions, RetryPolicy,
    Stored,
};
use crate::write_id::WriteId;

/// The blobs of `inner` below one folder, named without that folder.
///
/// No key leaves the folder: keys have no `..`.
#[derive(Clone, Debug)]
pub struct Prefixed {
    inner: Arc<dyn ConditionalBlobStore>,
    folder: BlobKey,
}

impl Prefixed {
    /// The part of `inner` below `folder`.
    pub fn new(inner: Arc<dyn ConditionalBlobStore>, folder: BlobKey) -> Self {
        Self { inner, folder }
    }

    /// `inner` itself for an empty `folder`, else the part below it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `folder` is no key.
    pub fn below(
        inner: Arc<dyn ConditionalBlobStore>,
        folder: &str,
    ) -> Result<Arc<dyn ConditionalBlobStore>> {
        let folder = folder.trim_matches('/');
        if folder.is_empty() {
            return Ok(inner);
        }
        Ok(Arc::new(Self::new(inner, BlobKey::new(folder)?)))
    }

    fn outer(&self, mut info: BlobInfo) -> Result<BlobInfo> {
        info.key = BlobKey::internal(
            info.key
                .as_str()
                .strip_prefix(self.folder.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
                .unwrap_or(info.key.as_str()),
        )?;
        Ok(info)
    }
}

/// The same error about `key`, as the caller knows it.
fn about(error: Error, key: &BlobKey) -> Error {
    match error {
        Error::Conflict(mut conflict) => {
            conflict.key = key.clone();
            Error::Conflict(conflict)
        }
        Error::OutcomeUnknown(mut unknown) => {
            unknown.key = key.clone();
            Error::OutcomeUnknown(unknown)
        }
        error => error,
    }
}

fn about_attempt<T>(attempt: Attempt<T>, key: &BlobKey) -> Attempt<T> {
    match attempt {
        Attempt::Refused(error) => Attempt::Refused(about(error, key)),
        Attempt::Unknown(error) => Attempt::Unknown(about(error, key)),
        attempt => attempt,
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for Prefixed {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let inner = self.folder.join(key.as_str())?;
        match self.inner.get(&inner, options).await.map_err(|error| about(error, key))? {
            Fetched::Found(mut blob) => {
                blob.info = self.outer(blob.info)?;
                Ok(Fetched::Found(blob))
            }
            fetched => Ok(fetched),
        }
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let inner = self.folder.join(key.as_str())?;
        self.inner.head(&inner).await?.map(|info| self.outer(info)).transpose()
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        match self.folder.join(key.as_str()) {
            Ok(inner) => {
                about_attempt(self.inner.attempt_put(&inner, body, precondition, write).await, key)
            }
            Err(error) => Attempt::Refused(error),
        }
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        let inner = self.folder.join(key.as_str())?;
        self.inner.put(&inner, body, precondition).await.map_err(|error| about(error, key))
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        match self.folder.join(key.as_str()) {
            Ok(inner) => about_attempt(self.inner.attempt_delete(&inner, precondition).await, key),
            Err(error) => Attempt::Refused(error),
        }
    }

    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        let inner = self.folder.join(key.as_str())?;
        self.inner.delete(&inner, precondition).await.map_err(|error| about(error, key))
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        let inner = || {
            let after = start_after.map(|key| self.folder.join(key.as_str())).transpose()?;
            Ok((prefix.inside(&self.folder)?, after))
        };
        let wanted = prefix.clone();
        match inner() {
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
            Ok((below, after)) => self
                .inner
                .list(&below, after.as_ref())
                .map(|info| self.outer(info?))
                .filter(move |info| {
                    let listed = info.as_ref().map_or(true, |info| wanted.contains(&info.key));
                    std::future::ready(listed)
                })
                .boxed(),
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
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
        self.inner.probe_gate()
    }
}

impl fmt::Display for Prefixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.inner, self.folder)
    }
}
