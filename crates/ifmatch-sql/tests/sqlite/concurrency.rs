//! Many at once: tasks, threads, handles, processes.

use std::collections::HashSet;
use std::process::{Child, Command};

use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition as Pre, Json, MetaStore, Scope};
use ifmatch_sql::{Durability, SqliteMetaStore, SqliteOptions};

use crate::support::{Bed, beds, body, content, key};

#[tokio::test(flavor = "multi_thread")]
async fn c5_one_winner_per_etag() {
    for Bed { store, name, .. } in beds().await {
        let key = key("p", "a");
        let mut current = store.put(&key, body(0), Pre::IfAbsent).await.unwrap().etag;
        for round in 0..10 {
            let tasks: Vec<_> = (0..32)
                .map(|task| {
                    let (store, key) = (store.clone(), key.clone());
                    tokio::spawn(async move {
                        store.put(&key, body(round * 100 + task), Pre::IfMatch(current)).await
                    })
                })
                .collect();
            let mut winners = Vec::new();
            for task in tasks {
                match task.await.unwrap() {
                    Ok(written) => winners.push(written.etag),
                    Err(error) => {
                        let there = error.conflict().expect("a conflict").current;
                        assert_ne!(there, Some(current), "{name}: it was still there");
                    }
                }
            }
            assert_eq!(winners.len(), 1, "{name}");
            current = winners[0];
            assert_eq!(store.get(&key).await.unwrap().unwrap().etag, current);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w10_six_threads_get_no_wrong_answer() {
    for Bed { store, name, .. } in beds().await {
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let store = store.clone();
                std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(async move {
                        for i in 0..15 {
                            let key = key("p", &format!("{thread}-{i}"));
                            let written = store.put(&key, body(i), Pre::IfAbsent).await.unwrap();
                            let found = store.get(&key).await.unwrap().unwrap();
                            assert_eq!((found.etag, found.body), (written.etag, body(i)));
                        }
                    });
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(store.count(&Scope::All).await.unwrap(), 90, "{name}");
    }
}

/// Adds one to a counter until it worked `times` times.
async fn count_up(store: &SqliteMetaStore, times: usize) {
    let key = key("p", "counter");
    for _ in 0..times {
        loop {
            let current = store.get(&key).await.unwrap().unwrap();
            let next = current.body.value().unwrap()["n"].as_u64().unwrap() + 1;
            match store.put(&key, body(next), Pre::IfMatch(current.etag)).await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), "conflict"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w10_no_increment_is_lost_between_two_handles_on_one_file() {
    let bed = Bed::threaded().await;
    bed.store.put(&key("p", "counter"), body(0), Pre::IfAbsent).await.unwrap();
    let path = bed.folder.path().join("meta.db");
    let other = SqliteMetaStore::open(path, SqliteOptions::default(), Env::real()).await.unwrap();
    let tasks: Vec<_> = [bed.store.clone(), other.clone(), bed.store.clone(), other]
        .into_iter()
        .map(|store| tokio::spawn(async move { count_up(&store, 50).await }))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let found = bed.store.get(&key("p", "counter")).await.unwrap().unwrap();
    assert_eq!(found.body, body(200));
}

const CHILD: &str = "IFMATCH_TEST_COUNTING_CHILD";

fn counting_child(path: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "concurrency::a_child_counts"])
        .env(CHILD, path)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_counts() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let options = SqliteOptions::default().durability(Durability::Process);
    let store = SqliteMetaStore::open(path, options, Env::real()).await.unwrap();
    count_up(&store, 50).await;
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn w1_no_increment_is_lost_between_processes() {
    let bed = Bed::threaded().await;
    bed.store.put(&key("p", "counter"), body(0), Pre::IfAbsent).await.unwrap();
    let path = bed.folder.path().join("meta.db");
    let children: Vec<_> = (0..4).map(|_| counting_child(&path)).collect();
    count_up(&bed.store, 50).await;
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let found = bed.store.get(&key("p", "counter")).await.unwrap().unwrap();
    assert_eq!(found.body, body(250));
}

/// How often this process has the file open.
#[cfg(target_os = "linux")]
fn descriptors(path: &std::path::Path) -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let links = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link == path).count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn w12_sixty_threads_share_a_bounded_number_of_connections() {
    let bed = Bed::open("thread", SqliteOptions::default().readers(3)).await;
    let path = bed.folder.path().join("meta.db").canonicalize().unwrap();
    let threads: Vec<_> = (0..60)
        .map(|thread| {
            let (store, path) = (bed.store.clone(), path.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async move {
                    let key = key("p", &thread.to_string());
                    store.put(&key, body(thread), Pre::IfAbsent).await.unwrap();
                    assert!(store.get(&key).await.unwrap().is_some());
                    assert!(store.count(&Scope::All).await.unwrap() > 0);
                    assert!(descriptors(&path) <= 4);
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    bed.store.close().await.unwrap();
    assert_eq!(descriptors(&path), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_write_of_a_group_takes_no_other_with_it() {
    let bed = Bed::threaded().await;
    bed.store.put(&key("p", "taken"), body(0), Pre::IfAbsent).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|i| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                let name = if i % 3 == 0 { "taken".to_owned() } else { i.to_string() };
                (i, store.put(&key("p", &name), body(i), Pre::IfAbsent).await)
            })
        })
        .collect();
    let mut expected = HashSet::from(["taken".to_owned()]);
    for task in tasks {
        let (i, result) = task.await.unwrap();
        if i % 3 == 0 {
            assert_eq!(result.unwrap_err().kind(), "conflict");
        } else {
            assert!(result.unwrap().created);
            expected.insert(i.to_string());
        }
    }
    let found: HashSet<_> = content(&bed.store, "p").await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_and_small_writes_mix() {
    let bed = Bed::threaded().await;
    let large = Json::new(format!("\"{}\"", "x".repeat(900_000))).unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|i| {
            let store = bed.store.clone();
            let body = if i % 4 == 0 { large.clone() } else { body(i) };
            tokio::spawn(
                async move { store.put(&key("p", &i.to_string()), body, Pre::IfAbsent).await },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(bed.store.count(&Scope::All).await.unwrap(), 40);
}
