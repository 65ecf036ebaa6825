//! Heads that declare more than they hold: refused before anything is
//! allocated. A process of its own tries them, with little memory to have.

use std::process::{Command, ExitCode};
use std::sync::Arc;

use bytes::Bytes;
use ifmatch_journal::{Freshness, Place, verify};

use super::forge::{Forged, sum};
use crate::bench::{Bench, add, quick};
use crate::harness::paused;

const CHILD: &str = "IFMATCH_TEST_JOURNAL_BOMBS";
/// Address space of the child. A head has 8 MiB at most, and what it holds is
/// not many times larger; what it declares is.
const KIBIBYTES: u32 = 400_000;

pub(crate) fn forged_heads_do_not_allocate() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let limited = format!("ulimit -v {KIBIBYTES} && exec \"$0\"");
    let mut command = if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", &limited]).arg(program);
        shell
    } else {
        Command::new(program)
    };
    let output = command.env(CHILD, "1").output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    let forged = said.lines().filter(|line| line.starts_with("refused: ")).count();
    if output.status.success() && forged == FORGED {
        return Ok(());
    }
    Err(format!("{}: {said}\n{wrong}", output.status))
}

/// The child's side.
pub(crate) fn child() -> Option<ExitCode> {
    std::env::var_os(CHILD)?;
    paused().block_on(refuse_all());
    Some(ExitCode::SUCCESS)
}

async fn refuse_all() {
    let bench = Bench::new(1);
    bench.create(5).await;
    let right = bench.body("head").await;
    for (what, bytes) in forged(&right) {
        let journal = bench.open(quick()).await.unwrap();
        let known = journal.read(Freshness::Cached).await.unwrap();
        bench.write("head", bytes).await;
        let opened = bench.open(quick()).await;
        let error = opened.err().unwrap_or_else(|| panic!("{what}: it opens"));
        assert!(["corrupt", "not_found"].contains(&error.kind()), "{what}: {error}");
        match journal.read(Freshness::Strong).await {
            // It says that it is the commit that the handle knows already.
            Ok(read) => assert_eq!(read.commit(), known.commit(), "{what}"),
            Err(error) => {
                let kinds = ["corrupt", "not_found", "remote_rewound"];
                assert!(kinds.contains(&error.kind()), "{what}: {error}");
            }
        }
        let verified = verify(Arc::clone(&bench.bare), Place::single().unwrap()).await;
        assert!(verified.is_err() || !verified.unwrap().damaged.is_empty(), "{what}");
        println!("refused: {what}");
        bench.write("head", right.clone()).await;
    }
    let journal = bench.open(quick()).await.unwrap();
    add(&journal, 1).await;
    assert_eq!(journal.read(Freshness::Strong).await.unwrap().state().number("n"), Some(6));
}

mod tag {
    pub(super) const SEQ: u8 = 4;
    pub(super) const NONCE: u8 = 5;
    pub(super) const WRITERS: u8 = 6;
    pub(super) const RING: u8 = 9;
    pub(super) const APPLICATION: u8 = 10;
    pub(super) const TAIL: u8 = 11;
    pub(super) const SEGMENTS: u8 = 12;
    pub(super) const CHECKPOINT: u8 = 13;
    pub(super) const HISTORY: u8 = 14;
    pub(super) const DROPS: u8 = 16;
}

const FORGED: usize = 34;

