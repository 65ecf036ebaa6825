//! Which transactions and dependencies count, and which of several cycles is
//! reported.

use std::collections::BTreeMap;

use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::cycles::{Consistency, History, Outcome, Step, check};

use super::cycles::{append, committed, during, ended, found, read, texts};

#[test]
fn an_append_that_nobody_saw_is_missed_by_those_who_read_the_list() {
    let transactions =
        [committed([append(1, 10), append(2, 20)]), committed([read(1, &[10]), read(2, &[])])];
    assert_eq!(
        found(&transactions, &[]),
        ["G-single: T1 -rw(list 2: missed 20)-> T0 -wr(list 1: saw 10)-> T1"]
    );
}

#[test]
fn the_gravest_cycle_of_a_knot_is_named_and_the_shortest_of_its_kind() {
    // A write skew of T0 and T1, and a read skew of T1 and T2.
    let transactions = [
        committed([read(1, &[]), append(2, 20)]),
        committed([read(2, &[]), append(1, 10), append(3, 30)]),
        committed([read(3, &[30]), append(3, 31), read(1, &[])]),
    ];
    assert_eq!(
        found(&transactions, &[(1, &[10]), (2, &[20]), (3, &[30, 31])]),
        ["G-single: T2 -rw(list 1: missed 10)-> T1 -ww(list 3: 31 after 30)-> T2"]
    );
}

#[test]
fn knots_are_reported_apart() {
    let skew = |key| {
        [
            committed([read(key, &[]), append(key + 1, 1)]),
            committed([read(key + 1, &[]), append(key, 1)]),
        ]
    };
    let found = found(&[skew(1), skew(3)].concat(), &[]);
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("T0") && found[1].contains("T2"), "{found:?}");
}

#[test]
fn only_strict_histories_must_follow_real_time() {
    let transactions = [
        during(1, 2, committed([append(1, 10)])),
        during(3, 4, committed([append(2, 20)])),
        during(5, 6, committed([read(1, &[]), read(2, &[20])])),
        during(7, 8, committed([read(1, &[10])])),
    ];
    assert_eq!(texts(&transactions, &[], Consistency::Serializable), [""; 0]);
    assert_eq!(
        texts(&transactions, &[], Consistency::Strict),
        ["G-single-realtime: T2 -rw(list 1: missed 10)-> T0 -rt-> T1 -wr(list 2: saw 20)-> T2"]
    );
    let mut touching = transactions;
    touching[0].returned = Some(Moment::new(5, 0));
    assert_eq!(texts(&touching, &[], Consistency::Strict), [""; 0]);
}

#[test]
fn an_unknown_transaction_that_was_seen_is_judged() {
    let unknown = |steps| ended(Outcome::Unknown, steps);
    let transactions = [
        unknown([read(1, &[]), append(2, 20)]),
        // Seen by nobody but the first, which is seen by the last.
        unknown([read(2, &[]), append(1, 10)]),
        committed([read(2, &[20])]),
    ];
    assert_eq!(found(&transactions, &[]), [""; 0]);
    let found = found(&transactions, &[(1, &[10])]);
    assert!(found[0].starts_with("G2: T0 -rw"), "{found:?}");
}

#[test]
fn an_unknown_transaction_is_seen_through_one_that_was_seen() {
    let transactions = [
        ended(Outcome::Unknown, [append(1, 10)]),
        ended(Outcome::Unknown, [read(1, &[10]), append(2, 20)]),
        committed([read(2, &[20])]),
    ];
    assert_eq!(found(&transactions, &[]), [""; 0]);
}

#[test]
fn an_unknown_transaction_may_take_effect_after_its_client_gave_up() {
    let late = during(1, 2, ended(Outcome::Unknown, [append(1, 10)]));
    let transactions =
        [late, during(3, 4, committed([read(1, &[])])), during(5, 6, committed([read(1, &[10])]))];
    assert_eq!(texts(&transactions, &[], Consistency::Strict), [""; 0]);
}

