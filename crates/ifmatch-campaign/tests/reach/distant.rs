//! A store at the far end of a line.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Fetched, GetOptions, Instrumented, Precondition, ProbeGate, Result, RetryPolicy, Stored,
    WriteId,
};

/// A counted store; every request takes one round trip.
#[derive(Debug)]
pub(crate) struct Distant {
    pub(crate) near: Instrumented,
    pub(crate) round_trip: Duration,
    pub(crate) env: Env,
}

impl Distant {
    async fn there(&self) {
        self.env.sleep(self.round_trip / 2).await;
    }
}

impl fmt::Display for Distant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.near, f)
    }
}

#[async_trait]
impl ConditionalBlobStore for Distant {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.there().await;
        let fetched = self.near.get(key, options).await;
        self.there().await;
        fetched
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.there().await;
        let info = self.near.head(key).await;
        self.there().await;
        info
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        self.there().await;
        let attempt = self.near.attempt_put(key, body, precondition, write).await;
        self.there().await;
        attempt
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.there().await;
        let attempt = self.near.attempt_delete(key, precondition).await;
        self.there().await;
        attempt
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        self.near.list(prefix, start_after)
    }

    fn capabilities(&self) -> Capabilities {
        self.near.capabilities()
    }

    fn endpoint(&self) -> Endpoint {
        self.near.endpoint()
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.near.retry_policy()
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        self.near.probe_gate()
    }
}
