//! A store that says what it is asked: tracing spans and a log of requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use tracing::{Instrument, debug_span};

use crate::capabilities::Capabilities;
use crate::env::Env;
use crate::error::{Operation, Result};
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::probe::ProbeGate;
use crate::store::{
    Attempt, BlobInfo, ConditionalBlobStore, Deleted, Endpoint, Fetched, GetOptions, RetryPolicy,
    Stored, delete_resolved, put_resolved,
};
use crate::write_id::WriteId;

/// One request as the log keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Request {
    /// What was asked for.
    pub operation: Operation,
    /// The key, or the prefix of a listing.
    pub subject: String,
    /// How it ended, in one word.
    pub outcome: &'static str,
    /// Bytes of the body sent.
    pub bytes_up: u64,
    /// Bytes of the body received.
    pub bytes_down: u64,
}

/// The requests of an [`Instrumented`] store, shared by its clones.
#[derive(Clone, Debug, Default)]
pub struct RequestLog(Arc<Mutex<Vec<Request>>>);

/// Totals of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// Requests of any kind.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub bytes_up: u64,
    /// Bytes of bodies received.
    pub bytes_down: u64,
}

impl RequestLog {
    /// Every request so far, in the order in which they ended.
    pub fn requests(&self) -> Vec<Request> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the requests out of the log.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The sums of the log.
    pub fn totals(&self) -> Totals {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().fold(Totals::default(), |sum, request| Totals {
            requests: sum.requests + 1,
            bytes_up: sum.bytes_up + request.bytes_up,
            bytes_down: sum.bytes_down + request.bytes_down,
        })
    }

    fn push(
        &self,
        operation: Operation,
        subject: impl fmt::Display,
        outcome: &'static str,
        bytes: (u64, u64),
    ) {
        let (bytes_up, bytes_down) = bytes;
        let subject = subject.to_string();
        tracing::debug!(%operation, subject, outcome, bytes_up, bytes_down, "request");
        let request = Request { operation, subject, outcome, bytes_up, bytes_down };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }
}

/// A store that logs every request sent through it. `put` and `delete` log each
/// of their attempts and read-backs. A listing counts as one request.
#[derive(Clone, Debug)]
pub struct Instrumented {
    inner: Arc<dyn ConditionalBlobStore>,
    log: RequestLog,
}

impl Instrumented {
    /// `inner` with a log.
    pub fn new(inner: Arc<dyn ConditionalBlobStore>) -> Self {
        Self { inner, log: RequestLog::default() }
    }

    /// The log of this store.
    pub fn log(&self) -> &RequestLog {
        &self.log
    }
}

fn outcome_of<T>(attempt: &Attempt<T>) -> &'static str {
    match attempt {
        Attempt::Applied(_) => "applied",
        Attempt::Rejected { .. } => "rejected",
        Attempt::Refused(error) => error.kind(),
        Attempt::Unknown(_) => "unknown",
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl ConditionalBlobStore for Instrumented {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        let span = debug_span!("get", store = %self.inner, %key);
        let fetched = self.inner.get(key, options).instrument(span).await;
        let (outcome, down) = match &fetched {
            Ok(Fetched::Found(blob)) => ("found", blob.body.len() as u64),
            Ok(Fetched::NotModified { .. }) => ("not_modified", 0),
            Ok(Fetched::Absent { .. }) => ("absent", 0),
            Err(error) => (error.kind(), 0),
        };
        self.log.push(Operation::Get, key, outcome, (0, down));
        fetched
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        let span = debug_span!("head", store = %self.inner, %key);
        let found = self.inner.head(key).instrument(span).await;
        let outcome = match &found {
            Ok(Some(_)) => "found",
            Ok(None) => "absent",
            Err(error) => error.kind(),
        };
        self.log.push(Operation::Head, key, outcome, (0, 0));
        found
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        let span = debug_span!("put", store = %self.inner, %key, %precondition, %write);
        let up = body.len() as u64;
        let sent = self.inner.attempt_put(key, body, precondition, write);
        let attempt = sent.instrument(span).await;
        self.log.push(Operation::Put, key, outcome_of(&attempt), (up, 0));
        attempt
    }

    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        // Through our own attempts, so that the log sees each request.
        put_resolved(self, key, body, precondition, None).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        let span = debug_span!("delete", store = %self.inner, %key, %precondition);
        let attempt = self.inner.attempt_delete(key, precondition).instrument(span).await;
        self.log.push(Operation::Delete, key, outcome_of(&attempt), (0, 0));
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
        self.log.push(Operation::List, prefix, "sent", (0, 0));
        self.inner.list(prefix, start_after).boxed()
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

impl fmt::Display for Instrumented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}
