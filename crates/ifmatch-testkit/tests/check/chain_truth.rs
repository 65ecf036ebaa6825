//! Answers that are false whatever the time, each planted by itself.

use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::chain::{Answer, Position, Told, Violation};

use super::chain::{call, chain, commit, committed, read, violations};

const fn at(seq: u64, ordinal: u32) -> Position {
    Position { seq, ordinal }
}

#[test]
fn a_commit_that_was_acknowledged_and_is_not_there_is_lost() {
    let found = violations(
        chain(&[&["a"]]),
        vec![
            commit(1, 1, 2, "a", committed(1, 0)),
            commit(2, 3, 4, "b", committed(2, 0)),
            read(2, 5, 6, 1),
        ],
    );
    assert_eq!(found, [Violation::Lost { call: 1, operation: "b", told: at(2, 0) }]);
}

#[test]
fn what_was_told_rejected_or_never_and_is_there_is_a_phantom() {
    let found = violations(
        chain(&[&["a", "b"]]),
        vec![commit(1, 1, 2, "a", Told::Rejected), commit(2, 1, 2, "b", Told::Never)],
    );
    let phantom =
        |call, operation, ordinal| Violation::Phantom { call, operation, found: at(1, ordinal) };
    assert_eq!(found, [phantom(0, "a", 0), phantom(1, "b", 1)]);
}

#[test]
fn an_operation_that_is_there_twice_is_doubled() {
    let found = violations(
        chain(&[&["a"], &["b"], &["c", "a"]]),
        vec![commit(1, 1, 9, "a", committed(1, 0))],
    );
    let (first, second) = (at(1, 0), at(3, 1));
    assert_eq!(found, [Violation::Doubled { operation: "a", first, second }]);
}

#[test]
fn another_commit_or_ordinal_than_was_told_is_misplaced() {
    let found = violations(
        chain(&[&["a"], &["b", "c"]]),
        vec![
            commit(1, 1, 9, "a", committed(2, 0)),
            commit(2, 1, 9, "b", committed(2, 0)),
            commit(3, 1, 9, "c", committed(2, 2)),
        ],
    );
    let misplaced =
        |call, operation, told, found| Violation::Misplaced { call, operation, told, found };
    assert_eq!(
        found,
        [misplaced(0, "a", at(2, 0), at(1, 0)), misplaced(2, "c", at(2, 2), at(2, 1))]
    );
}

#[test]
fn a_number_left_out_or_used_twice_or_another_parent_is_a_gap() {
    let gap = |after, number, parent| Violation::Gap { after, number, parent };
    let mut left_out = chain(&[&["a"], &["b"], &["c"]]);
    left_out.remove(1);
    assert_eq!(violations(left_out.clone(), Vec::new()), [gap(1, 3, 2)]);
    left_out[1].parent = 1;
    assert_eq!(violations(left_out, Vec::new()), [gap(1, 3, 1)]);
    let mut twice = chain(&[&["a"], &["b"], &["c"]]);
    (twice[2].number, twice[2].parent) = (2, 1);
    assert_eq!(violations(twice, Vec::new()), [gap(2, 2, 1)]);
    let mut parent = chain(&[&["a"], &["b"], &["c"]]);
    parent[2].parent = 1;
    assert_eq!(violations(parent, Vec::new()), [gap(2, 3, 1)]);
    let mut first = chain(&[&["a"], &["b"]]);
    first[0].parent = 1;
    assert_eq!(violations(first, Vec::new()), [gap(1, 1, 1)]);
}

#[test]
fn a_chain_may_begin_anywhere() {
    let mut later = chain(&[&["x"], &["y"], &["a"], &["b"]]);
    later.drain(..2);
    let calls = vec![read(1, 1, 2, 2), commit(1, 3, 4, "a", committed(3, 0)), read(1, 5, 9, 4)];
    assert_eq!(violations(later, calls), []);
}

#[test]
fn a_state_that_never_was_is_a_wrong_snapshot() {
    for may_be_stale in [false, true] {
        let answer = Answer::Read { seq: 1, digest: Some(101), may_be_stale };
        let found = violations(chain(&[&["a"]]), vec![call(1, 3, 4, answer)]);
        let wrong = Violation::WrongSnapshot { call: 0, seq: 1, read: 101, replayed: 100 };
        assert_eq!(found, [wrong]);
    }
}

#[test]
fn a_commit_whose_precondition_did_not_hold_is_a_false_commit() {
    // Both were made on state 1; the second one overwrites the first.
    let found = violations(
        chain(&[&["a"], &["needs 1"], &["b"], &["needs 1 "], &["needs 2"]]),
        vec![commit(2, 3, 4, "needs 2", committed(5, 0))],
    );
    let wrong = |operation, seq| Violation::FalseCommit { operation, found: at(seq, 0) };
    assert_eq!(found, [wrong("needs 1 ", 4), wrong("needs 2", 5)]);
}

#[test]
fn a_commit_acknowledged_before_it_was_there_is_of_the_future() {
    let mut chain = chain(&[&["a"]]);
    chain[0].at = Some(Moment::new(5, 0));
    let calls = |to| vec![commit(1, 1, to, "a", committed(1, 0))];
    assert_eq!(violations(chain.clone(), calls(5)), []);
    assert_eq!(violations(chain, calls(4)), [Violation::Future { call: 0, seq: 1, newest: 0 }]);
}

#[test]
fn a_commit_that_was_there_before_it_was_asked_for_is_early() {
    let mut chain = chain(&[&["a"]]);
    chain[0].at = Some(Moment::new(5, 0));
    let calls = |from| vec![commit(1, from, 9, "a", committed(1, 0))];
    assert_eq!(violations(chain.clone(), calls(5)), []);
    let early = Violation::Early { call: 0, operation: "a", found: at(1, 0) };
    assert_eq!(violations(chain, calls(6)), [early]);
}
