//! What requests cost.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Fetched, GetOptions, Precondition, ProbeGate, Result, RetryPolicy, Stored, WriteId,
    delete_resolved, put_resolved,
};

use crate::ops::Cost;

/// Requests that no answer has reported yet.
///
/// Requests that write are reported by the write that comes next. Those that
/// read may belong to a read, which reports nothing: it takes them off.
#[derive(Debug, Default)]
pub(super) struct Meter {
    writes: Counter,
    reads: Counter,
}

#[derive(Debug, Default)]
struct Counter {
    requests: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
}

impl Counter {
    fn add(&self, up: usize, down: usize) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.up.fetch_add(up as u64, Ordering::Relaxed);
        self.down.fetch_add(down as u64, Ordering::Relaxed);
    }

    fn take(&self) -> Cost {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        Cost {
            requests: take(&self.requests),
            bytes_up: take(&self.up),
            bytes_down: take(&self.down),
        }
    }
}

impl Meter {
    /// A write is answered: what it and those that share its request cost.
    pub(super) fn write(&self) -> Cost {
        let mut cost = self.writes.take();
        cost += self.reads.take();
        cost
    }

    /// A read is answered.
    pub(super) fn read(&self) {
        self.reads.take();
    }
}

/// A store whose requests are counted.
#[derive(Clone, Debug)]
pub(super) struct Metered {
    inner: Arc<dyn ConditionalBlobStore>,
    meter: Arc<Meter>,
}

impl Metered {
    pub(super) fn new(inner: Arc<dyn ConditionalBlobStore>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for Metered {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let fetched = self.inner.get(key, options).await;
        let down = match &fetched {
            Ok(Fetched::Found(blob)) => blob.body.len(),
            _ => 0,
        };
        self.meter.reads.add(0, down);
        fetched
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let found = self.inner.head(key).await;
        self.meter.reads.add(0, 0);
        found
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        // Counted when it is sent: its answer may never be waited for.
        self.meter.writes.add(body.len(), 0);
        self.inner.attempt_put(key, body, precondition, write).await
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        put_resolved(self, key, body, precondition, None).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.meter.writes.add(0, 0);
        self.inner.attempt_delete(key, precondition).await
    }

    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        delete_resolved(self, key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        self.meter.reads.add(0, 0);
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
        self.inner.probe_gate()
    }
}

impl fmt::Display for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}
