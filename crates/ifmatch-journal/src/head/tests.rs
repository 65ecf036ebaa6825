use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use ifmatch_core::{Background, BoxFuture, Env, Environment, Simulation};

use super::*;

/// Ids that no random generator's version can change.
#[derive(Debug, Default)]
struct Counting(AtomicU8);

impl Environment for Counting {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn wall_clock(&self) -> Timestamp {
        Timestamp::default()
    }
    fn sleep(&self, _: Duration) -> BoxFuture {
        Box::pin(std::future::ready(()))
    }
    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
    fn spawn(&self, _: &'static str, _: BoxFuture) -> Background {
        unreachable!("a format spawns nothing")
    }
}

fn next(env: &Env, entries: &[&'static str]) -> Next {
    Next {
        nonce: Nonce::random(env),
        writer: WriterId::random(env),
        entries: entries.iter().map(|entry| Bytes::from_static(entry.as_bytes())).collect(),
        base_time: Some(Timestamp::from_micros(1_700_000_000_000_000)),
    }
}

fn object(env: &Env) -> ObjectRef {
    ObjectRef { id: Nonce::random(env), bytes: 12_345, hash: [7; 32] }
}

/// A head in which every field holds something.
fn sample(env: &Env) -> Head {
    let mut head =
        Head::first("documents", JournalId::random(env), ForkId::random(env), next(env, &["one"]));
    for _ in 0..3 {
        head = head.after(&head.encode(), next(env, &["two", ""]));
    }
    head.application = Bytes::from_static(b"locks");
    head.segments = vec![SegmentRef { object: object(env), first: 1, last: 2 }];
    head.checkpoint = Some(CheckpointRef { seq: 1, objects: vec![object(env), object(env)] });
    head.history = Some(HistoryRef { object: object(env), last: 1 });
    head.collected = Some(Timestamp::from_micros(5));
    head.drops = vec![
        Drop { id: Nonce::random(env), seq: 2, time: Some(Timestamp::from_micros(9)) },
        Drop { id: Nonce::random(env), seq: 4, time: None },
    ];
    head.unknown = vec![(200, Bytes::from_static(b"from a newer version"))];
    head
}

#[test]
fn a_head_survives_its_bytes_with_every_field() {
    let head = sample(&Simulation::seeded(1).env());
    assert_eq!(Head::decode(&head.encode()).unwrap(), head);
}

/// The bytes of format 2, as they were when it was made. A change here breaks
/// every journal that is out there.
#[test]
fn the_golden_head_reads_and_writes_as_ever() {
    let head = sample(&Env::new(Counting::default()));
    let golden = Bytes::from_static(include_bytes!("../../tests/golden/head-2.bin"));
    assert_eq!(head.encode(), golden);
    assert_eq!(Head::decode(&golden).unwrap(), head);
}

#[test]
fn every_truncation_and_every_flipped_bit_is_detected() {
    let bytes = sample(&Simulation::seeded(2).env()).encode();
    for length in 0..bytes.len() {
        assert_eq!(Head::decode(&bytes.slice(..length)).unwrap_err().kind(), "corrupt");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Head::decode(&flipped.into()).unwrap_err().kind(), "corrupt", "bit {bit}");
    }
}

#[test]
fn a_head_with_a_right_checksum_and_wrong_contents_is_corrupt() {
    let env = Simulation::seeded(3).env();
    let good = sample(&env);
    let spoil = |change: fn(&mut Head)| {
        let mut head = good.clone();
        change(&mut head);
        Head::decode(&head.encode()).unwrap_err()
    };
    for error in [
        spoil(|head| head.ring.first += 1),
        spoil(|head| head.ring.slots.clear()),
        spoil(|head| head.nonce = Nonce(1)),
        spoil(|head| head.tail[1].seq += 5),
        spoil(|head| head.tail.truncate(1)),
        spoil(|head| head.seq = u64::MAX),
        spoil(|head| head.writers.extend(vec![head.writers[0]; 20])),
    ] {
        assert_eq!(error.kind(), "corrupt", "{error}");
    }
}

#[test]
fn another_format_is_refused_and_says_so() {
    let mut bytes = sample(&Simulation::seeded(4).env()).encode().to_vec();
    bytes[7] = 3;
    let end = bytes.len() - 32;
    let sum = *blake3::hash(&bytes[..end]).as_bytes();
    bytes[end..].copy_from_slice(&sum);
    let error = Head::decode(&bytes.into()).unwrap_err();
    assert_eq!(error.kind(), "unsupported");
    assert!(error.to_string().contains("format 3"), "{error}");
}

#[test]
fn a_full_head_without_tail_and_application_stays_under_two_kibibytes() {
    let env = Simulation::seeded(5).env();
    let (journal, fork) = (JournalId::random(&env), ForkId::random(&env));
    let mut head = Head::first("documents", journal, fork, next(&env, &[]));
    for _ in 0..1_000 {
        head = head.after(&head.encode(), next(&env, &[]));
        head.tail.clear();
    }
    head.checkpoint = Some(CheckpointRef { seq: 900, objects: vec![object(&env)] });
    head.history = Some(HistoryRef { object: object(&env), last: 800 });
    assert_eq!((head.ring.slots.len(), head.writers.len()), (RING, MAX_WRITERS));
    let bytes = head.encode().len();
    assert!(bytes < 2048, "{bytes}");
}

#[test]
fn a_writer_that_fell_out_of_the_table_is_nobody_in_the_ring() {
    let env = Simulation::seeded(6).env();
    let (journal, fork) = (JournalId::random(&env), ForkId::random(&env));
    let mut head = Head::first("documents", journal, fork, next(&env, &[]));
    let first = head.writers[0].id;
    for _ in 0..MAX_WRITERS {
        head = head.after(&head.encode(), next(&env, &[]));
    }
    assert!(head.writers.iter().all(|writer| writer.id != first));
    assert_eq!(head.ring.slot(1).unwrap().writer, u8::MAX);
    assert_eq!(head.tail[0].writer, u8::MAX);
    let again = head.writers[5].id;
    let seen = head.seq + 1;
    let head = head.after(&head.encode(), Next { writer: again, ..next(&env, &[]) });
    assert_eq!(head.writers[5], Writer { id: again, seen });
    assert_eq!(head.ring.slot(seen).unwrap().writer, 5);
}

#[test]
fn drops_are_dated_by_the_next_commit() {
    let env = Simulation::seeded(7).env();
    let head = sample(&env);
    let after = head.after(&head.encode(), next(&env, &[]));
    assert_eq!(after.drops[0], head.drops[0]);
    assert_eq!(after.drops[1].time, after.base_time);
    assert_eq!(after.previous, *blake3::hash(&head.encode()).as_bytes());
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(mut body in proptest::collection::vec(0_u8.., 0..400)) {
        // With a right frame and checksum, so that the fields are really read.
        let mut bytes = MAGIC.to_vec();
        bytes.push(FORMAT);
        bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        bytes.append(&mut body);
        let sum = blake3::hash(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        let _ = Head::decode(&bytes.into());
    }
}
