//! Heads with a right checksum and wrong contents.

use super::super::tail::{MAX_TAIL, TailBytes, tail_size};
use super::*;

/// A head of these fields, with a right frame and checksum.
fn framed(body: &[u8]) -> Bytes {
    let mut bytes = MAGIC.to_vec();
    bytes.push(FORMAT);
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(body);
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    bytes.into()
}

/// The head of a journal's first commit, with another field in its place.
fn refusal(tag: u8, field: &[u8]) -> String {
    let head = first(&Simulation::seeded(1).env()).encode();
    let (mut rest, mut body, mut done) = (&head[12..head.len() - 32], Vec::new(), false);
    let put = |body: &mut Vec<u8>| {
        body.push(tag);
        body.extend_from_slice(&u32::try_from(field.len()).unwrap().to_le_bytes());
        body.extend_from_slice(field);
    };
    while let [found, length @ ..] = rest {
        let (length, _) = length.split_first_chunk().unwrap();
        let (whole, behind) = rest.split_at(5 + u32::from_le_bytes(*length) as usize);
        if *found >= tag && !done {
            put(&mut body);
            done = true;
        }
        if *found != tag {
            body.extend_from_slice(whole);
        }
        rest = behind;
    }
    if !done {
        put(&mut body);
    }
    Head::decode(&framed(&body)).unwrap_err().to_string()
}

#[test]
fn contents_that_contradict_each_other_are_corrupt() {
    let good = sample(&Simulation::seeded(3).env());
    let spoil = |change: fn(&mut Head)| {
        let mut head = good.clone();
        change(&mut head);
        let error = Head::decode(&head.encode()).unwrap_err();
        assert_eq!(error.kind(), "corrupt");
        error.to_string()
    };
    let ring = "its ring does not end at its own commit";
    assert!(spoil(|head| head.ring.first += 1).contains(ring));
    assert!(spoil(|head| head.ring.slots.clear()).contains(ring));
    assert!(spoil(|head| head.nonce = Nonce(1)).contains(ring));
    assert!(spoil(|head| head.seq = u64::MAX).contains(ring));
    assert!(spoil(|head| head.ring.first = u64::MAX).contains("the last number"));
    let tail = "its tail does not end at its own commit";
    assert!(spoil(|head| head.tail.truncate(1)).contains(tail));
    assert!(spoil(|head| head.tail[2].nonce.0 ^= 1).contains(tail), "in the second half");
    assert!(spoil(|head| head.tail[0].nonce.0 ^= 1 << 100).contains("different commits"));
    let begin = "its tail does not begin behind its segments";
    assert!(spoil(|head| drop(head.tail.remove(0))).contains(begin));
    assert!(spoil(|head| head.segments.truncate(1)).contains(begin));
    assert!(spoil(|head| head.segments[1].last = 2).contains("do not ascend"));
    assert!(spoil(|head| head.segments[0].last = 0).contains("do not ascend"));
    let later = "it refers to commits after its own";
    assert!(spoil(|head| head.checkpoint.as_mut().unwrap().seq = 99).contains(later));
    assert!(spoil(|head| head.history.as_mut().unwrap().last = 99).contains(later));
    assert!(spoil(|head| head.writers.extend(vec![head.writers[0]; 20])).contains("too long"));
    assert!(spoil(|head| head.kind = "x".repeat(65)).contains("no short text"));
}

#[test]
fn more_than_the_limits_is_refused() {
    let too_long = |tag, front: usize, each: usize, most: usize| {
        let error = refusal(tag, &vec![1; front + each * (most + 1)]);
        assert!(error.contains("too long"), "{error}");
        let error = refusal(tag, &vec![1; front + each * most]);
        assert!(!error.contains("too long"), "{error}");
    };
    too_long(tag::RING, 8, 9, 4096);
    assert!(refusal(tag::DROPS, &vec![1; 33 * 65_537]).contains("too long"));
    assert!(refusal(tag::APPLICATION, &vec![1; (1 << 20) + 1]).contains("too long"));
    let mut checkpoint = vec![0; 16 + 1 + 65 * 36];
    checkpoint[16] = 65;
    assert!(refusal(tag::CHECKPOINT, &checkpoint).contains("a checkpoint is too long"));
    let mut segments = 1_u64.to_le_bytes().to_vec();
    for last in 1..=1025_u64 {
        segments.extend_from_slice(&[0; 20]);
        segments.extend_from_slice(&last.to_le_bytes());
    }
    assert!(refusal(tag::SEGMENTS, &segments).contains("too long"));
    let longer = Bytes::from(vec![0; MAX_HEAD + 1]);
    assert!(Head::decode(&longer).unwrap_err().to_string().contains("longer than any head"));
    assert!(refusal(tag::JOURNAL, &[1; 17]).contains("too long"));
    assert!(refusal(tag::JOURNAL, &[]).contains("ends early"));
    assert!(refusal(tag::WRITERS, &[0xff; 12]).contains("before it all"));
}

