//! The store itself, and what was really written to its head, when.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Fetched, GetOptions, MemoryBlobStore, Precondition, ProbeGate, Result, RetryPolicy,
    Stored, WriteId, delete_resolved, put_resolved,
};
use ifmatch_journal::{Head, Nonce};

use crate::check::Moment;
use crate::sim::dice::hash;
use crate::sim::scribe::Scribe;

/// The shared store, which never fails, with a listener at its head.
#[derive(Clone)]
pub(in crate::sim) struct Tap {
    store: MemoryBlobStore,
    scribe: Arc<Scribe>,
    heard: Arc<Mutex<Heard>>,
    /// Whether to read the bodies that arrive.
    reads: bool,
    /// Whether to keep those that are applied.
    keeps: bool,
}

#[derive(Default)]
struct Heard {
    /// When the head was written.
    writes: Vec<Moment>,
    /// What was written.
    kept: Vec<Bytes>,
    /// Requests to write it that arrived.
    arrived: u64,
    /// The hash of the body of each commit id that arrived.
    bodies: BTreeMap<Nonce, u64>,
    /// Ids that stood for two bodies.
    reused: Vec<Nonce>,
}

impl Tap {
    pub(in crate::sim) fn new(env: Env, scribe: Arc<Scribe>) -> Self {
        let store = MemoryBlobStore::new(env);
        Self { store, scribe, heard: Arc::default(), reads: false, keeps: false }
    }

    /// Reads the bodies of heads: whether a commit id stands for two.
    pub(in crate::sim) fn reading(self, reads: bool) -> Self {
        Self { reads, ..self }
    }

    /// Keeps the heads that were written.
    pub(in crate::sim) fn keeping(self, keeps: bool) -> Self {
        Self { keeps, ..self }
    }

    /// The store behind the listener.
    pub(in crate::sim) const fn store(&self) -> &MemoryBlobStore {
        &self.store
    }

    /// The head of commit `seq`, if it was kept.
    pub(in crate::sim) fn body(&self, seq: u64) -> Option<Bytes> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.heard().kept.get(at).cloned()
    }

    /// When the head was written: the n-th write is commit n.
    pub(in crate::sim) fn writes(&self) -> Vec<Moment> {
        self.heard().writes.clone()
    }

    /// How often the head was written.
    pub(in crate::sim) fn newest(&self) -> u64 {
        self.heard().writes.len() as u64
    }

    /// How many requests to write it arrived.
    pub(in crate::sim) fn arrived(&self) -> u64 {
        self.heard().arrived
    }

    /// Commit ids that stood for two bodies.
    pub(in crate::sim) fn reused(&self) -> Vec<Nonce> {
        self.heard().reused.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn head_arrived(&self, body: &Bytes, attempt: &Attempt<Stored>) {
        let applied = matches!(attempt, Attempt::Applied(_));
        let read = if self.reads { Head::decode(body).ok() } else { None };
        let mut heard = self.heard();
        heard.arrived += 1;
        if let Some(head) = read {
            let bytes = hash(0, body);
            if *heard.bodies.entry(head.nonce).or_insert(bytes) != bytes {
                heard.reused.push(head.nonce);
            }
        }
        if applied {
            let number = heard.writes.len() as u64 + 1;
            if self.keeps {
                heard.kept.push(body.clone());
            }
            heard.writes.push(self.scribe.note(0, "the head is written", number, 0));
        }
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for Tap {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.store.get(key, options).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.store.head(key).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let is_head = key.as_str() == "head";
        let sent = is_head.then(|| body.clone());
        let attempt = self.store.attempt_put(key, body, precondition, write).await;
        if let Some(body) = sent {
            self.head_arrived(&body, &attempt);
        }
        attempt
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        put_resolved(self, key, body, precondition, None).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.store.attempt_delete(key, precondition).await
    }

    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        delete_resolved(self, key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>> {
        self.store.list(prefix, start_after)
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    fn endpoint(&self) -> Endpoint {
        self.store.endpoint()
    }

    fn env(&self) -> &Env {
        self.store.env()
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.store.retry_policy()
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        None
    }
}

impl fmt::Display for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.store, f)
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap({:?})", self.store)
    }
}
