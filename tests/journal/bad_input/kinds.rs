//! Prefixes and heads that hold something of another kind, and entries that no
//! machine of this kind has made.

use bytes::Bytes;
use ifmatch_journal::kv::Command;
use ifmatch_journal::{Head, Journal};

use super::refusal::{failed, goes_on, readings, refused, will_not_open};
use crate::bench::{Bench, quick, quick_create};
use crate::tally::Tally;

fn marker(kind: &str, format: u32, register: &str) -> String {
    format!(
        r#"{{"kind":"{kind}","format":{format},"register":"{register}",
        "store":"00000000000000000000000000000000","probes":{{}}}}"#
    )
}

pub(crate) async fn a_prefix_of_another_kind_is_refused_and_left_alone() {
    for kind in ["documents", "database", "ledger", "tally", ""] {
        let bench = Bench::new(1);
        bench.write("ifmatch", marker(kind, 1, "head")).await;
        for options in [quick_create(), quick()] {
            let error = will_not_open(&bench, options, "invalid", kind).await;
            assert!(error.to_string().contains(&format!("{kind:?}")), "{error}");
        }
    }
}

pub(crate) async fn a_marker_that_cannot_be_read_is_refused_and_left_alone() {
    let right = marker("key-value", 1, "head");
    let mut cases: Vec<(String, &str)> = vec![
        (String::new(), "corrupt"),
        ("null".into(), "corrupt"),
        ("{}".into(), "corrupt"),
        (right.replace("000000", "x"), "corrupt"),
        (marker("key-value", 2, "head"), "unsupported"),
        (marker("key-value", 1, "slots"), "unsupported"),
        (format!("{}1", "[".repeat(100_000)), "corrupt"),
    ];
    cases.extend((1..right.len()).step_by(7).map(|at| (right[..at].to_owned(), "corrupt")));
    for (bytes, kind) in cases {
        let bench = Bench::new(1);
        let what = bytes.get(..80.min(bytes.len())).unwrap_or_default().to_owned();
        bench.write("ifmatch", bytes).await;
        for options in [quick_create(), quick()] {
            will_not_open(&bench, options, kind, &what).await;
        }
        // The right one is there again.
        bench.write("ifmatch", right.clone()).await;
        will_not_open(&bench, quick(), "not_found", &what).await;
        bench.create(3).await;
    }
}

pub(crate) async fn a_flipped_bit_in_a_marker_is_noticed() {
    let bench = Bench::new(1);
    drop(bench.create(0).await);
    bench.remove("head").await;
    let right = bench.body("ifmatch").await;
    // Without its name the checksum is a field that nobody knows.
    let text = std::str::from_utf8(&right).unwrap();
    let name = text.find("checksum").unwrap();
    for bit in (0..right.len() * 8).filter(|bit| !(name..name + 8).contains(&(bit / 8))) {
        let mut flipped = right.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if flipped.eq_ignore_ascii_case(&right) {
            // The same id in capitals.
            continue;
        }
        bench.write("ifmatch", flipped).await;
        let opened = bench.untouched("a flipped bit", bench.open(quick_create())).await;
        let error = opened.err().unwrap_or_else(|| panic!("bit {bit} of {text}"));
        assert!(["corrupt", "unsupported"].contains(&error.kind()), "bit {bit}: {error}");
    }
    bench.write("ifmatch", right).await;
    bench.create(1).await;
}

pub(crate) async fn a_journal_of_another_machine_is_refused() {
    let bench = Bench::new(1);
    let journal = bench.create(5).await;
    for options in [quick(), quick_create()] {
        let opened = bench.untouched("tally", Journal::open(bench.store(), Tally, options)).await;
        assert_eq!(opened.unwrap_err().kind(), "invalid");
    }
    // Its head where ours was.
    let elsewhere = Bench::new(2);
    Journal::open(elsewhere.store(), Tally, quick_create()).await.unwrap();
    let right = bench.body("head").await;
    bench.write("head", elsewhere.body("head").await).await;
    let error = will_not_open(&bench, quick_create(), "invalid", "a tally").await;
    assert!(error.to_string().contains("tally"), "{error}");
    let open = refused(&bench, &journal, "remote_replaced", "a tally").await;
    bench.write("head", right).await;
    goes_on(&bench, &journal, &open, "a tally").await;
}

pub(crate) async fn entries_that_the_machine_never_made_are_corrupt() {
    let key = |length: u32, key: &[u8]| [&[1][..], &length.to_le_bytes(), key].concat();
    let entries: [(&str, Vec<u8>); 8] = [
        ("nothing", vec![]),
        ("a sort and nothing else", vec![1]),
        ("an unknown sort", [&[9][..], &3_u32.to_le_bytes(), b"key"].concat()),
        ("a key of four gibibytes", key(u32::MAX, b"key")),
        ("a key longer than it is", key(4, b"key")),
        ("an addition of nothing", [&[3][..], &1_u32.to_le_bytes(), b"n"].concat()),
        ("an addition of five bytes", [&[3][..], &1_u32.to_le_bytes(), b"n12345"].concat()),
        (
            "too large a sum",
            [&[3][..], &1_u32.to_le_bytes(), b"n", &i64::MAX.to_le_bytes()].concat(),
        ),
    ];
    for (what, entry) in entries {
        let bench = Bench::new(1);
        let journal = bench.create(5).await;
        let (seen, right) = (journal.seen(), bench.body("head").await);
        // A head that a broken program has put on top of it.
        let mut head = Head::decode(&right).unwrap();
        let next = ifmatch_journal::Next {
            nonce: ifmatch_journal::Nonce::random(&bench.env),
            writer: ifmatch_journal::WriterId::random(&bench.env),
            entries: [&Bytes::from(entry)].into_iter().collect(),
            base_time: None,
        };
        head = head.after(&right, next);
        bench.write("head", head.encode()).await;
        for options in [quick(), quick().seen(seen)] {
            let error = will_not_open(&bench, options, "corrupt", what).await;
            assert!(error.to_string().contains("entry 0 of commit 7"), "{what}: {error}");
        }
        // The head is whole, and says that another's commit came first.
        bench
            .untouched(what, async {
                readings(&journal, "corrupt", what).await;
                let error = failed(journal.commit(Command::add("n", 1)).await, what);
                assert_eq!((error.kind(), error.pending()), ("corrupt", None), "{what}: {error}");
            })
            .await;
        bench.write("head", right).await;
        goes_on(&bench, &journal, &[], what).await;
    }
}