#[test]
fn a_field_that_is_missing_twice_there_or_out_of_order_is_noticed() {
    let head = first(&Simulation::seeded(1).env()).encode();
    let fields = &head[12..head.len() - 32];
    let read = |body: &[u8]| Head::decode(&framed(body)).unwrap_err().to_string();
    assert!(read(&[]).contains("it lacks"));
    // Kind is 5 + 9 bytes, journal and fork 5 + 16 each, seq 5 + 8.
    for gone in [14..35, 35..56, 56..69, 69..90] {
        let body = [&fields[..gone.start], &fields[gone.end..]].concat();
        assert!(read(&body).contains("it lacks"), "{gone:?}");
        let body = [&fields[..gone.end], &fields[gone.start..]].concat();
        assert!(read(&body).contains("out of order"), "{gone:?}");
    }
}

#[test]
fn a_bomb_of_a_tail_is_refused_by_what_it_declares() {
    let tail = |plain: usize, packed: &[u8]| {
        let plain = u32::try_from(plain).unwrap().to_le_bytes();
        refusal(tag::TAIL, &[&[1], &plain[..], packed].concat())
    };
    let zeros = vec![0; MAX_TAIL];
    let packed = zstd::bulk::compress(&zeros, 1).unwrap();
    assert!(tail(MAX_TAIL + 1, &vec![0; 1 << 20]).contains("larger than anything"));
    assert!(tail(MAX_TAIL, &packed).contains("larger than it can be"));
    assert!(tail(1_000, &packed).contains("does not unpack"), "it unpacks to more");
    assert!(refusal(tag::TAIL, &vec![0; MAX_TAIL + 2]).contains("its tail is too long"));
    assert!(refusal(tag::TAIL, &[2, 0]).contains("unknown way"));
}

#[test]
fn a_tail_is_packed_where_that_helps_and_its_size_is_known_before() {
    let env = Simulation::seeded(5).env();
    let size = |entries: &[&[u8]]| {
        let next = Next { entries: entries.iter().collect(), ..next(&env, &[]) };
        let head = Head::first("", JournalId(1), ForkId(1), next);
        let mut without = head.clone();
        without.tail.clear();
        let field = head.encode().len() - without.encode().len();
        assert_eq!(field, tail_size(&head.tail) + 5);
        assert_eq!(Head::decode(&head.encode()).unwrap(), head);
        tail_size(&head.tail)
    };
    let mut noise = vec![0; 3_000];
    env.fill_random(&mut noise);
    assert_eq!(tail_size(&[]), 0);
    assert!((900..1_000).contains(&size(&[&[7; 900]])), "small ones stay as they are");
    assert!(size(&[&[7; 6_000]]) < 150);
    assert!((3_000..3_060).contains(&size(&[&noise])));
    assert!((900..6_000).contains(&size(&[&vec![0; 1 << 20]])), "padded to what readers believe");
    let beyond = vec![0; MAX_TAIL];
    let record = |entry: &[u8]| CommitRecord {
        seq: 1,
        nonce: Nonce(1),
        writer: WriterId(1),
        base_time: None,
        entries: Entries::from_iter([entry]),
    };
    assert_eq!(tail_size(&[record(&beyond)]), usize::MAX, "no reader takes more than 4 MiB");
    assert!(TailBytes::new(&[record(&beyond[60..])]).size() < 10_000);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(body in proptest::collection::vec(0_u8.., 0..400)) {
        // With a right frame and checksum, so that the fields are really read.
        let _ = Head::decode(&framed(&body));
    }

    #[test]
    fn no_field_makes_the_decoder_panic(
        fields in proptest::collection::vec(proptest::collection::vec(0_u8..20, 0..80), 17),
    ) {
        let mut body = Vec::new();
        for (tag, field) in (1..).zip(&fields) {
            body.push(tag);
            body.extend_from_slice(&u32::try_from(field.len()).unwrap().to_le_bytes());
            body.extend_from_slice(field);
        }
        let _ = Head::decode(&framed(&body));
    }

    #[test]
    fn a_changed_byte_under_a_right_checksum_never_panics(at: usize, byte: u8) {
        let head = sample(&Simulation::seeded(1).env()).encode();
        let mut body = head[12..head.len() - 32].to_vec();
        let at = at % body.len();
        body[at] = byte;
        if let Ok(head) = Head::decode(&framed(&body)) {
            let _ = head.after(&[], next(&Simulation::seeded(2).env(), &[])).encode();
        }
    }
}