#[test]
fn what_aborted_is_in_no_cycle() {
    let transactions = [
        during(1, 2, ended(Outcome::Aborted, [append(1, 10), append(2, 20)])),
        during(1, 9, committed([append(1, 11), append(2, 21)])),
    ];
    let found = found(&transactions, &[(1, &[10, 11]), (2, &[21, 20])]);
    assert!(found.len() == 2 && found.iter().all(|text| text.starts_with("G1a")), "{found:?}");
    let between = [
        during(1, 2, committed([append(1, 10)])),
        during(3, 4, ended(Outcome::Aborted, [])),
        during(5, 6, committed([read(1, &[])])),
    ];
    assert_eq!(
        texts(&between, &[(1, &[10])], Consistency::Strict),
        ["G-single-realtime: T2 -rw(list 1: missed 10)-> T0 -rt-> T2"]
    );
}

#[test]
fn an_append_that_nobody_saw_comes_after_those_that_were_seen() {
    let transactions = [
        committed([append(1, 10), read(2, &[20])]),
        committed([append(1, 11), append(2, 20)]),
        committed([read(1, &[10])]),
    ];
    assert_eq!(
        found(&transactions, &[]),
        ["G1c: T1 -wr(list 2: saw 20)-> T0 -ww(list 1: 11 after 10)-> T1"]
    );
    // Not if it is known to be missing.
    assert_eq!(
        found(&transactions, &[(1, &[10])]),
        ["lost: T1 appended 11 to list 1, missing in the end"]
    );
}

#[test]
fn a_read_that_fits_nothing_is_in_no_cycle() {
    let transactions = [
        committed([append(1, 10)]),
        committed([append(1, 12), read(2, &[20])]),
        committed([read(1, &[12]), append(2, 20)]),
    ];
    assert_eq!(
        found(&transactions, &[(1, &[10, 12])]),
        ["incompatible: T2's read of list 1 fits no order"]
    );
}

#[test]
fn the_shortest_cycle_is_found_in_whatever_order() {
    // A circle of `len` transactions that read each other, by lists from `key`.
    let circle = |key: u64, len: u64| -> Vec<Vec<Step>> {
        let steps = |at| vec![append(key + at, 1), read(key + (at + 1) % len, &[1])];
        (0..len).map(steps).collect()
    };
    for (first, second) in [(3, 4), (4, 3)] {
        let (mut steps, mut other) = (circle(1, first), circle(11, second).into_iter());
        // The circles meet in one transaction.
        steps.last_mut().unwrap().extend(other.next().unwrap());
        let transactions: Vec<_> = steps.into_iter().chain(other).map(committed).collect();
        let found = found(&transactions, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].matches("-wr").count(), 3, "{found:?}");
    }
}

#[test]
fn cycles_that_need_real_time_come_last() {
    let transactions = [
        during(1, 2, committed([append(5, 50)])),
        during(3, 9, committed([read(5, &[]), read(1, &[]), append(2, 20)])),
        during(3, 9, committed([read(2, &[]), append(1, 10)])),
    ];
    let finals: &[(u64, &[u64])] = &[(1, &[10]), (2, &[20]), (5, &[50])];
    let found = texts(&transactions, finals, Consistency::Strict);
    assert_eq!(found, ["G2: T1 -rw(list 1: missed 10)-> T2 -rw(list 2: missed 20)-> T1"]);
}

#[test]
fn transactions_and_their_dependencies_are_counted() {
    let transactions = vec![
        during(1, 2, committed([append(1, 10)])),
        during(3, 4, committed([read(1, &[10]), append(1, 11), read(1, &[10, 11]), append(1, 12)])),
        during(5, 6, ended(Outcome::Aborted, [read(1, &[])])),
        ended(Outcome::Unknown, [append(1, 13)]),
    ];
    let history = History { transactions, finals: BTreeMap::from([(1, vec![10, 11, 12])]) };
    let report = check(&history, Consistency::Serializable);
    // T0 to T1, by a write and by a read.
    assert_eq!((report.transactions, report.edges, report.anomalies.len()), (2, 2, 0));
    // And by time; nothing comes after or before what aborted.
    assert_eq!(check(&history, Consistency::Strict).edges, 3);
}