/// What somebody could put there, each with the right checksum.
fn forged(right: &[u8]) -> Vec<(&'static str, Bytes)> {
    let head = Forged::of(right);
    let one = |tag, field: Vec<u8>| head.clone().with(tag, field).seal();
    let seq = |seq: u64| seq.to_le_bytes().to_vec();
    let object = |rest: &[u64]| {
        let numbers = rest.iter().flat_map(|number| number.to_le_bytes());
        [1; 16].into_iter().chain([255; 4]).chain(numbers).collect::<Vec<u8>>()
    };
    let segments = |first: u64, lasts: &[u64]| {
        [seq(first), lasts.iter().flat_map(|&last| object(&[last])).collect()].concat()
    };
    let record = |count: &[u8], size: &[u8]| {
        [&[0][..], &6_u64.to_le_bytes(), &[0; 32], count, size].concat()
    };
    let varint = [255, 255, 255, 255, 15];
    let huge = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
    let packed = |plain: u32, frame: &[u8]| [&[1][..], &plain.to_le_bytes(), frame].concat();
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let four = zstd::bulk::compress(&vec![0; 4 << 20], 1).unwrap();
    // A frame without a size, with the largest window that there is.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 0x03, 0, 0];
    let parts = |count: u8| [seq(6), seq(u64::MAX), vec![count]].concat();
    let no_tail = head.clone().without(tag::TAIL);
    let last = head.clone().without(tag::TAIL).with(tag::SEQ, seq(u64::MAX));
    let own = head.fields.iter().find(|(tag, _)| *tag == tag::NONCE).unwrap().1[..8].to_vec();
    let ring = |first: u64| [seq(first), own.clone(), vec![0]].concat();
    vec![
        ("a length of four gibibytes", head.seal_raw(u32::MAX, &[])),
        ("a field of four gibibytes", head.seal_raw(5, &[1, 255, 255, 255, 255])),
        ("a field that ends behind the last", head.seal_raw(6, &[1, 2, 0, 0, 0, 65])),
        ("no fields", head.seal_raw(0, &[])),
        ("nothing but magic", sum(b"ifmhead\x02".to_vec())),
        ("half a tag", head.seal_raw(1, &[1])),
        ("a million fields", head.seal_raw(5_000_000, &[0; 5_000_000])),
        ("a million writers", one(tag::WRITERS, vec![0; 12 << 18])),
        ("a million in the ring", one(tag::RING, vec![0; 8 + (9 << 19)])),
        ("a ring that ends too late", one(tag::RING, [seq(u64::MAX), vec![0; 9]].concat())),
        ("an application of four mebibytes", one(tag::APPLICATION, vec![0; 4 << 20])),
        ("a record of four billion entries", one(tag::TAIL, record(&varint, &[0]))),
        ("a record of entries without end", one(tag::TAIL, record(&huge, &[0]))),
        ("a record of four gibibytes", one(tag::TAIL, record(&[1], &varint))),
        ("a record of bytes without end", one(tag::TAIL, record(&[1], &huge))),
        ("a million records", one(tag::TAIL, vec![0; 6 << 20])),
        ("a tail of four gibibytes", one(tag::TAIL, packed(u32::MAX, &[0; 100]))),
        ("a tail of four mebibytes in a hundred", one(tag::TAIL, packed(4 << 20, &[0; 100]))),
        ("a tail that is a bomb", one(tag::TAIL, packed(64 << 20, &bomb))),
        ("a tail that unpacks to more", one(tag::TAIL, packed(1 << 20, &bomb))),
        ("a tail of zeros", one(tag::TAIL, packed(4 << 20, &[&four[..], &[0; 6000]].concat()))),
        ("a tail with a huge window", one(tag::TAIL, packed(1000, &window))),
        ("a million segments", one(tag::SEGMENTS, vec![0; 28 << 18])),
        ("segments that go back", one(tag::SEGMENTS, segments(9, &[3]))),
        ("a segment of all commits", no_tail.clone().with(tag::SEGMENTS, segments(1, &[6])).seal()),
        ("segments to the last number", one(tag::SEGMENTS, segments(1, &[u64::MAX, 4]))),
        ("254 parts and none there", one(tag::CHECKPOINT, parts(254))),
        ("64 parts and none there", one(tag::CHECKPOINT, parts(64))),
        (
            "an index of four gibibytes",
            no_tail.clone().with(tag::CHECKPOINT, [parts(255), object(&[])].concat()).seal(),
        ),
        ("a history that is not there", no_tail.with(tag::HISTORY, object(&[6])).seal()),
        ("a history of the future", one(tag::HISTORY, object(&[u64::MAX]))),
        ("a million drops", one(tag::DROPS, vec![1; 33 << 17])),
        ("the last number", last.clone().with(tag::RING, ring(u64::MAX)).seal()),
        (
            "the last number but one",
            last.with(tag::SEQ, seq(u64::MAX - 1)).with(tag::RING, ring(u64::MAX - 1)).seal(),
        ),
    ]
}
