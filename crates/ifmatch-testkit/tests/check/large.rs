//! Histories of a size that only a check without quadratic loops gets through.

use fastrand::Rng;
use ifmatch_testkit::check::chain::{Answer, Told, Violation, check};

use super::register::Recorded;
use super::simulate::{Plan, simulate};

fn large(calls: usize) -> Recorded {
    let plan = Plan { clients: 16, calls, unique: true, last_read: true };
    simulate(plan, &mut Rng::with_seed(7))
}

#[test]
fn twenty_thousand_calls_are_clean() {
    let recorded = large(20_000);
    let report = check(&recorded.history, &recorded);
    println!("{}", report.counts);
    assert!(report.is_clean(), "{report}");
    let counts = report.counts;
    assert_eq!(counts.calls, 20_001);
    assert!(counts.committed > 1_000 && counts.rejected > 1_000 && counts.unknown_applied > 200);
}

#[test]
fn one_lie_among_twenty_thousand_calls_is_named() {
    let mut recorded = large(20_000);
    let calls = &mut recorded.history.calls;
    let lie = calls[10_000..].iter().position(|call| {
        matches!(call.answer, Answer::Commit { told: Told::Unknown, .. }) && call.returned.is_some()
    });
    let lie = 10_000 + lie.unwrap();
    let Answer::Commit { operation, told } = &mut calls[lie].answer else { panic!() };
    let operation = *operation;
    *told = Told::Committed { seq: 1, ordinal: 0 };
    let report = check(&recorded.history, &recorded);
    assert!(!report.is_clean());
    for violation in &report.violations {
        match violation {
            Violation::Lost { call, operation: named, .. }
            | Violation::Misplaced { call, operation: named, .. } => {
                assert_eq!((*call, *named), (lie, operation));
            }
            Violation::SessionBack { call, .. } => assert_eq!(*call, lie),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn two_hundred_thousand_calls_are_clean() {
    let recorded = large(200_000);
    let report = check(&recorded.history, &recorded);
    assert!(report.is_clean(), "{report}");
}
