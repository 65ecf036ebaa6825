//! A future that is dropped, after any number of polls, leaves nothing half
//! done and nobody stuck.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::poll;
use ifmatch_meta::query::field;
use ifmatch_meta::{
    BlobMetaStore, DocPrecondition, MetaStore, Query, ScanOptions, Scope, TxBackend,
};

use crate::support::{World, json, key, partition, put, write};
use crate::transactions::{LIFE, id, putting};

/// Polls a future so often, then drops it; whether it had ended.
async fn drop_after<T>(future: impl Future<Output = T>, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll!(&mut future).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// Drops call after call, and uses the store after each.
async fn drops<F: AsyncFn(&BlobMetaStore, usize)>(call: F) {
    for polls in 0..12 {
        for warm in [false, true] {
            let world = World::new(polls as u64);
            let first = world.with_transactions().await;
            let ops = vec![put("a", "0"), put("b", "0")];
            first.batch(&partition("p"), ops).await.unwrap();
            let store = world.with_transactions().await;
            if warm {
                store.get(&key("p", "a")).await.unwrap();
            }
            call(&store, polls).await;
            let there = |id: &'static str| {
                let store = store.clone();
                async move { store.get(&key("p", id)).await.unwrap().map(|at| at.body) }
            };
            tokio::time::timeout(LIFE * 3, async {
                // A batch is there as a whole or not at all.
                assert_eq!(there("x").await, there("y").await);
                let any = DocPrecondition::Overwrite;
                while store.put(&key("p", "b"), json("1"), any.clone()).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(500)).await; // A lock that was left.
                }
                assert_eq!(there("b").await, Some(json("1")));
                store.close().await.unwrap();
            })
            .await
            .expect("somebody is stuck");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn writes_can_be_dropped() {
    drops(async |store, polls| {
        let body = json("1");
        drop_after(store.put(&key("p", "a"), body, DocPrecondition::Overwrite), polls).await;
    })
    .await;
    drops(async |store, polls| {
        drop_after(store.delete(&key("p", "a"), DocPrecondition::IfExists), polls).await;
    })
    .await;
    drops(async |store, polls| {
        let ops = vec![put("x", "1"), put("y", "1")];
        drop_after(store.batch(&partition("p"), ops), polls).await;
    })
    .await;
    drops(async |store, polls| {
        let none = DocPrecondition::IfAbsent;
        drop_after(store.put(&key("new", "a"), json("1"), none), polls).await;
        write(store, ("new", "b"), "1").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn reads_can_be_dropped() {
    drops(async |store, polls| {
        drop_after(store.get(&key("p", "a")), polls).await;
        drop_after(store.scan(&partition("p"), ScanOptions::default()), polls).await;
        drop_after(store.partitions(None, 9), polls).await;
        drop_after(store.count(&Scope::All), polls).await;
        drop_after(store.query(&Scope::All, &Query::filter(field("/a").exists())), polls).await;
        drop_after(store.changes(&Scope::All, None, 9), polls).await;
        drop_after(store.change_token(&Scope::All), polls).await;
        let token = store.change_token(&Scope::All).await.unwrap();
        drop_after(store.wait_for_change(&Scope::All, &token, LIFE), polls).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn transactions_can_be_dropped() {
    drops(async |store, polls| {
        drop_after(store.begin(&partition("p"), &id("tx"), LIFE), polls).await;
        drop_after(store.find(&id("tx")), polls).await;
        drop_after(store.outcome(&id("tx"), None), polls).await;
    })
    .await;
    drops(async |store, polls| {
        let tx = store.begin(&partition("p"), &id("tx"), LIFE).await.unwrap().address;
        drop_after(store.stage(&tx, 0, Bytes::from_static(b"1")), polls).await;
        drop_after(store.staged(&tx), polls).await;
        // Whatever became of the first, one of these goes on with it.
        let again = store.stage(&tx, 0, Bytes::from_static(b"1")).await;
        again.unwrap();
        drop_after(store.abort(&tx), polls).await;
    })
    .await;
    drops(async |store, polls| {
        let tx = store.begin(&partition("p"), &id("tx"), LIFE).await.unwrap().address;
        let commit = putting(store, "a", "7").await;
        if !drop_after(store.commit(&tx, commit.clone()), polls).await {
            let (position, _) = store.commit(&tx, commit.clone()).await.unwrap();
            assert_eq!(store.commit(&tx, commit).await.unwrap().0, position);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_polls_does_not_keep_a_store_from_closing() {
    let world = World::new(1);
    let store = world.store().await;
    write(&store, ("p", "a"), "1").await;
    let a = key("p", "a");
    let mut idle = Box::pin(store.get(&a));
    assert!(poll!(&mut idle).is_pending());
    tokio::time::timeout(Duration::from_mins(1), store.close()).await.unwrap().unwrap();
    drop(idle);
}
