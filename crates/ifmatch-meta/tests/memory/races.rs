//! Many tasks on one store.

use std::sync::Arc;

use futures::future::join_all;
use ifmatch_core::{Env, RetryPolicy};
use ifmatch_meta::DocPrecondition::{IfAbsent, IfMatch, Overwrite};
use ifmatch_meta::{
    Edit, Error, Json, MemoryMetaStore, MetaStore, Op, ScanOptions, WriteOptions, update,
};

use super::{id, json, key, partition, store};

fn shared() -> Arc<MemoryMetaStore> {
    Arc::new(MemoryMetaStore::new(Env::real()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c5_of_32_tasks_with_one_tag_one_wins() {
    let store = shared();
    let mut etag = store.put(&key("p", "a"), json("0"), IfAbsent).await.unwrap().etag;
    for _ in 0..200 {
        let write = |task: u32| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store.put(&key("p", "a"), Json::of(&task).unwrap(), IfMatch(etag)).await
            })
        };
        let answers = join_all((0..32).map(write)).await;
        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        let won: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(lost.conflict().unwrap().current, Some(won[0].etag));
        }
        etag = won[0].etag;
        assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().etag, etag);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn c10_8_tasks_add_1_200_times_each_and_nothing_is_lost() {
    let store = shared();
    let task = |_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..200 {
                let key = key("p", "counter");
                update(&*store, &key, RetryPolicy::new(), WriteOptions::default(), |current| {
                    let count = current.map_or(Ok(0), |there| there.body.decode::<u64>())?;
                    Ok::<_, Error>(Edit::Put(Json::of(&(count + 1))?))
                })
                .await
                .unwrap();
            }
        })
    };
    join_all((0..8).map(task)).await.into_iter().for_each(Result::unwrap);
    let counter = store.get(&key("p", "counter")).await.unwrap().unwrap();
    assert_eq!(counter.body.decode::<u64>().unwrap(), 1_600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w10_six_tasks_write_and_every_answer_is_true() {
    let store = shared();
    let task = |task: usize| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..15 {
                let key = key("p", &format!("{task}-{n}"));
                store.put(&key, json("1"), IfAbsent).await.unwrap();
                assert!(store.get(&key).await.unwrap().is_some());
            }
        })
    };
    join_all((0..6).map(task)).await.into_iter().for_each(Result::unwrap);
    assert_eq!(store.count(&ifmatch_meta::Scope::All).await.unwrap(), 90);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn w11_an_iterator_survives_writes_and_sees_what_stays_once() {
    use futures::TryStreamExt as _;
    let (store, p) = (shared(), partition("p"));
    for n in 0..500 {
        store.put(&key("p", &format!("stays-{n:03}")), json("0"), IfAbsent).await.unwrap();
    }
    let writer = tokio::spawn({
        let (store, p) = (Arc::clone(&store), p.clone());
        async move {
            for n in 0..5_000_u32 {
                let stays = id(&format!("stays-{:03}", n % 500));
                let goes = id(&format!("goes-{:03}", n % 50));
                let mut ops = vec![Op::put(stays, Json::of(&n).unwrap(), Overwrite)];
                ops.push(match n % 2 {
                    0 => Op::put(goes, json("1"), Overwrite),
                    _ => Op::delete(goes, Overwrite),
                });
                store.batch(&p, ops).await.unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let scan = ScanOptions::default().limit(7);
        let documents = store.documents(&p, scan).try_collect::<Vec<_>>().await.unwrap();
        let ids: Vec<_> = documents.iter().map(|there| there.key.id.as_str()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(ids.iter().filter(|id| id.starts_with("stays")).count(), 500);
    }
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_is_the_state_at_one_moment() {
    let (store, p) = (shared(), partition("p"));
    let write = async |store: &MemoryMetaStore, n: u32| {
        let put = |name| Op::put(id(name), Json::of(&n).unwrap(), Overwrite);
        store.batch(&p, vec![put("a"), put("m"), put("z")]).await.unwrap();
    };
    write(&store, 0).await;
    let reader = tokio::spawn({
        let (store, p) = (Arc::clone(&store), p.clone());
        async move {
            for _ in 0..3_000 {
                let page = store.scan(&p, ScanOptions::default()).await.unwrap();
                let first = &page.documents[0].body;
                assert!(page.documents.iter().all(|document| document.body == *first));
                tokio::task::yield_now().await;
            }
        }
    });
    let mut n = 0;
    while !reader.is_finished() {
        n += 1;
        write(&store, n).await;
        tokio::task::yield_now().await;
    }
    reader.await.unwrap();
}

/// A task that only called the store never let another one run.
#[tokio::test]
async fn w10_calls_in_a_loop_let_others_write() {
    let store = Arc::new(store());
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.put(&key("p", "a"), json("1"), Overwrite).await })
    };
    while !writer.is_finished() {
        store.get(&key("p", "a")).await.unwrap();
    }
    writer.await.unwrap().unwrap();
}
