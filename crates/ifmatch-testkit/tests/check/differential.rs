//! The chain checker against the exhaustive search.
//!
//! **Where they must agree.** All writes are swaps, each to a value of its own;
//! each commit holds one operation; reads are strong and tell value and number;
//! after everything had ended somebody read the register. Then the history
//! alone determines the chain (the last value has one writer, which expected
//! one value, which has one writer ...), and the search, which never sees the
//! chain, must find an order exactly if the chain checker finds no violation.
//! The mutations change answers, moments and arguments; not the chain, and not
//! the last read.
//!
//! **Where one implies the other.** With plain writes, few values, no numbers
//! and no last read, many chains may explain one history: what the chain checker
//! passes the search must pass, but the search may find another chain.

use fastrand::Rng;
use ifmatch_testkit::check::chain::check as check_chain;
use ifmatch_testkit::check::linear::{Verdict, check as search};

use super::mutate::mutate;
use super::register::{Recorded, Versioned};
use super::simulate::{Plan, simulate};

const LIMIT: usize = 1_000_000;

#[test]
fn checkers_agree_on_histories_that_determine_their_chain() {
    agree(0..100_000);
}

#[test]
fn checkers_agree_on_histories_of_two_hundred_calls() {
    let mut broken = 0;
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        let mut recorded = simulate(Plan { clients: 5, calls: 200, ..plan() }, &mut rng);
        if rng.bool() {
            mutate(&mut recorded, 200, &mut rng);
        }
        let report = check_chain(&recorded.history, &recorded);
        let linear = is_linearizable(search(&Versioned, &recorded.versioned(), LIMIT).verdict);
        assert_eq!(report.is_clean(), linear, "seed {seed}: {report}");
        broken += u32::from(!linear);
    }
    println!("{broken} of 200 invalid");
    assert!(broken > 20);
}

#[test]
fn what_the_chain_checker_passes_is_linearizable() {
    let (mut clean, mut other, mut broken) = (0_u32, 0_u32, 0_u32);
    for seed in 0..5_000 {
        let mut rng = Rng::with_seed(seed);
        let plan = Plan { calls: rng.usize(3..=14), unique: false, last_read: false, ..plan() };
        let mut recorded = simulate(plan, &mut rng);
        let mutations = rng.usize(0..3);
        for _ in 0..mutations {
            let calls = recorded.history.calls.len();
            mutate(&mut recorded, calls, &mut rng);
        }
        let report = check_chain(&recorded.history, &recorded);
        if mutations == 0 {
            assert!(report.is_clean(), "seed {seed}: {report}");
        }
        let linear = is_linearizable(search(&Recorded::start(), &recorded.plain(), LIMIT).verdict);
        match (report.is_clean(), linear) {
            (true, true) => clean += 1,
            (true, false) => panic!("seed {seed}: passed, not linearizable: {recorded:#?}"),
            (false, true) => other += 1,
            (false, false) => broken += 1,
        }
    }
    println!("{clean} clean, {other} explained by another chain, {broken} not linearizable");
    assert!(clean > 1_000 && other > 100 && broken > 500);
}

fn agree(seeds: std::ops::Range<u64>) {
    let (mut valid, mut invalid, mut unchanged) = (0_u32, 0_u32, 0_u32);
    let mut kinds = std::collections::BTreeMap::new();
    for seed in seeds {
        let mut rng = Rng::with_seed(seed);
        let calls = rng.usize(3..=14);
        let mut recorded = simulate(Plan { calls, ..plan() }, &mut rng);
        let mutations = rng.usize(0..3);
        for _ in 0..mutations {
            let calls = recorded.history.calls.len() - 1;
            mutate(&mut recorded, calls, &mut rng);
        }
        let report = check_chain(&recorded.history, &recorded);
        let linear = is_linearizable(search(&Versioned, &recorded.versioned(), LIMIT).verdict);
        assert_eq!(report.is_clean(), linear, "seed {seed}: {report}\n{recorded:#?}");
        if mutations == 0 {
            assert!(linear, "seed {seed}: {recorded:#?}");
            unchanged += 1;
        }
        valid += u32::from(linear);
        invalid += u32::from(!linear);
        for violation in &report.violations {
            let text = violation.to_string();
            let kind = text.split(':').next().unwrap().to_owned();
            *kinds.entry(kind).or_insert(0_u32) += 1;
        }
    }
    println!("{valid} valid ({unchanged} unchanged), {invalid} invalid; {kinds:?}");
    assert!(invalid * 5 > valid, "the mutations are too tame");
    for kind in [
        "lost",
        "phantom",
        "misplaced",
        "reordered",
        "stale read",
        "session back",
        "wrong snapshot",
        "false conflict",
        "false commit",
        "future",
    ] {
        assert!(kinds.contains_key(kind), "no history with: {kind}");
    }
}

const fn plan() -> Plan {
    Plan { clients: 3, calls: 0, unique: true, last_read: true }
}

fn is_linearizable(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Linearizable { .. } => true,
        Verdict::Broken { .. } => false,
        verdict => panic!("{verdict:?}"),
    }
}
