//! Heads that are at the end of all numbers.

use ifmatch_journal::kv::Command;
use ifmatch_journal::{CommitError, Freshness};

use super::forge::Forged;
use crate::bench::{Bench, quick};

/// A journal that somebody has forged at its last commits: it ends, with an
/// error that says so, and what it holds stays readable.
pub(crate) async fn the_last_number_is_the_end_and_no_panic() {
    for left in 1..=3 {
        let bench = Bench::new(1);
        drop(bench.create(0).await);
        let head = Forged::of(&bench.body("head").await);
        let seq = (u64::MAX - left).to_le_bytes();
        let nonce = head.fields.iter().find(|(tag, _)| *tag == 5).unwrap().1.clone();
        let ring = [&seq[..], &nonce[..8], &[0]].concat();
        // A checkpoint of nothing, at that commit.
        let checkpoint = [&seq[..], &[0; 8], &[0]].concat();
        let forged = head.without(11).with(4, seq).with(9, ring).with(13, checkpoint).seal();
        bench.write("head", forged).await;

        let journal = bench.open(quick()).await.unwrap();
        let mut number = 0;
        for _ in 0..5 {
            match journal.commit(Command::add("n", 1)).await {
                Ok(_) => number += 1,
                Err(CommitError::Failed(error)) => {
                    assert!(
                        ["invalid", "unsupported", "too_large"].contains(&error.kind()),
                        "{error}"
                    );
                    assert_eq!(error.pending(), None, "{error}");
                }
                Err(rejected) => panic!("{rejected:?}"),
            }
        }
        for journal in [journal, bench.open(quick()).await.unwrap()] {
            let read = journal.read(Freshness::Strong).await.unwrap();
            assert_eq!(read.state().number("n"), Some(number), "{left} left");
        }
    }
}
