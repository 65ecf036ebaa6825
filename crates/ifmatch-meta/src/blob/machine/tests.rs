use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::{Env, Simulation, Timestamp};
use ifmatch_journal::{Decision, Machine, Position};

use super::*;
use crate::blob::marks;
use crate::etag::{ETag, Nonce};
use crate::evaluate::Effect;
use crate::json::Json;
use crate::key::DocId;
use crate::ops::Op;
use crate::precondition::DocPrecondition;
use crate::transaction::{TxCommit, TxId};

fn machine() -> Documents {
    Documents { partition: Partition::new("p").unwrap() }
}

fn id(id: &str) -> DocId {
    DocId::internal(id).unwrap()
}

fn put(name: &str, body: &str) -> Op {
    Op::put(id(name), Json::new(body).unwrap(), DocPrecondition::Overwrite)
}

fn command(ask: Ask) -> Command {
    let now = Timestamp::from_micros(1_767_225_600_000_000);
    let author = Some(Arc::from("ann"));
    Command { now, author, audit: false, clock: None, over: None, limit: 1 << 20, ask }
}

fn batch(env: &Env, ops: Vec<Op>) -> Command {
    let etags = ops.iter().map(|_| ETag::mint(7, env)).collect();
    command(Ask::Batch { ops: ops.into(), etags, return_documents: false, largest: 1 << 20 })
}

fn begin(name: &str, env: &Env) -> Command {
    let (id, address) = (TxId::new(name).unwrap(), Nonce::draw(env));
    let (lifetime, date) = (Duration::from_secs(9), Some(Timestamp::from_micros(5)));
    command(Ask::Begin { id, address, lifetime, date })
}

/// A partition, one commit after the other.
struct Partitioned {
    state: State,
    seq: u64,
    entries: Vec<Bytes>,
}

impl Partitioned {
    fn new() -> Self {
        Self { state: State::default(), seq: 1, entries: Vec::new() }
    }

    fn commit(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let (machine, position) = (machine(), Position { seq: self.seq + 1, ordinal: 0 });
        match machine.decide(&self.state, command, position) {
            Decision::Write { entry, reply } => {
                machine.apply(&mut self.state, &entry, position).unwrap();
                self.seq += 1;
                self.entries.push(entry);
                Ok(reply)
            }
            Decision::Answer(reply) => Ok(reply),
            Decision::Reject(refusal) => Err(refusal),
            _ => panic!("an unknown decision"),
        }
    }

    fn begun(&mut self, command: &Command) -> LockId {
        match self.commit(command) {
            Ok(Reply::Begun { lock, .. }) => lock.tx,
            other => panic!("{other:?}"),
        }
    }
}

fn kind(refused: Result<Reply, Refusal>) -> &'static str {
    match refused {
        Ok(_) => "done",
        Err(Refusal::Failed(error)) => error.kind(),
        Err(Refusal::Locked(_)) => "locked",
        Err(Refusal::Fenced) => "fenced",
    }
}

/// Everything that an entry can hold, and a state that holds everything.
fn rich() -> Partitioned {
    let (env, mut p) = (Simulation::seeded(3).env(), Partitioned::new());
    let mut first = batch(&env, vec![put("a", "{\"n\":1}"), put("b", "[]"), put("ifmatch.x", "0")]);
    first.audit = true;
    p.commit(&first).unwrap();
    let delete = Op::delete(id("b"), DocPrecondition::IfExists);
    let mut second = batch(&env, vec![delete, put("ä", "\"ö\"")]);
    (second.author, second.clock) = (None, Some((2, Timestamp::from_micros(77))));
    p.commit(&second).unwrap();
    let tx = p.begun(&begin("one", &env));
    let piece = Piece::new(0, b"piece");
    p.commit(&command(Ask::Stage { tx: tx.clone(), count: 0, piece })).unwrap();
    let mut document = p.state.document(&id("a")).unwrap().clone();
    let before = Some(document.etag);
    (document.etag, document.updated_by) = (ETag::mint(9, &env), Some("bob".into()));
    document.updated_at = Timestamp::from_micros(3);
    let after = Some(document);
    let effects = vec![Effect { id: id("a"), before, after }];
    let commit = Arc::new(TxCommit { nonce: Nonce::draw(&env), staged: 1, author: None, effects });
    p.commit(&command(Ask::Commit { tx, commit })).unwrap();
    let aborted = p.begun(&begin("two", &env));
    p.commit(&command(Ask::Abort { tx: aborted })).unwrap();
    let fence = Ask::Fence { id: TxId::new("three").unwrap(), address: Nonce::draw(&env) };
    p.commit(&command(fence)).unwrap();
    p.begun(&begin("four", &env));
    p
}

