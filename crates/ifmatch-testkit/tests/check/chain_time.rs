//! Answers that are false because of what had happened before.

use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::chain::{Position, Told, Violation};

use super::chain::{chain, commit, committed, read, stale_read, violations};

#[test]
fn a_commit_before_one_that_had_been_acknowledged_is_reordered() {
    let calls =
        |to| vec![commit(1, 1, to, "a", committed(2, 0)), commit(2, 3, 4, "b", committed(1, 0))];
    assert_eq!(violations(chain(&[&["b"], &["a"]]), calls(3)), [], "calls that touch");
    let found = Position { seq: 1, ordinal: 0 };
    let reordered = Violation::Reordered { call: 1, operation: "b", found, earlier: 0, seen: 2 };
    assert_eq!(violations(chain(&[&["b"], &["a"]]), calls(2)), [reordered]);
}

#[test]
fn a_lost_answer_does_not_hide_that_a_commit_is_reordered() {
    let found = violations(
        chain(&[&["b"], &["a"]]),
        vec![commit(1, 1, 2, "a", committed(2, 0)), commit(2, 3, 0, "b", Told::Unknown)],
    );
    assert!(matches!(found[..], [Violation::Reordered { call: 1, earlier: 0, .. }]), "{found:?}");
}

#[test]
fn a_commit_that_joins_one_already_acknowledged_is_reordered() {
    let found = violations(
        chain(&[&["a", "b"]]),
        vec![commit(1, 1, 2, "a", committed(1, 0)), commit(2, 3, 4, "b", committed(1, 1))],
    );
    assert!(matches!(found[..], [Violation::Reordered { call: 1, seen: 1, .. }]), "{found:?}");
}

#[test]
fn an_unknown_outcome_may_be_applied_after_anything() {
    let found = violations(
        chain(&[&["b"], &["a"]]),
        vec![commit(1, 1, 2, "a", Told::Unknown), commit(2, 3, 4, "b", committed(1, 0))],
    );
    assert_eq!(found, []);
}

#[test]
fn a_read_older_than_what_had_been_acknowledged_is_stale() {
    let calls = |from| vec![commit(1, 1, 2, "a", committed(1, 0)), read(2, from, 9, 0)];
    assert_eq!(violations(chain(&[&["a"]]), calls(2)), [], "calls that touch");
    let stale = Violation::StaleRead { call: 1, seq: 0, earlier: 0, seen: 1 };
    assert_eq!(violations(chain(&[&["a"]]), calls(3)), [stale]);
}

#[test]
fn a_read_older_than_what_another_read_is_stale() {
    let chain = || chain(&[&["a"]]);
    let lost = commit(1, 1, 2, "a", Told::Unknown);
    let stale = Violation::StaleRead { call: 2, seq: 0, earlier: 1, seen: 1 };
    for first in [read(2, 3, 4, 1), stale_read(2, 3, 4, 1)] {
        let found = violations(chain(), vec![lost.clone(), first, read(3, 5, 6, 0)]);
        assert_eq!(found, std::slice::from_ref(&stale));
    }
}

#[test]
fn a_read_older_than_what_a_rejection_proves_is_stale() {
    // Only state 1 rejects what needs state 0.
    let found = violations(
        chain(&[&["a"]]),
        vec![
            commit(1, 1, 9, "a", committed(1, 0)),
            commit(2, 2, 3, "needs 0", Told::Rejected),
            read(3, 4, 5, 0),
        ],
    );
    assert_eq!(found, [Violation::StaleRead { call: 2, seq: 0, earlier: 1, seen: 1 }]);
}

#[test]
fn a_read_that_may_be_stale_is_not_older_than_its_own_session() {
    let a = || commit(1, 1, 2, "a", committed(1, 0));
    let back = |client, earlier| Violation::SessionBack {
        call: 1 + earlier,
        client,
        seq: 0,
        earlier,
        seen: 1,
    };
    let chain = || chain(&[&["a"]]);
    assert_eq!(violations(chain(), vec![a(), stale_read(2, 3, 4, 0)]), []);
    assert_eq!(violations(chain(), vec![a(), stale_read(1, 3, 4, 0)]), [back(1, 0)]);
    let reads = vec![a(), stale_read(2, 3, 4, 1), stale_read(2, 5, 6, 0)];
    assert_eq!(violations(chain(), reads), [back(2, 1)]);
}

