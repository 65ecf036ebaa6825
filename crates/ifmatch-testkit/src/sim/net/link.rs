//! A client's way to the store: every request and every answer takes time, and a
//! client that stops or is gone leaves requests behind.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Fetched, GetOptions, Precondition, ProbeGate, ProbePolicy, Result, RetryPolicy, Stored,
    WriteId, delete_resolved, put_resolved,
};

use super::host::Host;
use crate::fault::FaultStore;
use crate::sim::dice::Dice;
use crate::sim::scribe::Scribe;

/// The way of one client to the shared store.
pub(in crate::sim) struct Link {
    client: u64,
    host: Arc<Host>,
    env: Env,
    store: FaultStore,
    scribe: Arc<Scribe>,
    round_trip: Duration,
    dice: Mutex<Dice>,
    gate: ProbeGate,
}

impl Link {
    pub(in crate::sim) fn new(
        client: u64,
        host: &Arc<Host>,
        store: FaultStore,
        scribe: Arc<Scribe>,
        round_trip: Duration,
        dice: Dice,
    ) -> Self {
        let (host, env, dice) = (Arc::clone(host), host.env(), Mutex::new(dice));
        // Nobody asks whether a simulated store keeps its conditions.
        let gate = ProbeGate::new(ProbePolicy::Never);
        Self { client, host, env, store, scribe, round_trip, dice, gate }
    }

    /// One way, there or back.
    async fn travel(&self) {
        let least = self.round_trip / 4;
        let more = {
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            // One in thirty gets stuck for a while.
            let most = if dice.chance(33) { self.round_trip * 4 } else { self.round_trip / 2 };
            let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
            Duration::from_micros(dice.between(0, micros))
        };
        self.host.outside(least + more).await;
    }

    async fn there(&self) {
        self.host.running().await;
        self.travel().await;
    }

    async fn back(&self, what: &'static str, outcome: u64) {
        self.travel().await;
        self.host.running().await;
        self.scribe.note(self.client, what, 0, outcome);
    }

    fn flip(&self) -> bool {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).chance(500)
    }
}

/// A put on its way there; dropped on the way, it may arrive all the same.
struct OnTheWay<'a> {
    link: &'a Link,
    put: Option<(BlobKey, Bytes, Precondition, WriteId)>,
}

impl Drop for OnTheWay<'_> {
    fn drop(&mut self) {
        if let Some((key, body, precondition, write)) = self.put.take()
            && self.link.flip()
        {
            self.link.scribe.note(self.link.client, "leaves a put on its way", 0, 0);
            self.link.store.post(key, body, precondition, write);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for Link {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.there().await;
        let fetched = self.store.get(key, options).await;
        let outcome = match &fetched {
            Ok(Fetched::Found(blob)) => blob.info.size,
            Ok(Fetched::NotModified { .. }) => 1,
            Ok(_) => 0,
            Err(_) => 2,
        };
        self.back("gets", outcome).await;
        fetched
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.there().await;
        let found = self.store.head(key).await;
        self.back("asks for a head", u64::from(found.is_ok())).await;
        found
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        self.host.running().await;
        let put = Some((key.clone(), body.clone(), precondition.clone(), write));
        let mut on_the_way = OnTheWay { link: self, put };
        self.travel().await;
        on_the_way.put = None;
        let attempt = self.store.attempt_put(key, body, precondition, write).await;
        let outcome = match &attempt {
            Attempt::Applied(_) => 0,
            Attempt::Rejected { .. } => 1,
            Attempt::Refused(_) => 2,
            _ => 3,
        };
        self.back("puts", outcome).await;
        attempt
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        put_resolved(self, key, body, precondition, None).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.there().await;
        let attempt = self.store.attempt_delete(key, precondition).await;
        self.back("deletes", u64::from(!matches!(attempt, Attempt::Applied(_)))).await;
        attempt
    }

    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        delete_resolved(self, key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        let listed = self.store.list(prefix, start_after);
        let there = async move {
            self.there().await;
            listed
        };
        stream::once(there).flatten().boxed()
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn endpoint(&self) -> Endpoint {
        self.store.endpoint()
    }

    fn env(&self) -> &Env {
        &self.env
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.store.retry_policy()
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        Some(&self.gate)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.store, f)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({} to {:?})", self.client, self.store)
    }
}