#[test]
fn every_truncation_and_every_flipped_bit_of_an_entry_is_damage() {
    let (rich, machine) = (rich(), machine());
    assert_eq!(rich.entries.len(), 9);
    for entry in &rich.entries {
        let read = |bytes: &[u8]| entry::Entry::decode(&machine.partition, bytes);
        assert_eq!(read(entry).unwrap().encode(), entry);
        for end in 0..entry.len() {
            assert!(read(&entry[..end]).is_err());
        }
        for bit in 0..entry.len() * 8 {
            let mut bytes = entry.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bytes).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn bytes_that_carry_a_right_checksum_are_read_without_a_panic() {
    let (rich, machine) = (rich(), machine());
    let seal = |mut body: Vec<u8>| {
        let sum = blake3::hash(&body);
        body.extend_from_slice(&sum.as_bytes()[..8]);
        Bytes::from(body)
    };
    let mut applied = 0;
    for entry in &rich.entries {
        let body = &entry[..entry.len() - 8];
        for at in 0..body.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, body[at] ^ 1] {
                let mut changed = body.to_vec();
                changed[at] = value;
                let mut state = rich.state.clone();
                let position = Position { seq: 100, ordinal: 0 };
                applied += u32::from(machine.apply(&mut state, &seal(changed), position).is_ok());
            }
            let cut = seal(body[..at].to_vec());
            assert!(
                machine
                    .apply(&mut rich.state.clone(), &cut, Position { seq: 100, ordinal: 0 })
                    .is_err()
            );
        }
    }
    assert!(applied > 0);
}

#[test]
fn a_checkpoint_restores_the_state_and_damaged_ones_do_not_panic() {
    let (rich, machine) = (rich(), machine());
    let parts: Vec<Bytes> = machine.parts(&rich.state).collect();
    assert_eq!(machine.restore(&parts).unwrap(), rich.state);
    let empty: Vec<Bytes> = machine.parts(&State::default()).collect();
    assert_eq!(machine.restore(&empty).unwrap(), State::default());
    assert!(machine.restore(&parts[..parts.len() - 1]).is_err());
    for (index, part) in parts.iter().enumerate() {
        for at in 0..part.len() {
            let mut damaged = parts.clone();
            damaged[index] = part.slice(..at);
            let restored = machine.restore(&damaged);
            assert!(restored.is_err() || restored.unwrap() != rich.state);
            for value in [0, 0x7f, 0xff, part[at] ^ 1] {
                let mut bytes = part.to_vec();
                bytes[at] = value;
                damaged[index] = bytes.into();
                drop(machine.restore(&damaged));
            }
        }
    }
}

#[test]
fn entries_replayed_on_a_checkpoint_give_the_same_state() {
    let (rich, machine) = (rich(), machine());
    for at in 0..rich.entries.len() {
        let mut state = State::default();
        for (seq, entry) in (2..).zip(&rich.entries) {
            if seq == at as u64 + 2 {
                let parts: Vec<Bytes> = machine.parts(&state).collect();
                state = machine.restore(&parts).unwrap();
            }
            machine.apply(&mut state, entry, Position { seq, ordinal: 0 }).unwrap();
        }
        assert_eq!(state, rich.state);
    }
}

#[test]
fn what_a_head_shows_reads_back() {
    let (rich, machine) = (rich(), machine());
    let shown = machine.application(&rich.state);
    let header = Header::read(&shown).unwrap().unwrap();
    assert_eq!((header.partition, header.shown), (machine.partition.clone(), 2));
    for end in 1..shown.len() {
        assert!(Header::read(&shown[..end]).is_err());
    }
    assert!(Header::read(&[]).unwrap().is_none());
}

