//! The head register.

use ifmatch_testkit::model::head::{Bug, HeadModel, Setup, Violation};

use crate::report::{caught, clean};

/// More than a search that ends ever needs.
const LIMIT: usize = 60_000_000;

fn shipped(name: &str, setup: Setup) -> usize {
    clean(name, || HeadModel::shipped(setup).search(LIMIT))
}

#[test]
fn batches_and_empty_commits_keep_every_promise() {
    shipped("head: batches", Setup::of(2).rings(3, 3));
    shipped("head: batches, fences", Setup::of(2).fences(1).bodies(3));
}

#[test]
#[ignore = "nightly: a million states; run with --profile sim"]
fn batches_and_empty_commits_without_bounds_keep_every_promise() {
    let states = shipped("head: batches, fences, unbounded", Setup::of(2).fences(1));
    assert!(states > 1_000_000, "a smaller model than the one that was meant");
}

#[test]
fn rings_of_any_length_keep_every_promise() {
    for (one, other) in [(1, 1), (1, 3)] {
        let setup = Setup::of(2).rings(one, other);
        shipped(&format!("head: rings of {one} and {other}"), setup);
    }
}

#[test]
fn restarts_keep_every_promise() {
    shipped("head: restarts", Setup::of(2).crashes(1));
    let setup = Setup::of(1).crashes(1).fences(1).stale();
    shipped("head: restarts, fences, stale reads", setup);
}

#[test]
fn conflicts_are_true() {
    shipped("head: calls", Setup::of(2).calls());
    shipped("head: calls, restarts, fences", Setup::of(1).calls().crashes(1).fences(1));
}

#[test]
fn every_entry_is_found_through_the_head() {
    shipped("head: segments", Setup::of(2).layout(1, 0));
    shipped("head: segments, checkpoints", Setup::of(1).layout(1, 1));
}

#[test]
fn nobody_goes_on_from_another_branch_after_a_rewind() {
    shipped("head: rewind", Setup::of(1).rewind().bodies(3).fences(1));
}

#[test]
fn every_planted_bug_of_the_head_is_found_with_a_short_trace() {
    for bug in Bug::ALL {
        clean(&format!("head: before {bug:?}"), || HeadModel::shipped(bug.setup()).search(LIMIT));
        let broken = caught(&bug, || HeadModel::planted(bug.setup(), bug).search(LIMIT));
        let class = match bug {
            Bug::ConflictFromCache => broken == Violation::FalseConflict,
            Bug::KeepsSegment | Bug::CarriesCheckpoint => broken == Violation::Unreachable,
            Bug::AdoptsOlder | Bug::AdoptsOtherBranch => broken == Violation::Diverged,
            Bug::AcknowledgesEarly | Bug::OneIdTwoBodies => broken == Violation::Lost,
            _ => matches!(broken, Violation::Phantom | Violation::Doubled),
        };
        assert!(class, "{bug:?} breaks another promise than the one it is about: {broken:?}");
    }
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn three_transactions_of_each_writer_keep_every_promise() {
    shipped("head: three each", Setup::of(3));
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn stale_reads_restarts_and_fences_together_keep_every_promise() {
    shipped("head: one each, twice", Setup::of(1).crashes(2).fences(2).stale());
    shipped("head: two each", Setup::of(2).crashes(1).fences(1).stale());
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn conflicts_are_true_with_restarts_and_fences() {
    shipped("head: calls, all", Setup::of(2).calls().crashes(1).fences(1));
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn every_entry_is_found_with_several_checkpoints() {
    shipped("head: one each, checkpoints", Setup::of(1).layout(2, 2));
    shipped("head: two each, checkpoints", Setup::of(2).layout(1, 1));
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn nobody_goes_on_from_another_branch_in_larger_searches() {
    shipped("head: rewind, short rings", Setup::of(2).rewind().bodies(2).rings(1, 1));
    shipped("head: rewind, three bodies", Setup::of(2).rewind().bodies(3));
    shipped("head: rewind, stale reads", Setup::of(2).rewind().bodies(2).stale());
}
