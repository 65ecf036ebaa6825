//! What stays small, however long a journal lives.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use ifmatch_core::{BlobKey, ConditionalBlobStore, GetOptions};
use ifmatch_journal::kv::Command;
use ifmatch_journal::{Freshness, Options, Resolution};

use super::Place;

/// Nobody waits for a store that is near.
const NEAR: Duration = Duration::ZERO;

#[tokio::test(start_paused = true)]
async fn a_cold_open_after_10000_commits_takes_at_most_12_requests() {
    let place = Place::new(3, NEAR);
    let journal = place.open(Options::create()).await;
    let mut most = 0;
    for number in 0..10_000_u32 {
        let (key, value) = (format!("key {}", number % 2_000), vec![7; 100]);
        journal.commit(Command::put(key, value)).await.unwrap();
        if number % 500 == 0 || number > 9_950 {
            place.store.log().take();
            let reader = place.open(Options::open()).await;
            most = most.max(place.store.log().take().len());
            let here = journal.read(Freshness::Cached).await.unwrap();
            let there = reader.read(Freshness::Cached).await.unwrap();
            assert_eq!(here.state(), there.state());
        }
    }
    println!("at most {most} requests; {:?}", journal.totals());
    assert!(most <= 12, "{most} requests");
}

async fn keeps_its_head_small(commits: u64) {
    let place = Place::new(4, NEAR);
    let journal = place.open(Options::create().tail(2 << 10)).await;
    let mut ids = Vec::new();
    for number in 0..commits {
        let committed = journal.commit(Command::add("n", 1)).await.unwrap();
        if number % (commits / 50) == 0 {
            ids.push((committed.commit, number + 1));
        }
        if number % 1_000 == 0 {
            place.store.log().take();
        }
    }
    journal.checkpoint().await.unwrap();
    let head = BlobKey::new("head").unwrap();
    let body = place.store.get(&head, GetOptions::new()).await.unwrap().found().unwrap().body;
    println!("{commits} commits: a head of {} bytes; {:?}", body.len(), journal.totals());
    assert!(body.len() < 2048 + (2 << 10) + 2048, "{} bytes", body.len());
    // Every commit of the past is still known, by few requests.
    let reader = place.open(Options::open()).await;
    for (id, sum) in ids {
        place.store.log().take();
        assert_eq!(reader.resolve(id).await.unwrap(), Resolution::Committed);
        let requests = place.store.log().take().len();
        assert!(requests <= 6, "{requests} requests");
        let then = reader.state_at(id.seq).await.unwrap();
        assert_eq!(then.number("n"), i64::try_from(sum).ok());
    }
    let first: Vec<_> = reader.log(commits).try_collect().await.unwrap();
    assert!(first.iter().all(|record| record.seq > commits));
    let near: Arc<dyn ConditionalBlobStore> = Arc::new(place.store.clone());
    let single = ifmatch_journal::Place::single().unwrap();
    let verified = ifmatch_journal::verify(near, single).await.unwrap();
    println!("{verified:?}");
    assert_eq!((verified.damaged.len(), verified.first), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_head_stays_small_over_20000_commits() {
    keeps_its_head_small(20_000).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "nightly: a million commits"]
async fn a_head_stays_small_over_a_million_commits() {
    keeps_its_head_small(1_000_000).await;
}
