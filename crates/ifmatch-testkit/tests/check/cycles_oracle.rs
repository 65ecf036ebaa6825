//! The cycle checker against trying every serial order.
//!
//! With the lists known in the end, the order of all appends is known, and a
//! history is serializable exactly if the checker finds nothing.

use std::collections::BTreeMap;

use fastrand::Rng;
use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::cycles::{Consistency, History, Outcome, Step, Transaction, check};

const KEYS: u64 = 2;

#[test]
fn the_checker_agrees_with_every_serial_order_tried() {
    let mut counts = BTreeMap::new();
    let mut names = BTreeMap::new();
    for seed in 0..30_000 {
        let history = history(&mut Rng::with_seed(seed));
        for consistency in [Consistency::Serializable, Consistency::Strict] {
            let strict = consistency == Consistency::Strict;
            let report = check(&history, consistency);
            let clean = report.anomalies.is_empty();
            assert_eq!(clean, explained(&history, strict), "seed {seed}: {report}\n{history:#?}");
            *counts.entry((strict, clean)).or_insert(0_u32) += 1;
            for anomaly in report.anomalies {
                let name = anomaly.to_string().split(':').next().unwrap().to_owned();
                *names.entry(name).or_insert(0_u32) += 1;
            }
        }
    }
    println!("(strict, clean): {counts:?}; {names:?}");
    assert!(counts.values().all(|count| *count > 3_000));
    let expected = [
        "G0",
        "G1a",
        "G1b",
        "G1c",
        "G-single",
        "G2",
        "G-single-realtime",
        "internal",
        "torn",
        "incompatible",
        "lost",
        "unwritten",
    ];
    for name in expected {
        assert!(names.contains_key(name), "never found: {name}");
    }
}

/// Transactions run one after the other, then changed here and there.
fn history(rng: &mut Rng) -> History {
    let mut finals: BTreeMap<_, Vec<u64>> = (0..KEYS).map(|key| (key, Vec::new())).collect();
    let (mut transactions, mut value) = (Vec::new(), 0);
    for at in 0..rng.u64(2..=4) {
        let outcome = match rng.u32(0..10) {
            0 => Outcome::Aborted,
            1 | 2 => Outcome::Unknown,
            _ => Outcome::Committed,
        };
        let mut lists = finals.clone();
        let mut steps = Vec::new();
        for _ in 0..rng.u32(1..=3) {
            let key = rng.u64(0..KEYS);
            if rng.bool() {
                value += 1;
                lists.entry(key).or_default().push(value);
                steps.push(Step::Append { key, value });
            } else {
                steps.push(Step::Read { key, values: lists[&key].clone() });
            }
        }
        if outcome == Outcome::Committed || (outcome == Outcome::Unknown && rng.bool()) {
            finals = lists;
        }
        // Each about its own moment, and some of them at once.
        let (from, to) = (at * 4 + rng.u64(0..4), at * 4 + 4 + rng.u64(0..6));
        let (invoked, returned) = (Moment::new(from, at), Some(Moment::new(to, at)));
        transactions.push(Transaction { outcome, steps, invoked, returned });
    }
    let mut history = History { transactions, finals };
    for _ in 0..rng.u32(0..4) {
        change(&mut history, rng);
    }
    history
}

fn change(history: &mut History, rng: &mut Rng) {
    let transaction = rng.usize(0..history.transactions.len());
    let transaction = &mut history.transactions[transaction];
    let step = rng.usize(0..transaction.steps.len());
    match (rng.u32(0..6), &mut transaction.steps[step]) {
        (0, _) => {
            let list = history.finals.get_mut(&rng.u64(0..KEYS)).unwrap();
            match list.len() {
                0 => {}
                len if rng.u32(0..4) == 0 => _ = list.remove(rng.usize(0..len)),
                len => list.swap(rng.usize(0..len), rng.usize(0..len)),
            }
        }
        (1, _) => transaction.outcome = Outcome::Unknown,
        (2, _) if rng.bool() => transaction.outcome = Outcome::Aborted,
        (_, Step::Read { key, values }) => {
            let list = &history.finals[key];
            values.clear();
            values.extend_from_slice(&list[..rng.usize(0..=list.len())]);
            if rng.u32(0..20) == 0 {
                values.push(99);
            }
        }
        _ => {}
    }
}

/// Whether some of the unknown transactions and all committed ones, in some
/// order, read what they read and leave what was left.
fn explained(history: &History, strict: bool) -> bool {
    let transactions = &history.transactions;
    let of = |outcome| move |at: &usize| transactions[*at].outcome == outcome;
    let committed: Vec<_> = (0..transactions.len()).filter(of(Outcome::Committed)).collect();
    let unknown: Vec<_> = (0..transactions.len()).filter(of(Outcome::Unknown)).collect();
    (0..1_u32 << unknown.len()).any(|set| {
        let chosen = unknown.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
        let left: Vec<_> = committed.iter().chain(chosen.map(|(_, at)| at)).copied().collect();
        let lists = (0..KEYS).map(|key| (key, Vec::new())).collect();
        any_order(history, &left, &lists, strict)
    })
}

fn any_order(
    history: &History,
    left: &[usize],
    lists: &BTreeMap<u64, Vec<u64>>,
    strict: bool,
) -> bool {
    if left.is_empty() {
        return *lists == history.finals;
    }
    let transactions = &history.transactions;
    (0..left.len()).any(|next| {
        let mut left = left.to_vec();
        let next = left.remove(next);
        // A committed one must not come after one that began after its return;
        // an unknown one was never answered as far as anybody knows.
        let late = strict
            && left.iter().any(|other| {
                let Transaction { outcome, returned, .. } = transactions[*other];
                outcome == Outcome::Committed
                    && returned.is_some_and(|returned| returned < transactions[next].invoked)
            });
        let mut lists = lists.clone();
        !late && run(&transactions[next], &mut lists) && any_order(history, &left, &lists, strict)
    })
}

fn run(transaction: &Transaction, lists: &mut BTreeMap<u64, Vec<u64>>) -> bool {
    transaction.steps.iter().all(|step| match step {
        Step::Append { key, value } => {
            lists.entry(*key).or_default().push(*value);
            true
        }
        Step::Read { key, values } => lists[key] == *values,
        _ => false,
    })
}
