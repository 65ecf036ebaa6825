//! Every public future dropped at every poll: the store goes on working, and
//! nothing is half applied.

use std::future::Future;

use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition as Pre, MetaStore, ScanOptions, Scope};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};

use crate::support::{Bed, DropAfter, beds, body, content, key, partition, put};

/// Drops the future at its first poll, its second, ... until it is ready
/// before; says how often it was dropped.
async fn at_every_poll<F: Future>(mut future: impl FnMut(usize) -> F) -> usize {
    let mut dropped = 0;
    for polls in 0..50 {
        match DropAfter::polls(polls, future(polls)).await {
            None => dropped += 1,
            Some(_) => return dropped,
        }
    }
    panic!("never ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_write_is_applied_as_a_whole_or_not_at_all() {
    for Bed { store, name, .. } in beds().await {
        let p = partition("p");
        for round in 0..20 {
            let dropped = at_every_poll(|polls| {
                let ops = (0..5)
                    .map(|i| put(&i.to_string(), round * 100 + polls, Pre::Overwrite))
                    .collect();
                let (store, p) = (store.clone(), p.clone());
                async move { store.batch(&p, ops).await.unwrap() }
            })
            .await;
            assert!(dropped >= 1);
            let bodies: Vec<_> = content(&store, "p").await.into_iter().map(|(_, b)| b).collect();
            assert_eq!(bodies.len(), 5, "{name}");
            assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {bodies:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_works_after_any_future_was_dropped() {
    for Bed { store, .. } in beds().await {
        let k = key("p", "a");
        store.put(&k, body(0), Pre::IfAbsent).await.unwrap();
        for _ in 0..20 {
            at_every_poll(|_| store.put(&k, body(1), Pre::Overwrite)).await;
            at_every_poll(|_| store.get(&k)).await;
            at_every_poll(|_| store.scan(&k.partition, ScanOptions::default())).await;
            at_every_poll(|_| store.count(&Scope::All)).await;
            at_every_poll(|_| store.partitions(None, 10)).await;
            at_every_poll(|_| store.local().call(|connection| Ok(connection.is_autocommit())))
                .await;
        }
        at_every_poll(|_| store.delete(&k, Pre::Overwrite)).await;
        store.put(&k, body(2), Pre::IfAbsent).await.unwrap();
        assert_eq!(store.get(&k).await.unwrap().unwrap().body, body(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_is_lost_to_a_dropped_scan() {
    let bed = Bed::open("thread", SqliteOptions::default().readers(2)).await;
    let p = partition("p");
    for i in 0..100 {
        bed.store.put(&key("p", &i.to_string()), body(i), Pre::IfAbsent).await.unwrap();
    }
    for _ in 0..200 {
        let scan = bed.store.scan(&p, ScanOptions::default());
        assert!(DropAfter::polls(1, scan).await.is_none_or(|page| page.is_ok()));
    }
    assert_eq!(bed.store.scan(&p, ScanOptions::default()).await.unwrap().documents.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_opening_leaves_a_whole_file_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    at_every_poll(|_| SqliteMetaStore::open(path.clone(), SqliteOptions::default(), Env::real()))
        .await;
    let store = SqliteMetaStore::open(&path, SqliteOptions::default(), Env::real()).await.unwrap();
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_close_can_be_asked_for_again() {
    for Bed { store, .. } in beds().await {
        store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
        at_every_poll(|_| store.close()).await;
        store.close().await.unwrap();
        assert_eq!(store.get(&key("p", "a")).await.unwrap_err().kind(), "closed");
    }
}
