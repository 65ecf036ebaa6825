//! Each kind of work by itself: it keeps its promises, and it does what it is for.

use super::load::Load;
use super::report::SeedReport;
use super::run::run_scenario;
use super::scenario::Scenario;

fn runs(load: Load, seeds: u64) -> Vec<SeedReport> {
    let runs = (0..seeds).map(|seed| run_scenario(Scenario::with(seed, load), true));
    runs.inspect(|run| assert!(run.violations.is_empty(), "{:?}", run.violations)).collect()
}

fn told(runs: &[SeedReport], what: &str) -> usize {
    let lines = runs.iter().flat_map(|run| &run.trace);
    lines.filter(|line| line.contains(what)).count()
}

#[test]
fn after_each_deed_of_an_operator_every_client_stops() {
    let runs = runs(Load::Operator, 60);
    // Deleted, rewound, branched, replaced.
    for kind in 0..4 {
        let deeds = told(&runs, &format!("the operator acts {kind} "));
        assert!(deeds >= 3, "deed {kind}: {deeds}");
    }
    let acknowledged: u64 = runs.iter().map(|run| run.commits).sum();
    assert!(acknowledged > 2_000, "{acknowledged}");
}

#[test]
fn banks_move_money_and_lists_grow_by_conditions_that_are_sometimes_refused() {
    for load in [Load::Bank, Load::Append] {
        let runs = runs(load, 8);
        for count in [told(&runs, "has committed"), told(&runs, "is rejected")] {
            assert!(count > 500, "{load:?}: {count}");
        }
    }
}

#[test]
fn mixed_work_asks_for_everything() {
    let runs = runs(Load::Mixed, 12);
    for what in [
        "has read the past",
        "has read the log",
        "has fenced",
        "has written a checkpoint",
        "has found out",
        "drops a call",
        "does not know",
        "crashes",
        "is paused",
        "has its wall clock moved",
        "leaves a put on its way",
    ] {
        assert!(told(&runs, what) > 5, "{what}: {}", told(&runs, what));
    }
}

#[test]
fn checkpoints_beside_commits_are_many_and_large_states_make_merges() {
    let runs = runs(Load::Checkpointing, 30);
    let sum = |count: fn(&SeedReport) -> u64| runs.iter().map(count).sum::<u64>();
    let (checkpoints, merges) = (sum(|run| run.checkpoints), sum(|run| run.merges));
    assert!(checkpoints > 300 && merges > 10, "{checkpoints} checkpoints, {merges} merges");
}
