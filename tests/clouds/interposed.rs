//! A store under which somebody else acts between a write and its read-back.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, BoxFuture, Capabilities, ConditionalBlobStore, Deleted,
    Endpoint, Env, Fetched, GetOptions, ObjectBlobStore, Precondition, ProbeGate, Result,
    RetryPolicy, Stored, WriteId,
};

/// A store whose first `head` is preceded by somebody else's act.
pub(crate) struct Interposed {
    inner: Arc<ObjectBlobStore>,
    act: Mutex<Option<BoxFuture>>,
}

impl Interposed {
    pub(crate) fn new(
        inner: Arc<ObjectBlobStore>,
        act: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { inner, act: Mutex::new(Some(Box::pin(act))) }
    }

    fn take(&self) -> Option<BoxFuture> {
        self.act.lock().unwrap().take()
    }
}

#[async_trait]
impl ConditionalBlobStore for Interposed {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.inner.get(key, options).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let act = self.take();
        if let Some(act) = act {
            act.await;
        }
        self.inner.head(key).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        self.inner.attempt_put(key, body, precondition, write).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.inner.attempt_delete(key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        self.inner.list(prefix, start_after)
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
        None
    }
}

impl fmt::Debug for Interposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl fmt::Display for Interposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}
