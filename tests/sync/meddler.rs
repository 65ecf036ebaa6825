//! A store between a copy and the shared one that loses, holds back and
//! interrupts what goes through it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use ifmatch::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, Capabilities, ConditionalBlobStore, Deleted, Endpoint,
    Env, Error, Fetched, GetOptions, Operation, Precondition, ProbeGate, Reason, Result,
    RetryPolicy, Stored, WriteId,
};

/// What happens to one put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It is applied, or rejected; nobody is told.
    AnswerLost,
    /// It never arrives; nobody is told.
    RequestLost,
    /// It is not answered and arrives when [`Meddler::deliver`] is called.
    Held,
    /// The connection is refused.
    Refused,
}

type Hook = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

#[derive(Default)]
struct State {
    offline: bool,
    faults: Vec<(String, Fault, bool)>,
    hooks: Vec<(Operation, String, Hook)>,
    held: Vec<(BlobKey, Bytes, Precondition, WriteId)>,
    stale: Vec<Fetched>,
}

/// The store.
pub(crate) struct Meddler {
    inner: Arc<dyn ConditionalBlobStore>,
    state: Mutex<State>,
}

impl Meddler {
    pub(crate) fn over(inner: &Arc<dyn ConditionalBlobStore>) -> Arc<Self> {
        Arc::new(Self { inner: inner.clone(), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What happens to the next put below `prefix`.
    pub(crate) fn fault(&self, prefix: &str, fault: Fault) {
        self.state().faults.push((prefix.to_owned(), fault, false));
    }

    /// The same, and nothing is reached afterwards until [`reconnect`](Self::reconnect).
    pub(crate) fn cut(&self, prefix: &str, fault: Fault) {
        self.state().faults.push((prefix.to_owned(), fault, true));
    }

    pub(crate) fn reconnect(&self) {
        let mut state = self.state();
        assert!(state.faults.is_empty(), "the fault never happened: {:?}", state.faults);
        state.offline = false;
    }

    pub(crate) fn disconnect(&self) {
        self.state().offline = true;
    }

    /// Runs before the next such operation below `prefix` is carried out.
    pub(crate) fn before<F: Future<Output = ()> + Send + 'static>(
        &self,
        operation: Operation,
        prefix: &str,
        hook: impl FnOnce() -> F + Send + 'static,
    ) {
        let hook: Hook = Box::new(move || Box::pin(hook()));
        self.state().hooks.push((operation, prefix.to_owned(), hook));
    }

    /// The next gets of the head answer this.
    pub(crate) fn stale(&self, answer: &Fetched, times: usize) {
        self.state().stale = vec![answer.clone(); times];
    }

    /// The held requests arrive now; whether each was applied.
    pub(crate) async fn deliver(&self) -> Vec<bool> {
        let held = std::mem::take(&mut self.state().held);
        let mut applied = Vec::new();
        for (key, body, condition, write) in held {
            let answer = self.inner.attempt_put(&key, body, &condition, write).await;
            applied.push(matches!(answer, Attempt::Applied(_)));
        }
        applied
    }

    async fn arrive(&self, operation: Operation, subject: &str) -> Result<()> {
        // Here and below a caller can be dropped.
        tokio::task::yield_now().await;
        let hook = {
            let mut state = self.state();
            let due = |(of, prefix, _): &(Operation, String, Hook)| {
                *of == operation && subject.starts_with(prefix.as_str())
            };
            state.hooks.iter().position(due).map(|at| state.hooks.remove(at).2)
        };
        if let Some(hook) = hook {
            hook().await;
        }
        if self.state().offline { Err(lost(operation, subject)) } else { Ok(()) }
    }
}

fn lost(operation: Operation, subject: &str) -> Error {
    Error::unavailable(operation, subject, Reason::new("the network is gone"))
}

#[async_trait]
impl ConditionalBlobStore for Meddler {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched> {
        self.arrive(Operation::Get, key.as_str()).await?;
        let stale = if key.as_str() == "head" { self.state().stale.pop() } else { None };
        let answer = match stale {
            Some(stale) => Ok(stale),
            None => self.inner.get(key, options).await,
        };
        tokio::task::yield_now().await;
        answer
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>> {
        self.arrive(Operation::Head, key.as_str()).await?;
        let answer = self.inner.head(key).await;
        tokio::task::yield_now().await;
        answer
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
            let due = |(prefix, ..): &(String, Fault, bool)| key.as_str().starts_with(&**prefix);
            let at = state.faults.iter().position(due);
            let fault = at.map(|at| state.faults.remove(at));
            state.offline |= fault.as_ref().is_some_and(|(_, _, cut)| *cut);
            fault.map(|(_, fault, _)| fault)
        };
        let error = lost(Operation::Put, key.as_str());
        let answer = match fault {
            None => self.inner.attempt_put(key, body, precondition, write).await,
            Some(Fault::Refused) => Attempt::Refused(error),
            Some(Fault::RequestLost) => Attempt::Unknown(error),
            Some(Fault::AnswerLost) => {
                self.inner.attempt_put(key, body, precondition, write).await;
                Attempt::Unknown(error)
            }
            Some(Fault::Held) => {
                self.state().held.push((key.clone(), body, precondition.clone(), write));
                Attempt::Unknown(error)
            }
        };
        tokio::task::yield_now().await;
        answer
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
        let short = std::time::Duration::from_millis(1);
        RetryPolicy::new().with_pauses(short, short).with_max_attempts(3)
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
