//! When a store is probed, and what is remembered of it.

use tokio::sync::Mutex;

use super::probe;
use super::report::Verdict;
use crate::error::Result;
use crate::store::ConditionalBlobStore;

/// When to probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum ProbePolicy {
    /// Before shared state is first created on a store (the default).
    #[default]
    OnCreate,
    /// Before the first write of every handle.
    Always,
    /// Never: the caller answers for the store.
    Never,
}

/// The policy of a handle and the verdict that it has so far.
#[derive(Debug)]
pub struct ProbeGate {
    policy: ProbePolicy,
    verdict: Mutex<Option<Verdict>>,
}

impl ProbeGate {
    /// A gate that nobody has passed yet.
    pub fn new(policy: ProbePolicy) -> Self {
        Self { policy, verdict: Mutex::new(None) }
    }

    /// When to probe.
    pub fn policy(&self) -> ProbePolicy {
        self.policy
    }

    /// Takes over a verdict that is on record for this endpoint.
    pub async fn accept(&self, verdict: Verdict) {
        *self.verdict.lock().await = Some(verdict);
    }

    /// Lets safe stores pass; probes `store` if nobody has yet. `None` where
    /// the policy is [`ProbePolicy::Never`].
    ///
    /// # Errors
    /// [`Unsupported`](crate::Error::Unsupported) for an unsafe store; what the
    /// probe could not do otherwise.
    ///
    /// # Cost
    /// A probe the first time, nothing afterwards.
    pub async fn pass(&self, store: &dyn ConditionalBlobStore) -> Result<Option<Verdict>> {
        if self.policy == ProbePolicy::Never {
            return Ok(None);
        }
        let mut verdict = self.verdict.lock().await;
        match *verdict {
            Some(known) if known != Verdict::Unsafe => Ok(Some(known)),
            _ => {
                let report = probe(store).await?;
                *verdict = Some(report.verdict());
                report.require_safe().map(Some)
            }
        }
    }
}
