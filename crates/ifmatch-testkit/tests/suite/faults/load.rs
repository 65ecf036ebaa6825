//! Mixes of faults under load: what clients are told is true.

use std::time::Duration;

use ifmatch_testkit::{FaultKind, FaultPlan};

use super::verdicts::{Verdicts, check};
use super::workload::run;

const CLIENTS: usize = 5;
const OPERATIONS: usize = 1_500;

/// Runs a mix twice; both runs must be the same, and true.
async fn holds_under(mix: &str, plan: FaultPlan) -> Verdicts {
    let first = run(11, plan.clone(), CLIENTS, OPERATIONS).await;
    let verdicts = check(&first).await;
    let coverage = first.store.coverage();
    println!("{mix}: {} operations, {verdicts}\n{coverage}", CLIENTS * OPERATIONS);
    assert!(coverage.missing().is_empty(), "{mix}: never happened: {:?}", coverage.missing());
    let second = run(11, plan, CLIENTS, OPERATIONS).await;
    assert_eq!(first.store.truth(), second.store.truth(), "{mix}: one seed, two truths");
    assert_eq!(first.store.calls(), second.store.calls(), "{mix}: one seed, two traces");
    verdicts
}

#[tokio::test(start_paused = true)]
async fn verdicts_are_true_on_a_bad_network() {
    let verdicts = holds_under("network", FaultPlan::network(1, 0.03)).await;
    assert!(verdicts.done > 1_000 && verdicts.conflicts > 100 && verdicts.unknown > 0);
}

#[tokio::test(start_paused = true)]
async fn verdicts_are_true_where_late_requests_arrive_by_themselves() {
    let plan = FaultPlan::network(2, 0.03);
    let plan = plan.delays(Duration::from_millis(10)..Duration::from_hours(3));
    holds_under("network with late arrivals", plan).await;
}

#[tokio::test(start_paused = true)]
async fn verdicts_are_true_over_stale_reads() {
    holds_under("stale reads", FaultPlan::stale(3, 0.06)).await;
}

#[tokio::test(start_paused = true)]
async fn damaged_bodies_are_seen_and_counted_on_by_nobody() {
    holds_under("damaged bodies", FaultPlan::damaging(4, 0.05)).await;
}

#[tokio::test(start_paused = true)]
async fn another_seed_is_another_run() {
    let plan = FaultPlan::network(5, 0.05);
    let (one, two) = (run(1, plan.clone(), 2, 50).await, run(2, plan, 2, 50).await);
    assert_ne!(one.store.calls(), two.store.calls());
}

#[test]
fn the_mixes_hold_every_kind() {
    let mixes = [FaultPlan::network(1, 0.1), FaultPlan::stale(1, 0.1), FaultPlan::damaging(1, 0.1)];
    let shown = format!("{mixes:?}");
    for kind in FaultKind::ALL {
        assert!(shown.contains(&format!("{kind:?}")), "{kind} is in no mix");
    }
}
