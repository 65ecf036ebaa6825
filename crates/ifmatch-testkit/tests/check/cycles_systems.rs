//! Transactions run by systems of known strength: what they cannot do is never
//! found, what they can do is.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use ifmatch_testkit::check::Moment;
use ifmatch_testkit::check::cycles::{
    Anomaly, Class, Consistency, History, Outcome, Step, Transaction, check,
};

/// What a commit is checked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum System {
    /// Nothing that it read or wrote has changed.
    Serializable,
    /// Nothing that it wrote has changed.
    Snapshot,
    /// Nothing.
    LastWins,
}

/// Runs `count` transactions, `together` at once, over ever new lists.
fn run(system: System, count: usize, together: usize, rng: &mut Rng) -> History {
    let mut lists: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut open: Vec<(usize, BTreeMap<u64, Vec<u64>>)> = Vec::new();
    let mut transactions: Vec<Transaction> = Vec::new();
    let (mut order, mut value) = (0, 0);
    loop {
        order += 1;
        let now = Moment::new(order / 2, order);
        if transactions.len() < count && (open.len() < together && rng.bool() || open.is_empty()) {
            // Lists fall out of use, so that they stay short.
            let oldest = u64::try_from(transactions.len() / 20).unwrap();
            let keys = oldest..oldest + 4;
            let snapshot = keys.map(|key| (key, lists.get(&key).cloned().unwrap_or_default()));
            open.push((transactions.len(), snapshot.collect()));
            transactions.push(Transaction { invoked: now, ..Transaction::committed(Vec::new()) });
            continue;
        }
        if open.is_empty() {
            break;
        }
        let slot = rng.usize(0..open.len());
        let (at, snapshot) = &open[slot];
        let transaction = &mut transactions[*at];
        if transaction.steps.len() < 3 {
            let key = *rng.choice(snapshot.keys()).unwrap();
            value += 1;
            let values = view(key, snapshot, &transaction.steps);
            let (append, read) = (Step::Append { key, value }, Step::Read { key, values });
            transaction.steps.push(if rng.bool() { append } else { read });
            continue;
        }
        let changed = |key: &u64| lists.get(key).map_or(0, Vec::len) != snapshot[key].len();
        let conflict = transaction.steps.iter().any(|step| match step {
            Step::Append { key, .. } => system != System::LastWins && changed(key),
            Step::Read { key, .. } => system == System::Serializable && changed(key),
            _ => false,
        });
        for step in transaction.steps.iter().filter(|_| !conflict) {
            if let Step::Append { key, value } = step {
                lists.entry(*key).or_default().push(*value);
            }
        }
        transaction.outcome = match rng.u32(0..10) {
            0 => Outcome::Unknown,
            _ if conflict => Outcome::Aborted,
            _ => Outcome::Committed,
        };
        transaction.returned = Some(now);
        open.swap_remove(slot);
    }
    History { transactions, finals: lists }
}

/// A list as a transaction sees it.
fn view(key: u64, snapshot: &BTreeMap<u64, Vec<u64>>, steps: &[Step]) -> Vec<u64> {
    let own = steps.iter().filter_map(|step| match step {
        Step::Append { key: to, value } if *to == key => Some(*value),
        _ => None,
    });
    snapshot[&key].iter().copied().chain(own).collect()
}

/// The classes of cycles found over many runs; nothing else may be found.
fn classes(system: System) -> BTreeSet<Class> {
    let mut classes = BTreeSet::new();
    for seed in 0..100 {
        let mut history = run(system, 60, 5, &mut Rng::with_seed(seed));
        if seed % 2 == 0 {
            history.finals.clear();
        }
        for anomaly in check(&history, Consistency::Strict).anomalies {
            let Anomaly::Cycle(cycle) = anomaly else { panic!("seed {seed}: {anomaly}") };
            classes.insert(cycle.class);
        }
    }
    classes
}

#[test]
fn a_serializable_system_is_clean() {
    assert_eq!(classes(System::Serializable), BTreeSet::new());
}

#[test]
fn snapshot_isolation_has_write_skew_and_nothing_worse() {
    assert_eq!(classes(System::Snapshot), BTreeSet::from([Class::G2]));
}

#[test]
fn last_writer_wins_loses_updates() {
    assert_eq!(classes(System::LastWins), BTreeSet::from([Class::GSingle, Class::G2]));
}

#[test]
fn twenty_thousand_transactions_are_checked() {
    let rng = &mut Rng::with_seed(7);
    let report = check(&run(System::Serializable, 20_000, 16, rng), Consistency::Strict);
    println!("{report}");
    assert!(report.anomalies.is_empty() && report.transactions > 1_000);
    let report = check(&run(System::LastWins, 20_000, 16, rng), Consistency::Strict);
    assert!(!report.anomalies.is_empty());
}
