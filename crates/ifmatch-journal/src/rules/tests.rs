use ifmatch_core::{Env, Simulation};

use super::*;
use crate::head::Next;
use crate::id::{JournalId, Nonce, WriterId};
use crate::record::Entries;

fn next(env: &Env) -> Next {
    let (nonce, writer) = (Nonce::random(env), WriterId::random(env));
    Next { nonce, writer, entries: Entries::default(), base_time: None }
}

/// A chain of heads, oldest first, without tails: only rings tell.
fn chain(env: &Env, length: usize) -> Vec<Head> {
    let (journal, fork) = (JournalId::random(env), ForkId::random(env));
    let mut heads = vec![Head::first("test", journal, fork, next(env))];
    while heads.len() < length {
        let last = &heads[heads.len() - 1];
        let mut head = last.after(&last.encode(), next(env));
        head.tail.clear();
        heads.push(head);
    }
    heads
}

#[test]
fn the_record_at_its_own_number_decides_about_a_commit() {
    let env = Simulation::seeded(1).env();
    let heads = chain(&env, 300);
    let newest = &heads[299];
    let (fork, journal) = (newest.fork, newest.journal);
    let foreign = |seq| CommitId { journal, seq, nonce: Nonce::random(&env) };
    let ask = |commit, head: &Head| outcome_of(commit, fork, Some(head));
    assert_eq!(ask(heads[299].commit(), newest), Outcome::Committed);
    assert_eq!(ask(heads[172].commit(), newest), Outcome::Committed);
    assert_eq!(ask(heads[171].commit(), newest), Outcome::Beyond, "the ring holds 128");
    assert_eq!(ask(foreign(300), newest), Outcome::Never);
    assert_eq!(ask(foreign(301), newest), Outcome::Open);
    assert_eq!(ask(foreign(302), newest), Outcome::NoWitness, "a stale head is no witness");
    assert_eq!(outcome_of(foreign(300), fork, None), Outcome::NoWitness);
    assert_eq!(outcome_of(foreign(300), ForkId::random(&env), Some(newest)), Outcome::NoWitness);
    let other = &chain(&env, 300)[299];
    assert_eq!(ask(heads[299].commit(), other), Outcome::NoWitness);
}

#[test]
fn a_ring_of_another_length_misleads_nobody() {
    let env = Simulation::seeded(2).env();
    let heads = chain(&env, 50);
    let mut short = heads[49].clone();
    short.ring.slots.drain(..47);
    short.ring.first = 48;
    let ask = |at: usize| outcome_of(heads[at].commit(), short.fork, Some(&short));
    assert_eq!(
        (ask(49), ask(47), ask(46)),
        (Outcome::Committed, Outcome::Committed, Outcome::Beyond)
    );
}

#[test]
fn only_a_descendant_is_adopted() {
    let env = Simulation::seeded(3).env();
    let heads = chain(&env, 200);
    let (old, newest) = (&heads[100], &heads[199]);
    let branch = old.after(&old.encode(), next(&env));
    let ask = |mine: &Head, head: &Head| descent(mine.commit(), mine.fork, head);
    assert_eq!(ask(newest, newest), Descent::Same);
    assert_eq!(ask(old, newest), Descent::Ahead);
    assert_eq!(ask(&heads[10], newest), Descent::Beyond);
    assert_eq!(ask(newest, old), Descent::Older);
    assert_eq!(ask(&branch, newest), Descent::Diverged, "a rewound and grown remote");
    let mut repaired = newest.clone();
    repaired.fork = ForkId::random(&env);
    assert_eq!(ask(newest, &repaired), Descent::Replaced);
}