#[test]
fn a_partition_is_bounded_and_can_always_shrink() {
    let (env, mut p) = (Simulation::seeded(1).env(), Partitioned::new());
    let limited = |ops, limit| Command { limit, ..batch(&env, ops) };
    let body = format!("\"{}\"", "x".repeat(97));
    assert_eq!(kind(p.commit(&limited(vec![put("a", &body)], 99))), "too_large");
    assert_eq!(kind(p.commit(&limited(vec![put("a", &body)], 100))), "done");
    assert_eq!(p.state.bytes(), 100);
    assert_eq!(kind(p.commit(&limited(vec![put("a", &body)], 10))), "done");
    assert_eq!(kind(p.commit(&limited(vec![put("b", "1")], 100))), "too_large");
    assert_eq!(kind(p.commit(&limited(vec![put("a", "1"), put("b", "1")], 100))), "done");
    let delete = Op::delete(id("b"), DocPrecondition::IfExists);
    assert_eq!(kind(p.commit(&limited(vec![delete], 0))), "done");
    assert_eq!(p.state.bytes(), 2);
}

#[test]
fn a_lock_keeps_writes_out_until_it_is_over_and_then_ends_with_the_next_one() {
    let (env, mut p) = (Simulation::seeded(1).env(), Partitioned::new());
    let tx = p.begun(&begin("one", &env));
    assert_eq!(tx.incarnation, 2);
    assert_eq!(kind(p.commit(&batch(&env, vec![put("a", "1")]))), "locked");
    assert_eq!(kind(p.commit(&begin("two", &env))), "locked");
    // Checks are no writes, and the same name is the same transaction.
    let check = Op::check(id("a"), DocPrecondition::IfAbsent);
    assert_eq!(kind(p.commit(&batch(&env, vec![check]))), "done");
    assert_eq!(p.begun(&begin("one", &env)), tx);
    // Another's fence leaves it alone.
    let fence = Ask::Fence { id: TxId::new("x").unwrap(), address: Nonce::draw(&env) };
    p.commit(&Command { over: Some(tx.clone()), ..command(fence.clone()) }).unwrap();
    p.begun(&begin("three", &env));
    p.commit(&command(fence)).unwrap();
    assert!(p.state.lock.is_some());
    let three = p.state.lock.clone().unwrap().tx;
    let write = Command { over: Some(tx.clone()), ..batch(&env, vec![put("a", "1")]) };
    assert_eq!(kind(p.commit(&write)), "locked");
    let write = Command { over: Some(three.clone()), ..write };
    assert_eq!(kind(p.commit(&write)), "done");
    assert_eq!(p.state.end(&three).map(|end| end.committed), Some(None));
    assert_eq!(kind(p.commit(&command(Ask::Abort { tx: three }))), "done");
    let commit =
        TxCommit { nonce: Nonce::draw(&env), staged: 0, author: None, effects: Vec::new() };
    assert_eq!(kind(p.commit(&command(Ask::Commit { tx, commit: Arc::new(commit) }))), "expired");
}

#[test]
fn t11_a_new_incarnation_is_out_of_the_old_ones_reach() {
    let (env, mut p) = (Simulation::seeded(1).env(), Partitioned::new());
    let old = p.begun(&begin("one", &env));
    p.commit(&command(Ask::Abort { tx: old.clone() })).unwrap();
    let new = p.begun(&begin("one", &env));
    assert_ne!(old, new);
    let nonce = Nonce::draw(&env);
    let commit = |staged| Arc::new(TxCommit { nonce, staged, author: None, effects: Vec::new() });
    let of = |tx: &LockId, staged| command(Ask::Commit { tx: tx.clone(), commit: commit(staged) });
    assert_eq!(kind(p.commit(&of(&old, 0))), "expired");
    assert_eq!(kind(p.commit(&of(&new, 1))), "busy");
    let Ok(Reply::Committed(position)) = p.commit(&of(&new, 0)) else { panic!() };
    let Ok(Reply::Committed(again)) = p.commit(&of(&new, 0)) else { panic!() };
    assert_eq!(position, again);
    let mut other = of(&new, 0);
    other.ask = Ask::Commit {
        tx: new.clone(),
        commit: Arc::new(TxCommit {
            author: None,
            nonce: Nonce::draw(&env),
            staged: 0,
            effects: Vec::new(),
        }),
    };
    assert_eq!(kind(p.commit(&other)), "busy");
    assert_eq!(p.state.newest_end(&new.id).map(|(tx, _)| tx.clone()), Some(new));
}

