//! Pauses between runs.

use std::time::Duration;

use ifmatch_core::{Env, Error as CoreError, RetryPolicy};

use crate::error::{Error, Result};

/// Pauses that grow, with jitter, until the policy gives up.
#[derive(Debug)]
pub(super) struct Backoff<'a> {
    env: &'a Env,
    policy: RetryPolicy,
    ends: Duration,
    attempts: u32,
}

impl<'a> Backoff<'a> {
    pub(super) fn start(env: &'a Env, policy: RetryPolicy) -> Self {
        Self { env, policy, ends: env.now().saturating_add(policy.deadline), attempts: 0 }
    }

    /// How many attempts have failed.
    pub(super) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Waits before the next attempt, or gives `error` back when there is none.
    pub(super) async fn pause_after(&mut self, error: Error) -> Result<()> {
        self.attempts += 1;
        let doubled = 1_u32 << (self.attempts - 1).min(16);
        let limit = self.policy.first_pause.saturating_mul(doubled).min(self.policy.max_pause);
        let pause = (limit / 2 + self.env.jitter(limit / 2)).max(asked(&error));
        let spent = self.policy.max_attempts.is_some_and(|most| self.attempts >= most);
        if spent || self.env.now().saturating_add(pause) >= self.ends {
            return Err(error);
        }
        self.env.sleep(pause).await;
        Ok(())
    }
}

/// How long the store asked us to wait.
fn asked(error: &Error) -> Duration {
    match error {
        Error::Core(CoreError::Unavailable { retry_after, .. }) => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}
