//! Stores that go back, or are empty, for a while and then are right again.

use std::sync::Arc;
use std::time::Duration;

use ifmatch::{Blob, BlobKey, GetOptions};
use ifmatch_journal::kv::{Command, KeyValue, Reply};
use ifmatch_journal::{Freshness, Journal};

use super::refusal::goes_on;
use crate::bench::{Bench, DEADLINE, Kv, add, quick};
use crate::meddler::Meddler;

async fn blob(bench: &Bench) -> Blob {
    let fetched = bench.bare.get(&BlobKey::new("head").unwrap(), GetOptions::new()).await;
    fetched.unwrap().found().unwrap()
}

/// A handle whose reads of the head can be made to show an older one, and the
/// heads of the commits 1 to 6; it is at the last.
async fn scene(bench: &Bench) -> (Kv, Arc<Meddler>, Vec<Blob>) {
    let first = bench.create(0).await;
    let mut heads = vec![blob(bench).await];
    for _ in 0..5 {
        add(&first, 1).await;
        heads.push(blob(bench).await);
    }
    let meddler = Meddler::over(bench.store(), 0);
    let store: Arc<Meddler> = Arc::clone(&meddler);
    (Journal::open(store, KeyValue, quick()).await.unwrap(), meddler, heads)
}

/// After a while the store tells the truth again.
async fn comes_back(bench: &Bench, meddler: &Meddler) -> Duration {
    bench.env.sleep(DEADLINE / 2).await;
    meddler.remember(None);
    bench.env.now()
}

pub(crate) async fn a_store_that_goes_back_for_a_while_is_waited_for() {
    let bench = Bench::new(1);
    let (journal, meddler, heads) = scene(&bench).await;
    for old in heads.into_iter().rev().skip(1) {
        let other = bench.open(quick()).await.unwrap();
        let committed = other.commit(Command::add("n", 1)).await.unwrap();
        meddler.remember(Some(old));
        let read = async {
            let read = journal.read(Freshness::Strong).await.unwrap();
            (read, bench.env.now())
        };
        let ((read, answered), back) = tokio::join!(read, comes_back(&bench, &meddler));
        assert!(answered >= back, "nothing is answered from an older head");
        assert_eq!(read.commit(), committed.commit);
    }
    goes_on(&bench, &journal, &[], "after it all").await;
}

/// Another's commit came first, and for a while the store shows a head of before
/// it: the loser's own base, or an older one.
pub(crate) async fn a_loser_does_not_believe_an_older_head() {
    let bench = Bench::new(1);
    let (journal, meddler, mut heads) = scene(&bench).await;
    for round in 0..6_i64 {
        let base = blob(&bench).await;
        journal.read(Freshness::Strong).await.unwrap();
        let other = bench.open(quick()).await.unwrap();
        add(&other, 1).await;
        heads.push(base);
        let at = heads.len() - 1 - usize::try_from(round).unwrap();
        meddler.remember(Some(heads[at].clone()));
        let (answer, _) =
            tokio::join!(journal.commit(Command::add("n", 1)), comes_back(&bench, &meddler));
        let sum = 5 + (round + 1) * 2;
        assert_eq!(answer.unwrap().reply, Reply::Sum(sum), "round {round}");
    }
    goes_on(&bench, &journal, &[], "after it all").await;
}

pub(crate) async fn a_head_that_was_away_for_a_moment_is_waited_for() {
    let bench = Bench::new(1);
    let journal = bench.create(5).await;
    let old = bench.body("head").await;
    add(&journal, 1).await;
    for (number, wrong) in (6..).zip([None, Some(old), Some("nothing of ours".into())]) {
        let operator = async {
            let right = bench.body("head").await;
            match wrong {
                Some(bytes) => bench.write("head", bytes).await,
                None => bench.remove("head").await,
            }
            bench.env.sleep(DEADLINE / 2).await;
            bench.write("head", right).await;
        };
        let late = async {
            bench.env.sleep(Duration::from_millis(1)).await;
            let read = journal.read(Freshness::Strong);
            let commit = journal.commit(Command::add("n", 1));
            let (read, commit) = tokio::join!(read, commit);
            assert!(read.unwrap().state().number("n") >= Some(number));
            assert_eq!(commit.unwrap().reply, Reply::Sum(number + 1));
        };
        tokio::join!(operator, late);
    }
    goes_on(&bench, &journal, &[], "after it all").await;
}
