use bytes::Bytes;
use ifmatch_core::{Env, Simulation};

use super::envelope::{seal, unseal};
use super::*;
use crate::error::Result;
use crate::id::Nonce;
use crate::record::samples::{counting, damaged, records};

fn env(seed: u64) -> Env {
    Simulation::seeded(seed).env()
}

/// Bytes that do not pack.
fn noise(env: &Env, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    env.fill_random(&mut bytes);
    bytes
}

fn parts(env: &Env, count: usize) -> Vec<PartRef> {
    let part = |_| seal_part(Nonce::random(env), &noise(env, 40)).unwrap().0;
    (0..count).map(part).collect()
}

/// An object whose name is right, of an envelope made up at will.
fn forged(change: impl FnOnce(&mut Vec<u8>)) -> (ObjectRef, Bytes) {
    let mut bytes = seal(Folder::Checkpoints, Nonce(1), &[5; 100]).unwrap().bytes.to_vec();
    change(&mut bytes);
    (ObjectRef::of(&bytes).unwrap(), bytes.into())
}

/// The error of opening what was forged.
fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let (object, bytes) = forged(change);
    let error = unseal(Folder::Checkpoints, &object, &bytes).unwrap_err();
    assert!(error.to_string().contains(&format!("checkpoints/{}", object.id)), "{error}");
    format!("{}: {error}", error.kind())
}

#[test]
fn every_kind_of_object_survives_its_bytes() {
    let env = env(1);
    let commits = records(&env, 7, 50);
    let (segment, sealed) = seal_segment(Nonce::random(&env), &commits).unwrap();
    assert_eq!((segment.first, segment.last, sealed.folder), (7, 56, Folder::Segments));
    assert_eq!(sealed.path(), format!("segments/{}", segment.object.id));
    assert_eq!(sealed.bytes.len(), segment.object.bytes as usize);
    assert_eq!(unseal_segment(&segment, &sealed.bytes).unwrap(), commits);
    for plain in [vec![], vec![3], b"again and ".repeat(500), noise(&env, 5_000)] {
        let (part, sealed) = seal_part(Nonce::random(&env), &plain).unwrap();
        assert_eq!(unseal_part(&part, &sealed.bytes).unwrap(), plain);
        assert!(sealed.bytes.len() <= plain.len() + 29, "packed only where that helps");
        assert_eq!(part.content, content_of(&plain));
    }
    for count in [0, 1, 200] {
        let parts = parts(&env, count);
        let index = seal_index(Nonce::random(&env), &parts).unwrap();
        assert_eq!(unseal_index(&index.object, &index.bytes).unwrap(), parts);
    }
}

#[test]
fn equal_contents_have_equal_marks_and_different_names() {
    let seal = |nonce| seal_part(Nonce(nonce), b"the same").unwrap();
    let ((one, first), (two, second)) = (seal(1), seal(2));
    assert_eq!(one.content, two.content);
    assert_ne!(one.object.id, two.object.id);
    let error = unseal_part(&one, &second.bytes).unwrap_err();
    assert_eq!(error.kind(), "corrupt");
    assert_eq!(first, seal(1).1, "and the same nonce gives the same object");
}

#[test]
fn every_truncation_and_every_flipped_bit_is_detected() {
    let env = env(2);
    let nonce = || Nonce::random(&env);
    let (segment, sealed) = seal_segment(nonce(), &records(&env, 1, 12)).unwrap();
    check(&sealed, |bytes| unseal_segment(&segment, bytes));
    for plain in [b"again ".repeat(60), noise(&env, 90)] {
        let (part, sealed) = seal_part(nonce(), &plain).unwrap();
        check(&sealed, |bytes| unseal_part(&part, bytes));
    }
    let index = seal_index(nonce(), &parts(&env, 9)).unwrap();
    check(&index, |bytes| unseal_index(&index.object, bytes));
}

fn check<T: std::fmt::Debug>(sealed: &Sealed, unseal: impl Fn(&Bytes) -> Result<T>) {
    unseal(&sealed.bytes).unwrap();
    for bytes in damaged(&sealed.bytes) {
        let error = unseal(&bytes).unwrap_err();
        assert_eq!(error.kind(), "corrupt");
        assert!(error.to_string().contains(&sealed.path()), "{error}");
    }
}

#[test]
fn an_object_with_a_right_name_and_a_wrong_envelope_is_refused() {
    assert!(refusal(|bytes| bytes[0] = b'x').contains("no object of ifmatch"));
    assert!(refusal(|bytes| bytes[6] = 2).starts_with("unsupported"), "a newer format");
    assert!(refusal(|bytes| bytes[7] = 1).contains("another folder"));
    assert!(refusal(|bytes| bytes[28] = 9).contains("unknown way"));
    assert!(refusal(|bytes| bytes[28] = 0).contains("length does not match"), "packed as plain");
    assert!(refusal(|bytes| bytes[24] += 1).contains("does not unpack"));
    assert!(refusal(|bytes| bytes[24] -= 1).contains("does not unpack"));
    assert!(refusal(|bytes| bytes[29] ^= 1).contains("does not unpack"));
    for length in 0..29 {
        assert!(refusal(|bytes| bytes.truncate(length)).starts_with("corrupt"), "{length}");
    }
}

