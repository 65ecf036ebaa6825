//! Pauses between attempts.

use std::time::Duration;

use ifmatch_core::{Env, Error as Core, Retry, RetryPolicy};

use crate::error::{Error, Result};

/// Random pauses that grow, until the policy gives up.
#[derive(Debug)]
pub(crate) struct Backoff<'a> {
    env: &'a Env,
    policy: RetryPolicy,
    ends: Duration,
    /// How many attempts failed.
    failed: u32,
}

impl<'a> Backoff<'a> {
    pub(crate) fn start(env: &'a Env, policy: RetryPolicy) -> Self {
        Self { env, policy, ends: env.now().saturating_add(policy.deadline), failed: 0 }
    }

    /// The number of the attempt that is under way, from 1.
    pub(crate) const fn attempt(&self) -> u32 {
        self.failed.saturating_add(1)
    }

    /// Waits before the next attempt, or gives `error` back when there is none.
    pub(crate) async fn pause_after(&mut self, error: Error) -> Result<()> {
        self.failed = self.failed.saturating_add(1);
        let pause = self.pause(&error);
        let spent = self.policy.max_attempts.is_some_and(|most| self.failed >= most);
        if spent || self.env.now().saturating_add(pause) >= self.ends {
            return Err(error);
        }
        if !pause.is_zero() {
            self.env.sleep(pause).await;
        }
        Ok(())
    }

    /// Anything up to a limit that doubles: competitors that were in step are so
    /// no longer. Whoever lost once tries again at once, for the other is done.
    fn pause(&self, error: &Error) -> Duration {
        let lost = error.retry() == Retry::Rebase;
        if lost && self.failed == 1 {
            return Duration::ZERO;
        }
        let doubled = 1_u32 << (self.failed - 1).min(16);
        let limit = self.policy.first_pause.saturating_mul(doubled).min(self.policy.max_pause);
        let pause =
            if lost { self.env.jitter(limit) } else { limit / 2 + self.env.jitter(limit / 2) };
        pause.max(asked(error).min(self.policy.max_pause))
    }
}

/// How long the store asked us to wait.
fn asked(error: &Error) -> Duration {
    match error {
        Error::InBatch(inner) => asked(&inner.error),
        Error::Core(Core::Unavailable { retry_after, .. }) => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}
