//! A store under which somebody else acts around the read-back of a write.

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

/// When somebody else acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moment {
    /// Between the first attempt and its read-back.
    BeforeReadBack,
    /// Between the read-back and what is done about it.
    AfterReadBack,
}

/// A store around whose first `head` somebody else acts.
pub(crate) struct Interposed {
    inner: Arc<ObjectBlobStore>,
    moment: Moment,
    act: Mutex<Option<BoxFuture>>,
}

impl Interposed {
    pub(crate) fn new(
        inner: Arc<ObjectBlobStore>,
        moment: Moment,
        act: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { inner, moment, act: Mutex::new(Some(Box::pin(act))) }
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
        let Some(act) = self.take() else { return self.inner.head(key).await };
        match self.moment {
            Moment::BeforeReadBack => {
                act.await;
                self.inner.head(key).await
            }
            Moment::AfterReadBack => {
                let found = self.inner.head(key).await;
                act.await;
                found
            }
        }
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
