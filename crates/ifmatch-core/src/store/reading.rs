//! Retries of reads: they change nothing, so sending one again is always safe.

use std::future::Future;
use std::time::Duration;

use super::types::RetryPolicy;
use crate::env::Env;
use crate::error::{Error, Result, Retry};

/// Runs `read` until it answers, fails for good, or the policy gives up; then
/// the last error.
///
/// # Errors
/// The last error of `read`.
pub async fn retry_read<T, F>(
    env: &Env,
    policy: RetryPolicy,
    mut read: impl FnMut() -> F + Send,
) -> Result<T>
where
    F: Future<Output = Result<T>> + Send,
{
    let mut backoff = Backoff::start(env, policy);
    loop {
        match read().await {
            Err(error) if error.retry() == Retry::Same => backoff.pause_after(error).await?,
            answer => return answer,
        }
    }
}

/// Pauses between attempts, with full jitter, until the policy gives up.
#[derive(Debug)]
pub(super) struct Backoff<'a> {
    env: &'a Env,
    policy: RetryPolicy,
    ends: Duration,
    attempts: u32,
}

impl<'a> Backoff<'a> {
    pub(super) fn start(env: &'a Env, policy: RetryPolicy) -> Self {
        Self { env, policy, ends: env.now() + policy.deadline, attempts: 0 }
    }

    /// Waits before the next attempt, or gives `error` back when there is none.
    pub(super) async fn pause_after(&mut self, error: Error) -> Result<()> {
        self.attempts += 1;
        let doubled = 1_u32.checked_shl(self.attempts.min(31)).unwrap_or(u32::MAX);
        let limit = self.policy.first_pause.saturating_mul(doubled).min(self.policy.max_pause);
        let asked = match &error {
            Error::Unavailable { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let pause = (limit / 2 + self.env.jitter(limit / 2)).max(asked);
        let spent = self.policy.max_attempts.is_some_and(|most| self.attempts >= most);
        if spent || self.env.now() + pause >= self.ends {
            return Err(error);
        }
        self.env.sleep(pause).await;
        Ok(())
    }
}
