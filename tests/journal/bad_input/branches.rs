//! An older head was put back and has grown past an open handle, on another
//! branch, whose head tells of the handle's commit or does not any more.

use std::sync::Arc;

use ifmatch_journal::kv::{Command, KeyValue};
use ifmatch_journal::{CommitId, Freshness, Head, Journal, Nonce, Options, Resolution};

use super::refusal::{cause, failed, goes_on, refused_but_resolve, unresolved};
use crate::bench::{Bench, DEADLINE, add, quick};
use crate::meddler::{Fault, Meddler};

/// Where the other branch keeps the commit with the handle's number.
#[derive(Clone, Copy, Debug)]
enum Reach {
    Ring,
    Tail,
    Segments,
    History,
}

const REACHES: [Reach; 4] = [Reach::Ring, Reach::Tail, Reach::Segments, Reach::History];

/// Somebody goes on from what lies there, to this commit.
async fn grow(bench: &Bench, reach: Reach, to: u64) {
    let options: Options = match reach {
        Reach::Ring => quick(),
        Reach::Tail => quick().ring(1),
        Reach::Segments | Reach::History => quick().ring(1).tail(200),
    };
    let other = bench.open(options).await.unwrap();
    let from = other.read(Freshness::Cached).await.unwrap().seq();
    for _ in from..to {
        other.commit(Command::add("theirs", 1)).await.unwrap();
    }
    if matches!(reach, Reach::History) {
        other.checkpoint().await.unwrap();
    }
}

/// The head alone tells, or does not tell, what the case is about.
fn assert_reach(head: &Head, reach: Reach, seq: u64) {
    let in_ring = head.ring.slot(seq).is_some();
    let in_tail = head.tail.iter().any(|record| record.seq == seq);
    let in_segments = head.segments.iter().any(|at| (at.first..=at.last).contains(&seq));
    let in_history = head.history.is_some_and(|history| history.last >= seq);
    let found = [in_ring, in_tail && !in_ring, in_segments && !in_tail && !in_ring, in_history];
    assert!(found[reach as usize], "{reach:?} of {seq}: {found:?}");
}

pub(crate) async fn a_branch_that_forked_before_the_handle_is_rewound() {
    for reach in REACHES {
        // Behind the handle, at its number, right behind it, and far ahead.
        for to in [13, 21, 22, 23, 26, 90] {
            let bench = Bench::new(1);
            let journal = bench.create(9).await;
            let old = bench.body("head").await;
            add(&journal, 11).await;
            let right = bench.body("head").await;
            bench.write("head", old).await;
            grow(&bench, reach, to).await;
            if to == if matches!(reach, Reach::History) { 90 } else { 26 } {
                assert_reach(&Head::decode(&bench.body("head").await).unwrap(), reach, 21);
            }
            let what = format!("a branch up to {to}, in its {reach:?}");
            let open = refused_but_resolve(&bench, &journal, "remote_rewound", &what).await;
            bench.write("head", right).await;
            goes_on(&bench, &journal, &open, &what).await;
        }
    }
}

/// Whatever another branch has at a commit's number, it does not tell of it.
pub(crate) async fn another_branch_tells_nothing_of_a_commit() {
    for reach in REACHES {
        for to in [13, 21, 22, 23, 90] {
            let bench = Bench::new(1);
            let journal = bench.create(9).await;
            let old = bench.body("head").await;
            add(&journal, 11).await;
            let known = journal.seen().commit;
            bench.write("head", old).await;
            grow(&bench, reach, to).await;
            let what = format!("a branch up to {to}, in its {reach:?}");
            let next = CommitId { seq: 22, nonce: Nonce::random(&bench.env), ..known };
            unresolved(&bench, &journal, next, "remote_rewound", &what).await;
        }
    }
}

/// The commit had landed on the right branch. What another branch says of its
/// number is no verdict.
pub(crate) async fn a_pending_commit_is_not_settled_by_another_branch() {
    for reach in REACHES {
        for to in [13, 21, 22, 23, 90] {
            let what = format!("a branch up to {to}, in its {reach:?}");
            let bench = Bench::new(1);
            let first = bench.create(9).await;
            let old = bench.body("head").await;
            add(&first, 11).await;
            let meddler = Meddler::over(bench.store(), 1);
            let store: Arc<Meddler> = Arc::clone(&meddler);
            let journal = Journal::open(store, KeyValue, quick()).await.unwrap();
            meddler.cut(Fault::AnswerLost);
            let operator = async {
                bench.env.sleep(DEADLINE / 4).await;
                let right = bench.body("head").await;
                bench.write("head", old).await;
                grow(&bench, reach, to).await;
                meddler.reconnect();
                right
            };
            let (answer, right) = tokio::join!(journal.commit(Command::add("n", 1)), operator);
            let error = failed(answer, &what);
            assert_eq!(cause(&error), "remote_rewound", "{what}: {error}");
            let commit = error.pending().unwrap_or_else(|| panic!("{what}: {error:?}"));
            let told = journal.resolve(commit).await;
            bench.write("head", right).await;
            let truth = journal.resolve(commit).await.unwrap();
            assert_eq!(truth, Resolution::Committed, "{what}");
            match told {
                Err(error) => assert_eq!(error.kind(), "remote_rewound", "{what}: {error}"),
                Ok(told) => panic!("{what}: resolved as {told:?}, and it is {truth:?}"),
            }
        }
    }
}
