//! Many processes on one partition.

use std::sync::Arc;

use ifmatch_meta::{BlobMetaStore, DocPrecondition, MetaStore, Op, WriteOptions};

use crate::support::{World, json, key, partition, put, write};

#[tokio::test(start_paused = true)]
async fn c5_of_eight_processes_with_one_tag_exactly_one_wins() {
    let world = World::new(1);
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(world.store().await);
    }
    for round in 0..20 {
        let a = key("p", &format!("a{round}"));
        let first = write(&stores[0], ("p", a.id.as_str()), "0").await;
        let puts = stores.iter().enumerate().map(|(n, store)| {
            let if_match = DocPrecondition::IfMatch(first.etag);
            store.put(&a, json(&n.to_string()), if_match)
        });
        let answers = futures::future::join_all(puts).await;
        let won: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(lost.conflict().unwrap().current, Some(won[0].etag));
        }
    }
}

async fn add_one(store: &BlobMetaStore) {
    let counter = key("p", "counter");
    loop {
        let there = store.get(&counter).await.unwrap().unwrap();
        let next = there.body.value().unwrap().as_u64().unwrap() + 1;
        let if_match = DocPrecondition::IfMatch(there.etag);
        match store.put(&counter, json(&next.to_string()), if_match).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), "conflict"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn w1_no_acknowledged_update_of_eight_processes_is_lost() {
    let world = World::new(2);
    write(&world.store().await, ("p", "counter"), "0").await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let store = world.store().await;
        tasks.push(tokio::spawn(async move {
            for _ in 0..25 {
                add_one(&store).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let counter = world.store().await.get(&key("p", "counter")).await.unwrap().unwrap();
    assert_eq!(counter.body.as_str(), "200");
}

#[tokio::test(start_paused = true)]
async fn w19_writers_of_different_documents_never_conflict() {
    let world = World::new(3);
    let mut tasks = Vec::new();
    for n in 0..8 {
        let store = world.store().await;
        tasks.push(tokio::spawn(async move {
            let own = key("p", &format!("own{n}"));
            let mut expected = DocPrecondition::IfAbsent;
            for round in 0..20 {
                let written = store.put(&own, json(&round.to_string()), expected).await.unwrap();
                expected = DocPrecondition::IfMatch(written.etag);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn money_moved_by_batches_stays_the_same() {
    let world = World::new(4);
    let p = partition("bank");
    let accounts = (0..4).map(|n| put(&format!("a{n}"), "100")).collect();
    world.store().await.batch(&p, accounts).await.unwrap();
    let moved = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let mut tasks = Vec::new();
    for n in 0..6_u64 {
        let (store, p, moved) = (world.store().await, p.clone(), Arc::clone(&moved));
        tasks.push(tokio::spawn(async move {
            for round in 0..30_u64 {
                let (from, to) = ((n + round) % 4, (n * 3 + round / 2 + 1) % 4);
                if from == to {
                    continue;
                }
                let mut ops = Vec::new();
                for (account, change) in [(from, -1), (to, 1)] {
                    let at = key("bank", &format!("a{account}"));
                    let there = store.get(&at).await.unwrap().unwrap();
                    let next = there.body.value().unwrap().as_i64().unwrap() + change;
                    let if_match = DocPrecondition::IfMatch(there.etag);
                    ops.push(Op::put(at.id, json(&next.to_string()), if_match));
                }
                if store.batch_with(&p, ops, WriteOptions::default()).await.is_ok() {
                    moved.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let page = world.store().await.scan(&p, ifmatch_meta::ScanOptions::default()).await.unwrap();
    let sum: i64 = page.documents.iter().map(|at| at.body.value().unwrap().as_i64().unwrap()).sum();
    assert_eq!(sum, 400);
    assert!(moved.load(std::sync::atomic::Ordering::Relaxed) > 0);
}
