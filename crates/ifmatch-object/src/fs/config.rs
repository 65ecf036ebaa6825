//! What a user may choose.

use std::sync::Arc;

use ifmatch_core::RetryPolicy;

use super::seam::FileHook;

/// How an [`FsBlobStore`](super::FsBlobStore) writes and how long it tries.
///
/// ```
/// let quick = ifmatch_object::FsOptions::default().durable(false);
/// assert!(!quick.durable);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FsOptions {
    /// Sync files and folders before a write is answered, so that it survives
    /// a loss of power (default). Without it an answered write survives the end
    /// of the process, not that of the machine; `fsync=off` in a URL.
    pub durable: bool,
    /// How long and how often `put` and `delete` try.
    pub retry: RetryPolicy,
    pub(super) hook: Option<Arc<dyn FileHook>>,
}

impl Default for FsOptions {
    fn default() -> Self {
        Self { durable: true, retry: RetryPolicy::default(), hook: None }
    }
}

impl FsOptions {
    /// The same, durable or not.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// The same with another retry policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The same with a hook under every file operation, for tests.
    #[doc(hidden)]
    pub fn hook(mut self, hook: Arc<dyn FileHook>) -> Self {
        self.hook = Some(hook);
        self
    }
}
