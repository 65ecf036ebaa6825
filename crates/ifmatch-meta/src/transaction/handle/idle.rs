//! The end of a transaction that nobody goes on with.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Background;

use super::Inner;
use super::state::{IDLE, Phase};

/// When an operation is in the way.
const SOON: Duration = Duration::from_millis(5);

/// Ends the transaction when it was idle for too long, so that others need not
/// wait for the end of its life.
pub(super) fn watch(inner: &Arc<Inner>) -> Background {
    let (weak, env) = (Arc::downgrade(inner), inner.env().clone());
    inner.env().spawn("idle watch of a transaction", async move {
        while let Some(inner) = weak.upgrade() {
            let left = inner.idle_left(env.now());
            if left.is_zero() && expire(&inner).await {
                return;
            }
            drop(inner);
            env.sleep(left.max(SOON)).await;
        }
    })
}

/// Whether it is over now; not while an operation is under way.
async fn expire(inner: &Inner) -> bool {
    let abandoned = {
        let Ok(mut state) = inner.peek() else { return false };
        let abandoned = state.is_ours_to_abort();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Expired(IDLE);
        }
        abandoned
    };
    if let (true, Ok(backend), Ok(address)) = (abandoned, inner.backend(), inner.address()) {
        let _ = backend.abort(address).await; // Its lifetime ends it too.
    }
    true
}

#[cfg(test)]
mod tests;