#[test]
fn bombs_are_refused_by_what_they_declare() {
    // Of 1 GiB and a byte; no more than the name had to be made for that.
    let beyond = (1_u32 << 30) + 1;
    let error = refusal(|bytes| bytes[24..28].copy_from_slice(&beyond.to_le_bytes()));
    assert!(error.contains("larger than anything"), "{error}");
    let error = refusal(|bytes| bytes[24..28].copy_from_slice(&(1_u32 << 30).to_le_bytes()));
    assert!(error.contains("larger than it can be"), "{error}");
    // What unpacks to 1,001 times its size is refused though it would be right.
    let zeros = vec![0; 1 << 20];
    let packed = zstd::bulk::compress(&zeros, 1).unwrap();
    assert!(packed.len() * 1_000 < zeros.len());
    let error = pack::unpack(&packed, zeros.len(), 1 << 30).unwrap_err();
    assert_eq!(error, "it says that it is larger than it can be");
    // One that declares little and unpacks to much gets no more room.
    let error = pack::unpack(&packed, 100, 1 << 30).unwrap_err();
    assert_eq!(error, "it does not unpack to what it says");
}

#[test]
fn contents_that_shrink_beyond_belief_are_padded_and_read() {
    for length in [100_000, 1 << 20, (4 << 20) + 17] {
        let zeros = vec![0; length];
        let (part, sealed) = seal_part(Nonce(1), &zeros).unwrap();
        assert_eq!(unseal_part(&part, &sealed.bytes).unwrap(), zeros);
        assert!(sealed.bytes.len() < length / 900 + 60, "{}", sealed.bytes.len());
    }
}

#[test]
fn a_segment_holds_what_its_reference_says() {
    let env = env(3);
    let commits = records(&env, 7, 5);
    let (segment, sealed) = seal_segment(Nonce(1), &commits).unwrap();
    for (first, last) in [(7, 10), (8, 11), (7, 12)] {
        let error = unseal_segment(&SegmentRef { first, last, ..segment }, &sealed.bytes);
        assert!(error.unwrap_err().to_string().contains("other commits"));
    }
    let gap = [&commits[..2], &commits[3..]].concat();
    for wrong in [&[][..], &gap] {
        assert_eq!(seal_segment(Nonce(1), wrong).unwrap_err().kind(), "invalid");
    }
    let empty = seal(Folder::Segments, Nonce(1), &[]).unwrap();
    let segment = SegmentRef { object: empty.object, ..segment };
    assert_eq!(unseal_segment(&segment, &empty.bytes).unwrap_err().kind(), "corrupt");
    let (part, sealed) = seal_part(Nonce(1), b"x").unwrap();
    let error = unseal_part(&PartRef { content: 1, ..part }, &sealed.bytes).unwrap_err();
    assert!(error.to_string().contains("other contents"), "{error}");
    let odd = seal(Folder::Checkpoints, Nonce(1), &[0; 37]).unwrap();
    assert_eq!(unseal_index(&odd.object, &odd.bytes).unwrap_err().kind(), "corrupt");
}

/// The bytes of format 1, as they were when it was made. A change here breaks
/// every journal that is out there.
#[test]
fn the_golden_segments_read_as_ever_and_the_plain_one_is_written_so() {
    let env = counting();
    for (count, golden, id) in [
        (1, &include_bytes!("../../tests/golden/segment-1.bin")[..], PLAIN_ID),
        (40, include_bytes!("../../tests/golden/segment-1-packed.bin"), PACKED_ID),
    ] {
        let commits = records(&env, 1_000, count);
        let (_, sealed) = seal_segment(Nonce(9), &commits).unwrap();
        let golden = Bytes::from_static(golden);
        let object = ObjectRef::of(&golden).unwrap();
        assert_eq!(object.id.to_string(), id, "the name");
        let segment = SegmentRef { object, first: 1_000, last: 999 + count };
        assert_eq!(unseal_segment(&segment, &golden).unwrap(), commits);
        // Another zstd may pack otherwise.
        assert_eq!(golden[28] == 0, count == 1);
        if count == 1 {
            assert_eq!(sealed.bytes, golden);
        }
    }
}

const PLAIN_ID: &str = "9a1471a97ab08eed54489b76e0208486";
const PACKED_ID: &str = "bdf72259ee3e57221e9a6c972a2aaf86";

proptest::proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(
        mut bytes in proptest::collection::vec(0_u8.., 0..300),
        plain in 0_u32..2_000,
        packed in 0_u8..3,
        folder in 0_usize..3,
    ) {
        let folder = Folder::ALL[folder];
        // With a right envelope and name, so that the contents are really read.
        if bytes.len() >= 29 {
            bytes[..7].copy_from_slice(b"ifmobj\x01");
            bytes[7] = folder.number();
            let plain = if packed == 0 { u32::try_from(bytes.len() - 29).unwrap() } else { plain };
            bytes[24..28].copy_from_slice(&plain.to_le_bytes());
            bytes[28] = packed;
        }
        let object = ObjectRef::of(&bytes).unwrap();
        let bytes = Bytes::from(bytes);
        let _ = unseal_segment(&SegmentRef { object, first: 1, last: 1 }, &bytes);
        let _ = unseal_part(&PartRef { object, content: 0 }, &bytes);
        let _ = unseal_index(&object, &bytes);
        let _ = History::unseal(&object, &bytes);
    }
}