#[test]
fn a_fenced_address_begins_nothing() {
    let (env, mut p) = (Simulation::seeded(1).env(), Partitioned::new());
    let (first, id) = (begin("one", &env), TxId::new("one").unwrap());
    let Ask::Begin { address, .. } = first.ask else { panic!() };
    let fence = command(Ask::Fence { id, address });
    let tx = p.begun(&first);
    assert_eq!(kind(p.commit(&fence)), "locked");
    p.commit(&command(Ask::Abort { tx })).unwrap();
    assert_eq!(kind(p.commit(&fence)), "done");
    assert_eq!(kind(p.commit(&first)), "fenced");
    assert_eq!(kind(p.commit(&begin("one", &env))), "done");
}

#[test]
fn a_mark_names_one_state_of_the_documents() {
    let (env, mut p) = (Simulation::seeded(1).env(), Partitioned::new());
    let mark = |p: &Partitioned| marks::mark(1, p.state.digest());
    let unchanged = |since| batch(&env, vec![Op::Unchanged { since }]);
    let empty = mark(&p);
    let tx = p.begun(&begin("one", &env));
    p.commit(&command(Ask::Abort { tx })).unwrap();
    assert_eq!(mark(&p), empty);
    assert_eq!(kind(p.commit(&unchanged(empty.clone()))), "done");
    p.commit(&batch(&env, vec![put("a", "1")])).unwrap();
    let one = mark(&p);
    assert_eq!(kind(p.commit(&unchanged(empty.clone()))), "conflict");
    assert_eq!(kind(p.commit(&unchanged(one.clone()))), "done");
    p.commit(&batch(&env, vec![Op::delete(id("a"), DocPrecondition::IfExists)])).unwrap();
    assert!(![empty, one].contains(&mark(&p)));
    let foreign = crate::mark::Mark::new("m1.7");
    assert_eq!(kind(p.commit(&unchanged(foreign))), "invalid");
}

#[test]
fn what_is_old_is_forgotten_and_what_is_there_is_not() {
    let (env, mut p) = (Simulation::seeded(1).env(), Partitioned::new());
    let at = |hours: u64| Timestamp::from_micros(0).plus(Duration::from_hours(hours));
    p.commit(&Command { audit: true, ..batch(&env, vec![put("a", "1"), put("old", "1")]) })
        .unwrap();
    p.commit(&batch(&env, vec![Op::delete(id("old"), DocPrecondition::IfExists)])).unwrap();
    let tx = p.begun(&begin("one", &env));
    p.commit(&command(Ask::Abort { tx: tx.clone() })).unwrap();
    for step in 0..1_010_u64 {
        let clock = Some((p.seq, at(step)));
        let name = format!("b{}", step % 3);
        p.commit(&Command { clock, ..batch(&env, vec![put(&name, "1")]) }).unwrap();
        let gone = p.state.graves.get(&id("old")).is_none();
        // Seven days have passed long ago; it is the commits that count here.
        assert_eq!(gone, p.seq >= 1_005, "{}", p.seq);
    }
    assert!(p.state.floor() >= 5);
    assert_eq!(p.state.end(&tx), None);
    assert!(p.state.audit(None).all(|record| record.at.position > p.state.floor()));
    assert!(p.state.document(&id("a")).is_some());
    assert_eq!(p.state.feed(None).count(), 4);
    let parts: Vec<Bytes> = machine().parts(&p.state).collect();
    assert_eq!(machine().restore(&parts).unwrap(), p.state);
}

#[test]
fn batches_that_share_a_commit_have_ordinals_of_their_own() {
    let (env, mut state) = (Simulation::seeded(1).env(), State::default());
    for ordinal in 0..3 {
        let position = Position { seq: 5, ordinal };
        let ask = batch(&env, vec![put(&format!("a{ordinal}"), "1"), put("same", "2")]);
        match machine().decide(&state, &ask, position) {
            Decision::Write { entry, .. } => machine().apply(&mut state, &entry, position).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    let feed: Vec<_> = state
        .feed(None)
        .filter_map(|told| match told {
            Told::Document(kept) => {
                Some((kept.document.key.id.as_str().to_owned(), kept.at.ordinal))
            }
            Told::Grave(..) => None,
        })
        .collect();
    let expected = [("a0", 0), ("a1", 2), ("a2", 4), ("same", 5)];
    assert_eq!(feed, expected.map(|(id, ordinal)| (id.to_owned(), ordinal)));
}
