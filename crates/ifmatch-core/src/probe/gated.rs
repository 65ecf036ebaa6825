//! A store that is probed before it is trusted with a conditional write.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use super::gate::{ProbeGate, ProbePolicy};
use crate::capabilities::Capabilities;
use crate::env::Env;
use crate::error::Result;
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::store::{
    Attempt, BlobInfo, ConditionalBlobStore, Deleted, Endpoint, Fetched, GetOptions, RetryPolicy,
    Stored, delete_resolved, put_resolved,
};
use crate::write_id::WriteId;

/// A store behind a [`ProbeGate`].
///
/// A conditional write probes the store first where the policy is
/// [`ProbePolicy::Always`], or `OnCreate` and the store is not at its
/// provider's own address; once per gate. Reads, unconditional writes and the
/// probe's own blobs pass freely. Whoever creates shared state asks the gate
/// himself ([`ConditionalBlobStore::probe_gate`]).
#[derive(Debug)]
pub struct Gated {
    inner: Arc<dyn ConditionalBlobStore>,
    gate: ProbeGate,
    custom_endpoint: bool,
}

impl Gated {
    /// `inner` behind a gate; `custom_endpoint` says that it is not at its
    /// provider's own address.
    pub fn new(
        inner: Arc<dyn ConditionalBlobStore>,
        policy: ProbePolicy,
        custom_endpoint: bool,
    ) -> Self {
        Self { inner, gate: ProbeGate::new(policy), custom_endpoint }
    }

    async fn check(&self, key: &BlobKey, precondition: &Precondition) -> Result<()> {
        let wanted = match self.gate.policy() {
            ProbePolicy::Always => true,
            ProbePolicy::OnCreate => self.custom_endpoint,
            ProbePolicy::Never => false,
        };
        if !wanted || key.is_reserved() || matches!(precondition, Precondition::Overwrite) {
            return Ok(());
        }
        self.gate.pass(&*self.inner).await.map(|_| ())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for Gated {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.inner.get(key, options).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.inner.head(key).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        match self.check(key, precondition).await {
            Ok(()) => self.inner.attempt_put(key, body, precondition, write).await,
            Err(error) => Attempt::Refused(error),
        }
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        put_resolved(self, key, body, precondition, None).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        match self.check(key, precondition).await {
            Ok(()) => self.inner.attempt_delete(key, precondition).await,
            Err(error) => Attempt::Refused(error),
        }
    }

    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        delete_resolved(self, key, precondition).await
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
        Some(&self.gate)
    }
}

impl fmt::Display for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}
