//! The slot register.

use ifmatch_testkit::model::slots::{Bug, Setup, SlotModel, Violation};

use crate::report::{caught, clean};

/// More than a search that ends ever needs.
const LIMIT: usize = 80_000_000;

fn shipped(name: &str, setup: Setup) -> usize {
    clean(name, || SlotModel::shipped(setup).search(LIMIT))
}

#[test]
fn slots_and_trimming_keep_every_promise() {
    let states = shipped("slots: one and two bodies", Setup::of(1, 2));
    assert!(states > 1_000_000, "a smaller model than the one that was meant");
}

#[test]
fn every_planted_bug_of_slots_is_found_with_a_short_trace() {
    for bug in Bug::ALL {
        let setup = match bug {
            Bug::FloorUnconditional => Setup::of(1, 2).two_trimmers(),
            _ => Setup::of(1, 2),
        };
        let broken = caught(&bug, || SlotModel::planted(setup, bug).search(LIMIT));
        let class = match bug {
            Bug::BelowIsNever | Bug::TakenIsNever | Bug::AbsentIsNever => Violation::Phantom,
            Bug::AbsentIsUnchanged | Bug::HintUnchecked => Violation::Stale,
            _ => Violation::Lost,
        };
        assert_eq!(broken, class, "{bug:?} breaks another promise than the one it is about");
    }
}

#[test]
#[ignore = "nightly: some ten million states each; run with --profile sim"]
fn slots_and_trimming_keep_every_promise_in_larger_searches() {
    shipped("slots: two trimmers", Setup::of(1, 2).two_trimmers());
    shipped("slots: two bodies each", Setup::of(2, 2));
    shipped("slots: two bodies each, no exemption", Setup::of(2, 2).without_exemption());
    shipped("slots: three ticks", Setup::of(1, 2).ticks(3));
}
