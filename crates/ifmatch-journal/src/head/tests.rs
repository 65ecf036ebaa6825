use ifmatch_core::{Env, Simulation};

use super::encode::tag;
use super::*;
use crate::id::WriterId;
use crate::object::Folder;
use crate::record::Entries;
use crate::record::samples::{counting, damaged};

mod limits;

fn next(env: &Env, entries: &[&str]) -> Next {
    Next {
        nonce: Nonce::random(env),
        writer: WriterId::random(env),
        entries: entries.iter().collect(),
        base_time: Some(Timestamp::from_micros(1_700_000_000_000_000)),
    }
}

fn object(env: &Env) -> ObjectRef {
    ObjectRef { id: Nonce::random(env), bytes: 12_345 }
}

fn parts(env: &Env, count: usize) -> Parts {
    let part = |_| PartRef { object: object(env), content: Nonce::random(env).0 };
    Parts::Inline((0..count).map(part).collect())
}

fn first(env: &Env) -> Head {
    Head::first("documents", JournalId::random(env), ForkId::random(env), next(env, &["one"]))
}

/// A head in which every field holds something.
fn sample(env: &Env) -> Head {
    let mut head = first(env);
    for _ in 0..5 {
        head = head.after(&head.encode(), next(env, &["two", ""]));
    }
    head.tail.drain(..3);
    head.application = Bytes::from_static(b"locks");
    head.segments = vec![
        SegmentRef { object: object(env), first: 1, last: 2 },
        SegmentRef { object: object(env), first: 3, last: 3 },
    ];
    head.checkpoint = Some(CheckpointRef { seq: 1, size: 1 << 40, parts: parts(env, 2) });
    head.history = Some(HistoryRef { object: object(env), last: 1 });
    head.collected = Some(Timestamp::from_micros(5));
    let drop = |folder, seq, time: Option<i64>| Drop {
        folder,
        id: Nonce::random(env),
        seq,
        time: time.map(Timestamp::from_micros),
    };
    head.drops = vec![drop(Folder::Segments, 2, Some(9)), drop(Folder::History, 4, None)];
    head.unknown = vec![(200, Bytes::from_static(b"from a newer version"))];
    head
}

/// A sample whose tail is packed.
fn large(env: &Env) -> Head {
    let mut head = sample(env);
    for _ in 0..40 {
        head = head.after(&head.encode(), next(env, &["{\"name\": \"something\"}"; 5]));
    }
    head.checkpoint = Some(CheckpointRef { seq: 40, size: 7, parts: Parts::Indexed(object(env)) });
    head
}

#[test]
fn a_head_survives_its_bytes_with_every_field() {
    let env = Simulation::seeded(1).env();
    for head in [first(&env), sample(&env), large(&env)] {
        assert_eq!(Head::decode(&head.encode()).unwrap(), head);
    }
}

/// The bytes of format 2, as they were when it was made. A change here breaks
/// every journal that is out there.
#[test]
fn the_golden_heads_read_as_ever_and_the_plain_one_is_written_so() {
    let env = counting();
    let (head, large) = (sample(&env), large(&env));
    let golden = Bytes::from_static(include_bytes!("../../tests/golden/head-2.bin"));
    assert_eq!(head.encode(), golden);
    assert_eq!(Head::decode(&golden).unwrap(), head);
    // Another zstd may pack otherwise, and hashes of packed heads follow.
    let golden = Bytes::from_static(include_bytes!("../../tests/golden/head-2-packed.bin"));
    let read = Head::decode(&golden).unwrap();
    assert_eq!(read, Head { previous: read.previous, ..large });
}

#[test]
fn every_truncation_and_every_flipped_bit_is_detected() {
    let env = Simulation::seeded(2).env();
    for head in [sample(&env), large(&env)] {
        for bytes in damaged(&head.encode()) {
            assert_eq!(Head::decode(&bytes).unwrap_err().kind(), "corrupt");
        }
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
    let mut head = first(&env);
    for _ in 0..1_000 {
        head = head.after(&head.encode(), next(&env, &[]));
        head.tail.clear();
    }
    let segment =
        |at: u64| SegmentRef { object: object(&env), first: 900 + at * 2, last: 901 + at * 2 };
    head.segments = (0..8).map(segment).collect();
    let parts = parts(&env, INLINE_PARTS);
    head.checkpoint = Some(CheckpointRef { seq: 900, size: 1 << 30, parts });
    head.history = Some(HistoryRef { object: object(&env), last: 800 });
    head.collected = head.base_time;
    assert_eq!((head.ring.slots.len(), head.writers.len()), (RING, MAX_WRITERS));
    let bytes = head.encode();
    assert_eq!(Head::decode(&bytes).unwrap(), head);
    assert!(bytes.len() < 2048, "{}", bytes.len());
}

#[test]
fn a_writer_that_fell_out_of_the_table_is_nobody_in_the_ring_and_stays_on_record() {
    let env = Simulation::seeded(6).env();
    let mut head = first(&env);
    let gone = head.writers[0].id;
    for _ in 0..MAX_WRITERS {
        head = head.after(&head.encode(), next(&env, &[]));
    }
    assert!(head.writers.iter().all(|writer| writer.id != gone));
    assert_eq!(head.ring.slot(1).unwrap().writer, u8::MAX);
    assert_eq!(head.tail[0].writer, gone);
    let again = head.writers[5].id;
    let seen = head.seq + 1;
    let head = head.after(&head.encode(), Next { writer: again, ..next(&env, &[]) });
    assert_eq!(head.writers[5], Writer { id: again, seen });
    assert_eq!(head.ring.slot(seen).unwrap().writer, 5);
}

#[test]
fn a_writer_of_very_long_ago_is_remembered_as_of_long_ago() {
    let env = Simulation::seeded(7).env();
    let mut head = first(&env);
    head.seq = 1 << 40;
    head.ring.first = head.seq;
    head.tail.clear();
    let read = Head::decode(&head.encode()).unwrap();
    assert_eq!(read.writers[0].seen, (1 << 40) - u64::from(u32::MAX));
}

#[test]
fn drops_are_dated_by_the_next_commit() {
    let env = Simulation::seeded(8).env();
    let head = sample(&env);
    let after = head.after(&head.encode(), next(&env, &[]));
    assert_eq!(after.drops[0], head.drops[0]);
    assert_eq!(after.drops[1].time, after.base_time);
    assert_eq!(after.previous, *head.encode().last_chunk().unwrap());
}

#[test]
fn a_commit_leaves_its_record_at_the_end_of_the_tail() {
    let env = Simulation::seeded(9).env();
    let head = sample(&env);
    let next = next(&env, &["a", "b"]);
    let after = head.after(&head.encode(), next.clone());
    let Next { nonce, writer, entries, base_time } = next;
    let record = CommitRecord { seq: head.seq + 1, nonce, writer, base_time, entries };
    assert_eq!(after.tail.split_last(), Some((&record, &head.tail[..])));
    assert_eq!(after.says(after.commit()), Some(true));
    let other = CommitId { nonce: Nonce(record.nonce.0 ^ 1), ..after.commit() };
    assert_eq!(after.says(other), Some(false), "the tail tells in full");
}