#[test]
fn a_commit_is_not_older_than_its_own_session() {
    let found = violations(
        chain(&[&["b"], &["a"]]),
        vec![commit(1, 1, 2, "a", committed(2, 0)), commit(1, 3, 4, "b", committed(1, 0))],
    );
    let back = Violation::SessionBack { call: 1, client: 1, seq: 1, earlier: 0, seen: 2 };
    assert!(found.contains(&back), "{found:?}");
}

#[test]
fn a_read_of_what_does_not_exist_yet_is_of_the_future() {
    let calls = || vec![read(1, 1, 2, 1), commit(2, 3, 4, "a", committed(1, 0))];
    let future = |newest, seq| Violation::Future { call: 0, seq, newest };
    assert_eq!(violations(chain(&[&["a"]]), calls()), [future(0, 1)], "not asked for yet");
    assert_eq!(violations(chain(&[&["x"]]), vec![read(1, 1, 2, 2)]), [future(1, 2)]);
    let mut chain = chain(&[&["x"]]);
    chain[0].at = Some(Moment::new(5, 0));
    assert_eq!(violations(chain, vec![read(1, 1, 2, 1)]), [future(0, 1)], "not there yet");
}

#[test]
fn a_rejection_that_no_state_explains_is_a_false_conflict() {
    let calls = |told, a_to| {
        vec![commit(1, 1, a_to, "a", committed(1, 0)), commit(2, 5, 6, "needs 1", told)]
    };
    // State 0 rejects it, and may be the current one while "a" is under way.
    assert_eq!(violations(chain(&[&["a"]]), calls(Told::Rejected, 5)), []);
    let wrong = Violation::FalseConflict { call: 1, operation: "needs 1", first: 1, last: 1 };
    assert_eq!(violations(chain(&[&["a"]]), calls(Told::Rejected, 4)), [wrong]);
    assert_eq!(violations(chain(&[&["a"]]), calls(Told::Unknown, 4)), []);
}

#[test]
fn a_state_after_the_answer_does_not_explain_a_rejection() {
    let calls = |b_from| {
        vec![
            commit(1, 1, 2, "a", committed(1, 0)),
            commit(2, 5, 6, "needs 1", Told::Rejected),
            commit(3, b_from, 9, "b", committed(2, 0)),
        ]
    };
    let chain = || chain(&[&["a"], &["b"]]);
    assert_eq!(violations(chain(), calls(6)), []);
    let found = violations(chain(), calls(7));
    assert!(matches!(found[..], [Violation::FalseConflict { first: 1, last: 1, .. }]), "{found:?}");
    // Where the chain says when a commit came to exist, that counts.
    let mut late = chain();
    late[1].at = Some(Moment::new(7, 0));
    let found = violations(late, calls(4));
    assert!(matches!(found[..], [Violation::FalseConflict { first: 1, last: 1, .. }]), "{found:?}");
}

#[test]
fn a_rejection_that_is_told_later_is_judged_from_the_first_call_on() {
    let mut calls = vec![
        commit(2, 1, 2, "needs 1", Told::Unknown),
        commit(1, 1, 4, "a", committed(1, 0)),
        commit(2, 5, 6, "needs 1", Told::Rejected),
    ];
    assert_eq!(violations(chain(&[&["a"]]), calls.clone()), []);
    calls.reverse();
    assert_eq!(violations(chain(&[&["a"]]), calls), [], "in whatever order they are listed");
}

#[test]
fn a_client_is_not_shown_the_state_that_rejects_it() {
    let found = violations(
        chain(&[&["a"]]),
        vec![
            commit(1, 1, 9, "a", committed(1, 0)),
            commit(2, 2, 3, "needs 0", Told::Rejected),
            stale_read(2, 4, 5, 0),
        ],
    );
    assert_eq!(found, []);
}

#[test]
fn a_phantom_is_no_disorder_besides() {
    let found = violations(
        chain(&[&["b"], &["a"]]),
        vec![commit(1, 1, 2, "a", committed(2, 0)), commit(2, 3, 4, "b", Told::Rejected)],
    );
    assert!(matches!(found[..], [Violation::Phantom { call: 1, .. }]), "{found:?}");
}

#[test]
fn a_commit_does_not_exist_before_the_one_that_it_was_made_on() {
    let found = violations(
        chain(&[&["a"], &["b"]]),
        vec![
            commit(1, 1, 0, "b", Told::Unknown),
            read(2, 2, 3, 2),
            commit(3, 4, 5, "a", committed(1, 0)),
        ],
    );
    assert_eq!(found, [Violation::Future { call: 1, seq: 2, newest: 0 }]);
}
