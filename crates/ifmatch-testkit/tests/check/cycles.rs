//! Each anomaly of transactions, planted by itself.

use std::collections::BTreeMap;

use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::cycles::{
    Anomaly, Consistency, History, Outcome, Step, Transaction, check,
};

pub(crate) const fn append(key: u64, value: u64) -> Step {
    Step::Append { key, value }
}

pub(crate) fn read(key: u64, values: &[u64]) -> Step {
    Step::Read { key, values: values.to_vec() }
}

pub(crate) fn committed(steps: impl IntoIterator<Item = Step>) -> Transaction {
    Transaction::committed(steps.into_iter().collect())
}

pub(crate) fn ended(outcome: Outcome, steps: impl IntoIterator<Item = Step>) -> Transaction {
    Transaction { outcome, ..committed(steps) }
}

pub(crate) fn during(from: u64, to: u64, transaction: Transaction) -> Transaction {
    let (invoked, returned) = (Moment::new(from, 0), Some(Moment::new(to, 0)));
    Transaction { invoked, returned, ..transaction }
}

/// The texts of what is found.
pub(crate) fn found(transactions: &[Transaction], finals: &[(u64, &[u64])]) -> Vec<String> {
    texts(transactions, finals, Consistency::Serializable)
}

pub(crate) fn texts(
    transactions: &[Transaction],
    finals: &[(u64, &[u64])],
    consistency: Consistency,
) -> Vec<String> {
    let finals: BTreeMap<_, _> = finals.iter().map(|(key, list)| (*key, list.to_vec())).collect();
    let report = check(&History { transactions: transactions.to_vec(), finals }, consistency);
    assert_eq!(report.to_string().lines().count(), report.anomalies.len() + 1);
    report.anomalies.iter().map(Anomaly::to_string).collect()
}

#[test]
fn transactions_one_after_the_other_are_clean() {
    let transactions = [
        committed([append(1, 10), append(1, 11), read(1, &[10, 11])]),
        committed([read(1, &[10, 11]), append(2, 20), append(1, 12), read(1, &[10, 11, 12])]),
        ended(Outcome::Aborted, [read(1, &[7, 7]), append(1, 13)]),
        ended(Outcome::Unknown, [read(2, &[20]), append(2, 21)]),
        ended(Outcome::Unknown, [append(2, 22)]),
        committed([read(2, &[20, 21]), read(1, &[10, 11, 12]), read(3, &[])]),
    ];
    assert_eq!(found(&transactions, &[]), [""; 0]);
    assert_eq!(found(&transactions, &[(1, &[10, 11, 12]), (2, &[20, 21])]), [""; 0]);
}

#[test]
fn a_cycle_of_writes_is_g0() {
    let transactions = [
        committed([append(1, 10), append(2, 20)]),
        committed([append(1, 11), append(2, 21)]),
        committed([read(1, &[10, 11]), append(3, 30)]),
        committed([read(2, &[21, 20])]),
    ];
    assert_eq!(
        found(&transactions, &[]),
        ["G0: T0 -ww(list 1: 11 after 10)-> T1 -ww(list 2: 20 after 21)-> T0"]
    );
}

#[test]
fn a_read_of_an_aborted_append_is_g1a() {
    let transactions =
        [ended(Outcome::Aborted, [append(1, 10)]), committed([read(1, &[10]), append(1, 11)])];
    assert_eq!(found(&transactions, &[]), ["G1a: T1 saw 10 in list 1, of T0, which aborted"]);
    assert_eq!(
        found(&transactions, &[(1, &[10, 11])])[1..],
        ["G1a: the end saw 10 in list 1, of T0, which aborted"]
    );
}

#[test]
fn a_read_amid_a_transaction_is_g1b() {
    let transactions = [
        committed([append(1, 10), append(1, 11)]),
        committed([read(1, &[10])]),
        committed([read(1, &[10, 11])]),
    ];
    assert_eq!(
        found(&transactions, &[]),
        ["G1b: T1 saw 10 last in list 1, where T0 went on to append"]
    );
}

#[test]
fn a_cycle_of_reads_is_g1c() {
    let transactions =
        [committed([append(1, 10), read(2, &[20])]), committed([append(2, 20), read(1, &[10])])];
    assert_eq!(
        found(&transactions, &[]),
        ["G1c: T0 -wr(list 1: saw 10)-> T1 -wr(list 2: saw 20)-> T0"]
    );
}

#[test]
fn read_skew_is_g_single() {
    let transactions = [
        committed([append(1, 10), append(2, 20)]),
        committed([read(1, &[10]), read(2, &[])]),
        committed([read(2, &[20])]),
    ];
    assert_eq!(
        found(&transactions, &[]),
        ["G-single: T1 -rw(list 2: missed 20)-> T0 -wr(list 1: saw 10)-> T1"]
    );
}

#[test]
fn write_skew_is_g2() {
    let transactions =
        [committed([read(1, &[]), append(2, 20)]), committed([read(2, &[]), append(1, 10)])];
    assert_eq!(
        found(&transactions, &[(1, &[10]), (2, &[20])]),
        ["G2: T0 -rw(list 1: missed 10)-> T1 -rw(list 2: missed 20)-> T0"]
    );
}

#[test]
fn reads_that_fit_nothing_are_named() {
    let base = committed([append(1, 10), append(1, 11)]);
    let other = committed([append(1, 12)]);
    let one = |steps: Vec<Step>, finals: &[(u64, &[u64])]| {
        let third = Transaction::committed(steps);
        let found = found(&[base.clone(), other.clone(), third], finals);
        found.first().map(|text| text.split(':').next().unwrap().to_owned())
    };
    let finals: &[(u64, &[u64])] = &[(1, &[10, 11, 12])];
    assert_eq!(one(vec![read(1, &[10, 11])], finals), None);
    assert_eq!(one(vec![read(1, &[12])], finals).unwrap(), "incompatible");
    assert_eq!(one(vec![read(1, &[10, 11, 99])], &[]).unwrap(), "unwritten");
    assert_eq!(one(vec![read(1, &[10, 11, 10])], &[]).unwrap(), "repeated");
    assert_eq!(one(vec![append(1, 13), read(1, &[10, 11])], &[]).unwrap(), "internal");
    assert_eq!(one(vec![read(1, &[10, 11, 13]), append(1, 13)], &[]).unwrap(), "internal");
    assert_eq!(one(vec![read(1, &[11, 10])], &[]).unwrap(), "G1b");
    assert_eq!(one(vec![read(1, &[11, 10, 12])], &[]).unwrap(), "torn");
    assert_eq!(one(vec![read(1, &[11])], &[]).unwrap(), "torn");
    assert_eq!(one(vec![], &[(1, &[10, 11])]).unwrap(), "lost");
    assert_eq!(one(vec![append(1, 10)], &[]).unwrap(), "reused");
}
