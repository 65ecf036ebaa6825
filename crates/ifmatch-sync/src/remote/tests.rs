use ifmatch_core::{Env, Simulation, Timestamp};

use super::head::SnapshotRef;
use super::*;
use crate::commit_id::JournalId;

fn head(env: &Env, seqs: std::ops::RangeInclusive<u64>) -> Head {
    let reference = SnapshotRef {
        packed: 10,
        packed_hash: "00".repeat(32),
        size: 4096,
        content: "11".repeat(32),
    };
    let journal = JournalId::random(env);
    let mut base = None;
    for seq in seqs {
        let commit = CommitId::new(env, seq);
        let time = Timestamp::default();
        base = Some(Head::on(journal, base.as_ref(), commit, reference.clone(), time));
    }
    base.unwrap()
}

#[test]
fn a_head_survives_its_bytes_and_stays_small() {
    let env = Simulation::seeded(1).env();
    let head = head(&env, 1..=1000);
    let bytes = head.encode().unwrap();
    assert_eq!(Head::decode(&bytes).unwrap(), head);
    assert!(bytes.len() < 8 * 1024, "{}", bytes.len());
    assert_eq!(head.commit().seq(), 1000);
    assert!(head.record(873).is_some() && head.record(872).is_none());
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_head_is_corrupt() {
    let env = Simulation::seeded(2).env();
    let bytes = head(&env, 1..=3).encode().unwrap();
    for length in 0..bytes.len() {
        assert_eq!(Head::decode(&bytes[..length]).unwrap_err().kind(), "corrupt");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Head::decode(&flipped).unwrap_err().kind(), "corrupt", "bit {bit}");
    }
}

#[test]
fn a_head_is_placed_by_its_records_and_not_by_its_version() {
    let env = Simulation::seeded(3).env();
    let (other, head) = (head(&env, 1..=5), head(&env, 1..=5));
    let at = |seq| head.record(seq).unwrap();
    let place = |base, pending: &[CommitId]| relate(&head, head.journal, Some(base), pending);
    assert_eq!(place(at(5), &[]), Relation::Same);
    assert_eq!(place(at(3), &[]), Relation::Ahead);
    assert_eq!(place(at(3), &[at(4)]), Relation::Mine(at(4)));
    assert_eq!(place(at(3), &[at(4), at(5)]), Relation::Mine(at(5)), "forced onto others' commits");
    assert_eq!(place(at(3), &[CommitId::new(&env, 4)]), Relation::Ahead);
    assert_eq!(relate(&head, other.journal, None, &[at(1)]), Relation::Mine(at(1)));
    assert_eq!(relate(&head, other.journal, None, &[]), Relation::Ahead);
    assert_eq!(place(other.record(3).unwrap(), &[]), Relation::Rewound);
    assert_eq!(place(CommitId::new(&env, 6), &[]), Relation::Rewound);
    assert_eq!(relate(&head, other.journal, Some(at(5)), &[]), Relation::Replaced);
}

#[test]
fn a_head_without_room_for_a_next_commit_or_with_a_gap_is_corrupt() {
    let env = Simulation::seeded(5).env();
    for seqs in [u64::MAX - 1..=u64::MAX, u64::MAX..=u64::MAX] {
        let bytes = head(&env, seqs).encode().unwrap();
        assert_eq!(Head::decode(&bytes).unwrap_err().kind(), "corrupt");
    }
    let base = head(&env, 1..=2);
    let (time, gap) = (Timestamp::default(), CommitId::new(&env, 9));
    let head = Head::on(base.journal, Some(&base), gap, base.snapshot.clone(), time);
    assert_eq!(Head::decode(&head.encode().unwrap()).unwrap_err().kind(), "corrupt");
}
