//! The wrapper itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Fetched, GetOptions, Operation, Precondition, ProbeGate, Result, RetryPolicy, Stored,
    WriteId, delete_resolved, put_resolved,
};

use super::coverage::FaultCoverage;
use super::kind::FaultKind;
use super::plan::FaultPlan;
use super::shared::{Request, Shared};
use super::truth::{Call, Effect};
use super::write::convert;

/// Any store, behind a network that fails. Clones share everything.
///
/// `put` and `delete` go through this store's own attempts and heads, so each
/// of their requests can fail. Time passes and tasks run by the
/// [`Env`] of the store inside.
#[derive(Clone)]
pub struct FaultStore {
    shared: Arc<Shared>,
    policy: RetryPolicy,
}

impl FaultStore {
    /// `inner`, with the faults of `plan`.
    pub fn new(inner: Arc<dyn ConditionalBlobStore>, plan: FaultPlan) -> Self {
        let policy = inner.retry_policy();
        Self { shared: Arc::new(Shared::new(inner, plan)), policy }
    }

    /// The same with another retry policy.
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The store inside, which never fails by our doing.
    pub fn inner(&self) -> &Arc<dyn ConditionalBlobStore> {
        &self.shared.inner
    }

    /// The next call of this operation that has no fault yet meets this one.
    pub fn inject(&self, operation: Operation, kind: FaultKind) {
        let mut state = self.shared.state();
        state.coverage.enable(operation, kind);
        state.plan.script.push_back((operation, kind));
    }

    /// Stops drawing faults and ends an outage, or starts again. What was
    /// injected by hand still happens.
    pub fn set_quiet(&self, quiet: bool) {
        self.shared.state().set_quiet(quiet);
    }

    /// Delivers every request that is still under way, in the order in which
    /// they were sent; how many there were.
    pub async fn deliver_delayed(&self) -> usize {
        let numbers: Vec<_> = self.shared.state().late.keys().copied().collect();
        let mut delivered = 0;
        for number in numbers {
            delivered += usize::from(self.shared.deliver_late(number).await);
        }
        delivered
    }

    /// Sends a put whose sender does not wait for it: it arrives late.
    pub fn post(&self, key: BlobKey, body: Bytes, precondition: Precondition, write: WriteId) {
        self.shared.send_late(Request { key, precondition, put: Some((body, write)) });
    }

    /// Loses every request that is still under way; how many there were.
    pub fn lose_delayed(&self) -> usize {
        std::mem::take(&mut self.shared.state().late).len()
    }

    /// How many requests are still under way.
    pub fn under_way(&self) -> usize {
        self.shared.state().late.len()
    }

    /// How often each fault happened.
    pub fn coverage(&self) -> FaultCoverage {
        self.shared.state().coverage.clone()
    }

    /// Everything that was really applied, in order.
    pub fn truth(&self) -> Vec<Effect> {
        self.shared.state().truth.clone()
    }

    /// Every call, in the order of the answers, with the fault that it met.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for FaultStore {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.shared.get(key, options).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.shared.head(key).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let (key, precondition) = (key.clone(), precondition.clone());
        let request = Request { key, precondition, put: Some((body, write)) };
        convert(self.shared.attempt(request).await, |done| Stored {
            version: done.version.unwrap_or_default(),
            date: done.date,
        })
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        put_resolved(self, key, body, precondition, None).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        let (key, precondition) = (key.clone(), precondition.clone());
        let request = Request { key, precondition, put: None };
        convert(self.shared.attempt(request).await, |done| Deleted { date: done.date })
    }

    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        delete_resolved(self, key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        self.shared.list(prefix, start_after)
    }

    fn capabilities(&self) -> Capabilities {
        self.shared.inner.capabilities()
    }

    fn endpoint(&self) -> Endpoint {
        self.shared.inner.endpoint()
    }

    fn env(&self) -> &Env {
        self.shared.env()
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.policy
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        self.shared.inner.probe_gate()
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.shared.inner, f)
    }
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.shared.state().coverage.total();
        write!(f, "FaultStore({:?}, {faults} faults so far)", self.shared.inner)
    }
}
