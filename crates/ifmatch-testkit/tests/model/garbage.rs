//! Garbage collection.

use ifmatch_testkit::model::garbage::{Bug, GarbageModel, Setup, Violation};

use crate::report::{caught, clean};

/// More than a search that ends ever needs.
const LIMIT: usize = 80_000_000;

fn shipped(name: &str, setup: Setup) -> usize {
    clean(name, || GarbageModel::shipped(setup).search(LIMIT))
}

#[test]
fn nothing_that_is_named_is_ever_deleted() {
    shipped("garbage: two writers", Setup::of(1, 1).objects(3));
    shipped("garbage: a reader", Setup::of(2, 1).objects(3).ticks(4).reader());
}

#[test]
fn every_planted_bug_of_garbage_is_found_with_a_short_trace() {
    for bug in Bug::ALL {
        let setup = bug.setup();
        clean(&format!("garbage: before {bug:?}"), || GarbageModel::shipped(setup).search(LIMIT));
        let broken = caught(&bug, || GarbageModel::planted(setup, bug).search(LIMIT));
        let other = if bug == Bug::RetentionByAge { Violation::Missing } else { Violation::Lost };
        assert_eq!(broken, other, "{bug:?}");
    }
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn nothing_that_is_named_is_ever_deleted_in_larger_searches() {
    let states = shipped("garbage: four objects", Setup::of(2, 2).objects(4).reader());
    assert!(states > 1_000_000, "a smaller model than the one that was meant");
    shipped("garbage: two collectors", Setup::of(2, 1).objects(4).two_collectors());
    shipped("garbage: by date", Setup::of(2, 2).objects(4).by_date());
}
