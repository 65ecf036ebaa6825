//! What it costs, request by request.

use std::time::Duration;

use ifmatch_core::Operation;
use ifmatch_meta::{BlobMetaOptions, Cost, DocPrecondition, MetaStore, Scope};

use crate::support::{World, json, key, partition, put, write};

const PUT: (Operation, &str) = (Operation::Put, "applied");
const SAME: (Operation, &str) = (Operation::Get, "not_modified");

#[tokio::test(start_paused = true)]
async fn a_warm_write_is_one_put_and_a_warm_read_one_get_without_a_body() {
    let world = World::new(1);
    let store = world.store().await;
    let first = write(&store, ("p", "a"), "1").await;
    world.asked();
    let second = write(&store, ("p", "a"), "2").await;
    assert_eq!(world.asked(), [PUT]);
    assert_eq!(second.cost.requests, 1);
    assert!(second.cost.bytes_up > 100 && second.cost.bytes_down == 0);
    store.get(&key("p", "a")).await.unwrap();
    store.scan(&partition("p"), ifmatch_meta::ScanOptions::default()).await.unwrap();
    store.count(&Scope::Partition(partition("p"))).await.unwrap();
    assert_eq!(world.asked(), [SAME, SAME, SAME]);
    let stale = DocPrecondition::IfMatch(first.etag);
    assert_eq!(store.put(&key("p", "a"), json("3"), stale).await.unwrap_err().kind(), "conflict");
    assert_eq!(world.asked(), [SAME]);
    let ops = (0..100).map(|n| put(&format!("b{n}"), "1")).collect();
    let applied = store.batch(&partition("p"), ops).await.unwrap();
    assert_eq!(world.asked(), [PUT]);
    let costs: Vec<u64> = applied
        .iter()
        .map(|at| match at {
            ifmatch_meta::Applied::Written(written) => written.cost.requests,
            _ => 0,
        })
        .collect();
    assert_eq!((costs[0], costs[1..].iter().sum()), (1, 0_u64));
    store.delete(&key("p", "a"), DocPrecondition::IfExists).await.unwrap();
    assert_eq!(world.asked(), [PUT]);
    // Nothing to do costs a proof that it is so.
    store.delete(&key("p", "a"), DocPrecondition::Overwrite).await.unwrap();
    assert_eq!(world.asked(), [SAME]);
}

#[tokio::test(start_paused = true)]
async fn the_first_write_to_a_partition_makes_it() {
    let world = World::new(1);
    let store = world.store().await;
    world.asked();
    let written = write(&store, ("p", "a"), "1").await;
    let asked = world.asked();
    assert_eq!(asked.iter().filter(|asked| **asked == PUT).count(), 2, "{asked:?}");
    assert!(asked.len() <= 5, "{asked:?}");
    assert_eq!(written.cost.requests, asked.len() as u64);
    // To open it costs its head.
    let cold = world.store().await;
    world.asked();
    cold.get(&key("p", "a")).await.unwrap();
    assert_eq!(world.asked(), [(Operation::Get, "found")]);
    let cold = world.store().await;
    world.asked();
    let written = write(&cold, ("p", "a"), "2").await;
    assert_eq!(world.asked(), [(Operation::Get, "found"), PUT]);
    assert_eq!(written.cost.requests, 2);
}

#[tokio::test(start_paused = true)]
async fn writes_at_the_same_time_share_a_put_and_the_sum_of_costs_is_true() {
    let world = World::new(1);
    let store = world.store().await;
    write(&store, ("p", "a"), "0").await;
    world.log.take();
    let mut sum = Cost::default();
    for round in 0..20 {
        let keys: Vec<_> = (0..10).map(|n| key("p", &format!("d{n}"))).collect();
        let puts = keys.iter().enumerate().map(|(n, key)| {
            let body = format!("\"{}\"", "x".repeat(100 * n + round));
            store.put(key, json(&body), DocPrecondition::Overwrite)
        });
        for written in futures::future::join_all(puts).await {
            sum += written.unwrap().cost;
        }
    }
    // What maintains the journal in the background is reported by the next write.
    tokio::time::sleep(Duration::from_secs(1)).await;
    sum += write(&store, ("p", "a"), "1").await.cost;
    let totals = world.log.totals();
    assert!(totals.requests < 120, "{totals:?}");
    assert_eq!((sum.requests, sum.bytes_up), (totals.requests, totals.bytes_up));
}

#[tokio::test(start_paused = true)]
async fn reads_at_the_same_time_share_a_get() {
    let world = World::new(1);
    let store = world.store().await;
    write(&store, ("p", "a"), "1").await;
    world.asked();
    let a = key("p", "a");
    futures::future::join_all((0..50).map(|_| store.get(&a))).await;
    assert!(world.asked().len() <= 2);
}

#[tokio::test(start_paused = true)]
async fn reads_may_be_as_old_as_asked_for_and_no_older() {
    let world = World::new(1);
    let writer = world.store().await;
    write(&writer, ("p", "a"), "1").await;
    let options = BlobMetaOptions::create().max_staleness(Duration::from_secs(5));
    let store = world.open(options).await;
    let a = key("p", "a");
    assert_eq!(store.get(&a).await.unwrap().unwrap().body.as_str(), "1");
    write(&writer, ("p", "a"), "2").await;
    world.asked();
    assert_eq!(store.get(&a).await.unwrap().unwrap().body.as_str(), "1");
    assert!(world.asked().is_empty());
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(store.get(&a).await.unwrap().unwrap().body.as_str(), "2");
    // A conflict is never out of what was remembered.
    write(&writer, ("p", "b"), "1").await;
    let late = store.put(&key("p", "b"), json("2"), DocPrecondition::IfAbsent).await;
    assert_eq!(late.unwrap_err().kind(), "conflict");
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_has_caught_up_costs_one_get_without_a_body_per_partition() {
    let world = World::new(1);
    let store = world.store().await;
    for name in ["p", "q"] {
        write(&store, (name, "a"), "1").await;
    }
    let scope = Scope::Partition(partition("p"));
    let page = store.changes(&scope, None, 9).await.unwrap();
    world.asked();
    let again = store.changes(&scope, Some(&page.next), 9).await.unwrap();
    assert!(again.changes.is_empty() && !again.more);
    assert_eq!(world.asked(), [SAME]);
    let page = store.changes(&Scope::All, None, 9).await.unwrap();
    world.asked();
    store.changes(&Scope::All, Some(&page.next), 9).await.unwrap();
    assert_eq!(world.asked(), [(Operation::List, "sent"), SAME, SAME]);
    // A process that holds neither reads their heads alone.
    let cold = world.store().await;
    world.asked();
    cold.changes(&Scope::All, Some(&page.next), 9).await.unwrap();
    let found = (Operation::Get, "found");
    assert_eq!(world.asked(), [(Operation::List, "sent"), found, found]);
}
