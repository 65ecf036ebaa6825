//! A store between a journal and the shared one: it takes several polls for
//! every request, and loses, holds back or misremembers what it is told to.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch::{
    Attempt, Blob, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted,
    Endpoint, Env, Error, Fetched, GetOptions, Operation, Precondition, ProbeGate, Reason, Result,
    RetryPolicy, Stored, WriteId,
};

/// What happens to one write of the head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It is applied, or rejected; nobody is told.
    AnswerLost,
    /// It never arrives; nobody is told.
    RequestLost,
    /// Nobody is told; it arrives when [`Meddler::deliver`] is called.
    Held,
}

type Request = (BlobKey, Bytes, Precondition, WriteId);

#[derive(Default)]
struct State {
    fault: Option<(Fault, bool)>,
    offline: bool,
    held: Option<Request>,
    stale: Option<Blob>,
}

/// The store.
pub(crate) struct Meddler {
    inner: Arc<dyn ConditionalBlobStore>,
    /// Polls that a request takes on its way there, and on its way back.
    yields: usize,
    /// How long it takes, each way.
    latency: Duration,
    state: Mutex<State>,
}

impl Meddler {
    pub(crate) fn over(inner: Arc<dyn ConditionalBlobStore>, yields: usize) -> Arc<Self> {
        let (latency, state) = (Duration::ZERO, Mutex::default());
        Arc::new(Self { inner, yields, latency, state })
    }

    /// A store that is far away.
    pub(crate) fn far(inner: Arc<dyn ConditionalBlobStore>, latency: Duration) -> Arc<Self> {
        Arc::new(Self { inner, yields: 0, latency, state: Mutex::default() })
    }

    /// What happens to the next write of the head.
    pub(crate) fn fault(&self, fault: Fault) {
        self.state().fault = Some((fault, false));
    }

    /// The same, and nothing is reached afterwards until
    /// [`reconnect`](Self::reconnect).
    pub(crate) fn cut(&self, fault: Fault) {
        self.state().fault = Some((fault, true));
    }

    /// The network is back, if the fault has happened.
    pub(crate) fn reconnect(&self) {
        let mut state = self.state();
        assert_eq!(state.fault, None, "the fault has happened");
        state.offline = false;
    }

    /// Every read of the head answers this from now on, or the truth.
    pub(crate) fn remember(&self, head: Option<Blob>) {
        self.state().stale = head;
    }

    /// The held request arrives now; whether it was applied. `None` where
    /// nothing is held.
    pub(crate) async fn deliver(&self) -> Option<bool> {
        let (key, body, condition, write) = self.state().held.take()?;
        let answer = self.inner.attempt_put(&key, body, &condition, write).await;
        Some(matches!(answer, Attempt::Applied(_)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn travel(&self) {
        for _ in 0..self.yields {
            tokio::task::yield_now().await;
        }
        if !self.latency.is_zero() {
            self.inner.env().sleep(self.latency).await;
        }
    }

    async fn arrive(&self, operation: Operation, subject: &str) -> Result<()> {
        self.travel().await;
        if self.state().offline { Err(lost(operation, subject)) } else { Ok(()) }
    }
}

fn lost(operation: Operation, subject: &str) -> Error {
    Error::unavailable(operation, subject, Reason::new("the network is gone"))
}

/// What a store that still has this blob answers.
fn answer(blob: Blob, options: &GetOptions) -> Fetched {
    if options.if_none_match.as_ref() == Some(&blob.info.version) {
        return Fetched::NotModified { date: blob.info.date };
    }
    Fetched::Found(blob)
}

#[async_trait]
impl ConditionalBlobStore for Meddler {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.arrive(Operation::Get, key.as_str()).await?;
        let stale = self.state().stale.clone().filter(|blob| blob.info.key == *key);
        let fetched = match stale {
            Some(blob) => Ok(answer(blob, &options)),
            None => self.inner.get(key, options).await,
        };
        self.travel().await;
        fetched
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.arrive(Operation::Head, key.as_str()).await?;
        let found = self.inner.head(key).await;
        self.travel().await;
        found
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        if let Err(error) = self.arrive(Operation::Put, key.as_str()).await {
            return Attempt::Refused(error);
        }
        let fault = {
            let mut state = self.state();
            let fault = if key.as_str() == "head" { state.fault.take() } else { None };
            state.offline |= fault.is_some_and(|(_, cut)| cut);
            fault.map(|(fault, _)| fault)
        };
        let error = lost(Operation::Put, key.as_str());
        let attempt = match fault {
            None => self.inner.attempt_put(key, body, precondition, write).await,
            Some(Fault::RequestLost) => Attempt::Unknown(error),
            Some(Fault::AnswerLost) => {
                self.inner.attempt_put(key, body, precondition, write).await;
                Attempt::Unknown(error)
            }
            Some(Fault::Held) => {
                self.state().held = Some((key.clone(), body, precondition.clone(), write));
                Attempt::Unknown(error)
            }
        };
        self.travel().await;
        attempt
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        if let Err(error) = self.arrive(Operation::Delete, key.as_str()).await {
            return Attempt::Refused(error);
        }
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
        self.inner.probe_gate()
    }
}

impl fmt::Display for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meddler({:?})", self.inner)
    }
}
