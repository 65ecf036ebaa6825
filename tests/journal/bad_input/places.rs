//! A head that is gone, another journal's, or an older one of the same journal.

use std::sync::Arc;

use ifmatch_journal::kv::{Command, KeyValue};
use ifmatch_journal::{Error, Freshness, Head, Journal, Resolution};

use super::refusal::{cause, failed, goes_on, refused, will_not_open};
use crate::bench::{Bench, add, quick, quick_create};
use crate::meddler::{Fault, Meddler};

pub(crate) async fn another_journals_head_is_replaced() {
    for commits in [0, 3, 5, 9, 300] {
        let (bench, elsewhere) = (Bench::new(1), Bench::new(2));
        let journal = bench.create(5).await;
        let other = elsewhere.create(commits).await;
        let right = bench.body("head").await;
        bench.write("head", elsewhere.body("head").await).await;
        let what = format!("a journal of {commits} commits");
        let open = refused(&bench, &journal, "remote_replaced", &what).await;
        match journal.read(Freshness::Strong).await.unwrap_err() {
            Error::RemoteReplaced(replaced) => {
                assert_eq!(replaced.mine, journal.seen().commit.journal);
                assert_eq!(replaced.theirs, other.seen().commit.journal);
                assert_eq!(replaced.pending, None, "a read leaves nothing open");
            }
            error => panic!("{error:?}"),
        }
        bench.write("head", right).await;
        goes_on(&bench, &journal, &open, &what).await;
    }
}

pub(crate) async fn a_deleted_head_is_gone_and_nothing_is_recreated() {
    let bench = Bench::new(1);
    let journal = bench.create(5).await;
    let right = bench.body("head").await;
    bench.remove("head").await;
    will_not_open(&bench, quick(), "not_found", "gone").await;
    let create = quick_create().seen(journal.seen());
    will_not_open(&bench, create, "remote_gone", "gone, seen before").await;
    let open = refused(&bench, &journal, "remote_gone", "gone").await;
    bench.write("head", right).await;
    goes_on(&bench, &journal, &open, "gone").await;

    // Whoever has never seen it may begin anew; an old handle notices.
    bench.remove("head").await;
    bench.create(20).await;
    refused(&bench, &journal, "remote_replaced", "begun anew").await;
}

pub(crate) async fn an_older_head_is_rewound() {
    let bench = Bench::new(1);
    let journal = bench.create(0).await;
    let mut heads = Vec::new();
    for _ in 0..12 {
        heads.push(bench.body("head").await);
        add(&journal, 1).await;
    }
    for old in heads {
        let (right, theirs) = (bench.body("head").await, Head::decode(&old).unwrap().commit());
        bench.write("head", old).await;
        let what = format!("the head of commit {}", theirs.seq);
        let open = refused(&bench, &journal, "remote_rewound", &what).await;
        match journal.read(Freshness::Strong).await.unwrap_err() {
            Error::RemoteRewound(rewound) => {
                assert_eq!((rewound.mine, rewound.theirs), (journal.seen().commit, theirs));
                assert_eq!(rewound.pending, None, "a read leaves nothing open");
            }
            error => panic!("{error:?}"),
        }
        bench.write("head", right).await;
        goes_on(&bench, &journal, &open, &what).await;
    }
}

pub(crate) async fn what_was_in_flight_stays_open_until_the_right_head_is_back() {
    for fault in [Fault::AnswerLost, Fault::Held, Fault::RequestLost] {
        for wrong in ["remote_gone", "remote_replaced", "remote_rewound"] {
            in_flight(fault, wrong).await;
        }
    }
}

/// A commit is on its way when somebody puts something wrong in its place.
async fn in_flight(fault: Fault, wrong: &str) {
    let what = format!("{fault:?}, {wrong}");
    let (bench, elsewhere) = (Bench::new(1), Bench::new(2));
    let first = bench.create(2).await;
    let old = bench.body("head").await;
    add(&first, 3).await;
    elsewhere.create(30).await;

    let meddler = Meddler::over(bench.store(), 1);
    let store: Arc<Meddler> = Arc::clone(&meddler);
    let journal = Journal::open(store, KeyValue, quick()).await.unwrap();
    meddler.cut(fault);
    let operator = async {
        bench.env.sleep(crate::bench::DEADLINE / 4).await;
        let right = bench.body("head").await;
        match wrong {
            "remote_gone" => bench.remove("head").await,
            "remote_replaced" => bench.write("head", elsewhere.body("head").await).await,
            _ => bench.write("head", old).await,
        }
        meddler.reconnect();
        right
    };
    let (answer, right) = tokio::join!(journal.commit(Command::add("n", 1)), operator);
    let error = failed(answer, &what);
    assert_eq!(cause(&error), wrong, "{what}: {error}");
    let commit = error.pending().unwrap_or_else(|| panic!("{what}: {error:?} names no commit"));
    let again = journal.resolve_or_fence(commit).await.expect_err(&what);
    assert_eq!(again.kind(), wrong, "{what}: {again}");
    if fault == Fault::Held {
        assert_eq!(
            meddler.deliver().await,
            Some(false),
            "{what}: the condition does not hold any more"
        );
    }
    bench.write("head", right).await;
    let landed = fault == Fault::AnswerLost;
    let expected = if landed { Resolution::Committed } else { Resolution::Never };
    assert_eq!(journal.resolve_or_fence(commit).await.unwrap(), expected, "{what}");
    let now = journal.read(Freshness::Strong).await.unwrap();
    assert_eq!(now.state().number("n"), Some(5 + i64::from(landed)), "{what}");
    goes_on(&bench, &journal, &[], &what).await;
}
