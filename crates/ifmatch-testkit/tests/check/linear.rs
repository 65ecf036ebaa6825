//! The search for a linearization, on histories decided by hand.

use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::linear::{Call, Register, RegisterAnswer, RegisterOp, Verdict, check};

type RegisterCall = Call<RegisterOp<u64>, RegisterAnswer<u64>>;

const LIMIT: usize = 100_000;

fn call(from: u64, to: u64, op: RegisterOp<u64>, answer: RegisterAnswer<u64>) -> RegisterCall {
    Call { invoked: Moment::new(from, 0), returned: Some((Moment::new(to, 0), answer)), op }
}

fn unanswered(from: u64, op: RegisterOp<u64>) -> RegisterCall {
    Call { invoked: Moment::new(from, 0), returned: None, op }
}

fn write(from: u64, to: u64, value: u64) -> RegisterCall {
    call(from, to, RegisterOp::Write(value), RegisterAnswer::Written)
}

fn read(from: u64, to: u64, value: u64) -> RegisterCall {
    call(from, to, RegisterOp::Read, RegisterAnswer::Value(value))
}

fn cas(from: u64, to: u64, expected: u64, new: u64, swapped: bool) -> RegisterCall {
    call(from, to, RegisterOp::Cas { expected, new }, RegisterAnswer::Swapped(swapped))
}

fn order(calls: &[RegisterCall]) -> Option<Vec<usize>> {
    match check(&Register { initial: 0 }, calls, LIMIT).verdict {
        Verdict::Linearizable { order } => Some(order),
        Verdict::Broken { .. } => None,
        verdict => panic!("{verdict:?}"),
    }
}

#[test]
fn nothing_is_linearizable() {
    assert_eq!(order(&[]), Some(vec![]));
    assert_eq!(order(&[unanswered(1, RegisterOp::Write(1))]), Some(vec![]));
}

#[test]
fn calls_under_way_at_once_take_either_order() {
    assert_eq!(order(&[write(1, 4, 1), read(2, 3, 0)]), Some(vec![1, 0]));
    assert_eq!(order(&[write(1, 4, 1), read(2, 3, 1)]), Some(vec![0, 1]));
    assert_eq!(order(&[write(1, 2, 1), read(2, 3, 0)]), Some(vec![1, 0]), "calls that touch");
}

#[test]
fn a_stale_read_is_not_linearizable() {
    assert_eq!(order(&[write(1, 2, 1), read(3, 4, 0)]), None);
}

#[test]
fn reads_do_not_go_back() {
    let reads = |second| vec![write(1, 9, 1), read(2, 3, 1), read(4, 5, second)];
    assert!(order(&reads(1)).is_some());
    assert_eq!(order(&reads(0)), None);
}

#[test]
fn of_two_swaps_of_one_value_one_wins() {
    let swaps = |second| vec![cas(1, 4, 0, 1, true), cas(2, 3, 0, 2, second)];
    assert_eq!(order(&swaps(false)), Some(vec![0, 1]));
    assert_eq!(order(&swaps(true)), None);
}

#[test]
fn a_refused_swap_needs_a_reason() {
    assert_eq!(order(&[cas(1, 2, 0, 1, false)]), None);
    assert!(order(&[cas(1, 2, 0, 1, false), write(2, 3, 7)]).is_some());
}

#[test]
fn a_call_without_an_answer_may_take_effect_late_or_never() {
    let lost = || unanswered(1, RegisterOp::Cas { expected: 0, new: 1 });
    assert_eq!(order(&[lost(), read(2, 3, 0)]), Some(vec![1]));
    assert_eq!(order(&[lost(), read(2, 3, 0), read(4, 5, 1)]), Some(vec![1, 0, 2]));
    assert_eq!(order(&[lost(), read(2, 3, 1), read(4, 5, 0)]), None);
    assert_eq!(order(&[read(1, 2, 1), unanswered(3, RegisterOp::Write(1))]), None);
}

#[test]
fn a_call_that_returned_before_it_began_lasted_a_moment() {
    assert_eq!(order(&[write(3, 1, 7), read(4, 5, 7)]), Some(vec![0, 1]));
    assert_eq!(order(&[write(3, 1, 7), read(4, 5, 0)]), None);
}

#[test]
fn a_broken_history_names_where_the_search_was_stopped() {
    let calls = [write(1, 2, 1), read(3, 4, 1), read(5, 6, 9), write(7, 8, 2)];
    let report = check(&Register { initial: 0 }, &calls, LIMIT);
    assert_eq!(report.verdict, Verdict::Broken { longest: vec![0, 1], blocked: 2 });
}

#[test]
fn the_limit_ends_a_search() {
    // Thirty writes at once and a read of none of them.
    let mut calls: Vec<_> = (1..=30).map(|value| write(1, 10, value)).collect();
    calls.push(read(11, 12, 99));
    let report = check(&Register { initial: 0 }, &calls, 1_000);
    assert_eq!(report.verdict, Verdict::Undecided);
    assert!(report.visited <= 1_001);
}

#[test]
fn what_led_to_the_same_state_is_not_tried_again() {
    // 2^12 sets of calls with at most 12 last writers each, instead of 12! orders.
    let mut calls: Vec<_> = (1..=12).map(|value| write(1, 10, value)).collect();
    calls.push(read(11, 12, 99));
    let report = check(&Register { initial: 0 }, &calls, LIMIT);
    assert!(matches!(report.verdict, Verdict::Broken { .. }));
    assert_eq!(report.visited, 12 << 11, "each set, with each of its members last");
}
