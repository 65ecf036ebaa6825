//! Pauses between attempts.

use std::time::Duration;

use ifmatch_core::{Env, Error as StoreError, RetryPolicy};

use crate::error::{Error, Result};

/// Pauses that grow, with jitter, until the policy gives up.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    env: &'a Env,
    policy: RetryPolicy,
    ends: Duration,
    attempts: u32,
}

impl<'a> Backoff<'a> {
    pub(crate) fn start(env: &'a Env, policy: RetryPolicy) -> Self {
        Self { env, policy, ends: env.now().saturating_add(policy.deadline), attempts: 0 }
    }

    /// When the policy gives up.
    pub(crate) const fn ends(&self) -> Duration {
        self.ends
    }

    /// Waits before the next attempt, or gives `error` back when there is none.
    pub(crate) async fn pause_after(&mut self, error: Error) -> Result<()> {
        let asked = asked(&error).min(self.policy.max_pause);
        let pause = self.next().max(asked);
        let spent = self.policy.max_attempts.is_some_and(|most| self.attempts >= most);
        if spent || self.env.now() + pause >= self.ends {
            return Err(error);
        }
        self.env.sleep(pause).await;
        Ok(())
    }

    /// Waits before the next attempt; whoever waits for it ends it.
    pub(crate) async fn pause(&mut self, error: Option<&Error>) {
        let asked = error.map(asked).unwrap_or_default().min(self.policy.max_pause);
        let pause = self.next().max(asked);
        self.env.sleep(pause).await;
    }

    fn next(&mut self) -> Duration {
        self.attempts += 1;
        let doubled = 1_u32 << (self.attempts - 1).min(16);
        let limit = self.policy.first_pause.saturating_mul(doubled).min(self.policy.max_pause);
        limit / 2 + self.env.jitter(limit / 2)
    }
}

/// How long the store asked us to wait.
fn asked(error: &Error) -> Duration {
    match error {
        Error::Store(StoreError::Unavailable { retry_after, .. }) => {
            retry_after.unwrap_or_default()
        }
        _ => Duration::ZERO,
    }
}
