//! The probe over stores that keep their conditions and lose answers.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use ifmatch_core::{MemoryBlobStore, RetryPolicy, Simulation, Verdict, probe};
use ifmatch_testkit::{FaultKind, FaultPlan, FaultStore};

/// How often which verdict was given, and how often none.
#[derive(Debug, Default)]
struct Seen {
    safe: usize,
    unavailable: usize,
}

async fn probed(rate: f64, policy: Option<RetryPolicy>) -> Seen {
    let lossy = [
        FaultKind::LostAnswer,
        FaultKind::LostRequest,
        FaultKind::Delayed,
        FaultKind::ServerErrorAfter,
        FaultKind::Contended,
    ];
    let mut seen = Seen::default();
    for seed in 0..150 {
        let memory = Arc::new(MemoryBlobStore::new(Simulation::seeded(seed).env()));
        let reads = FaultKind::ServerErrorBefore;
        let plan = FaultPlan::seeded(seed).rates(lossy, rate).rate(reads, 2.0 * rate);
        let mut store = FaultStore::new(memory, plan);
        if let Some(policy) = policy {
            store = store.with_retry_policy(policy);
        }
        match probe(&store).await {
            Ok(report) => {
                assert_eq!(report.verdict(), Verdict::Safe, "seed {seed}: {report:?}");
                seen.safe += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), "unavailable", "seed {seed}: {error}");
                seen.unavailable += 1;
            }
        }
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_good_store_is_never_refused_for_answers_that_were_lost() {
    let seen = probed(0.005, None).await;
    assert!(seen.safe >= 145, "{seen:?}");
    let seen = probed(0.12, None).await;
    assert!(seen.unavailable > 0, "{seen:?}");
    // Nothing is asked again: what is lost stays unknown, and mostly was not applied.
    let once = RetryPolicy::default().with_max_attempts(1);
    let seen = probed(0.01, Some(once)).await;
    assert!(seen.safe > 0 && seen.unavailable > 0, "{seen:?}");
}
