//! The feed and the record of changes: nothing is missed, and what is forgotten
//! is said to be.

use std::collections::BTreeMap;
use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_meta::{
    AuditPosition, Change, ChangeToken, DocPrecondition as Pre, ETag, Error, MetaStore, Op, Result,
    Scope,
};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};

use crate::support::{Bed, body, id, key, partition, put};

/// Deletes and puts until the store looks for what may be forgotten.
async fn go_on(store: &SqliteMetaStore, commits: usize) {
    for i in 0..commits {
        store.put(&key("noise", "x"), body(i), Pre::Overwrite).await.unwrap();
    }
}

/// Makes everything in a table look as old as the epoch.
async fn age(store: &SqliteMetaStore, table: &str, column: &str) {
    let sql = format!("UPDATE {table} SET {column} = 0");
    store.local().write(move |connection| Ok(connection.execute(&sql, [])?)).await.unwrap();
}

async fn tombstones(store: &SqliteMetaStore) -> usize {
    let changes = store.changes(&Scope::All, None, 10_000).await.unwrap().changes;
    changes.iter().filter(|change| matches!(change, Change::Deleted { .. })).count()
}

fn memory(options: SqliteOptions) -> SqliteMetaStore {
    SqliteMetaStore::open_in_memory(options, Env::real()).unwrap()
}

#[tokio::test]
async fn deletions_are_remembered_for_7_days_and_1000_commits() {
    let store = memory(SqliteOptions::default());
    let p = partition("p");
    for name in ["a", "b"] {
        store.put(&key("p", name), body(1), Pre::IfAbsent).await.unwrap();
    }
    let before = store.change_token(&Scope::Partition(p.clone())).await.unwrap();
    store.delete(&key("p", "a"), Pre::IfExists).await.unwrap();
    age(&store, "_ifmatch_tombstones", "deleted_at").await;
    go_on(&store, 990).await;
    assert_eq!(tombstones(&store).await, 1, "within 1,000 commits");
    // A young one stays whatever comes after it, and all that came before it too.
    store.delete(&key("p", "b"), Pre::IfExists).await.unwrap();
    go_on(&store, 128).await;
    assert_eq!(tombstones(&store).await, 1, "the old one is forgotten");
    let expired = store.changes(&Scope::Partition(p.clone()), Some(&before), 10).await;
    assert_eq!(expired.unwrap_err().kind(), "token_expired");
    go_on(&store, 1_100).await;
    assert_eq!(tombstones(&store).await, 1, "within 7 days");
}

#[tokio::test]
async fn whoever_begins_after_a_trim_reads_to_the_end() {
    let store = memory(SqliteOptions::default());
    for i in 0..20 {
        store.put(&key("old", &i.to_string()), body(i), Pre::IfAbsent).await.unwrap();
    }
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    store.delete(&key("p", "a"), Pre::IfExists).await.unwrap();
    age(&store, "_ifmatch_tombstones", "deleted_at").await;
    go_on(&store, 1_100).await;
    assert_eq!(tombstones(&store).await, 0);
    for scope in [Scope::All, Scope::Partition(partition("old"))] {
        let (mut token, mut seen): (Option<ChangeToken>, _) = (None, 0);
        loop {
            // All of its documents are older than what is forgotten.
            let page = store.changes(&scope, token.as_ref(), 3).await.unwrap();
            seen += page.changes.len();
            token = Some(page.next.to_string().parse().unwrap());
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, if scope == Scope::All { 21 } else { 20 });
    }
    // But not one who stops, while more is forgotten, and goes on.
    let page = store.changes(&Scope::All, None, 3).await.unwrap();
    store.delete(&key("old", "0"), Pre::IfExists).await.unwrap();
    age(&store, "_ifmatch_tombstones", "deleted_at").await;
    go_on(&store, 1_100).await;
    let late = store.changes(&Scope::All, Some(&page.next), 3).await;
    assert_eq!(late.unwrap_err().kind(), "token_expired");
}

#[tokio::test]
async fn c14_the_record_is_kept_as_long_and_its_end_is_told() {
    let store = memory(SqliteOptions::default().audit(true));
    let p = partition("p");
    for i in 0..5 {
        store.put(&key("p", "a"), body(i), Pre::Overwrite).await.unwrap();
    }
    let first = store.audit(&p, None, 2).await.unwrap();
    assert_eq!(first.len(), 2);
    age(&store, "_ifmatch_audit", "at").await;
    go_on(&store, 1_100).await;
    let expired = store.audit(&p, Some(first[1].at), 10).await;
    assert_eq!(expired.unwrap_err().kind(), "token_expired");
    assert_eq!(store.audit(&p, None, 10).await.unwrap(), []);
    let noise = store.audit(&partition("noise"), None, 10_000).await.unwrap();
    assert!(noise.len() >= 1_000, "{}", noise.len());
    let last = AuditPosition { position: noise[9].at.position, ordinal: 0 };
    let rest = store.audit(&partition("noise"), Some(last), 10_000).await.unwrap();
    assert_eq!(rest, noise[10..]);
}

#[tokio::test]
async fn a_mark_from_before_a_trim_is_not_trusted() {
    let store = memory(SqliteOptions::default());
    let p = partition("p");
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    let mark = store.scan(&p, ifmatch_meta::ScanOptions::default()).await.unwrap().mark;
    let ops = || vec![Op::Unchanged { since: mark.clone() }, put("b", 1, Pre::Overwrite)];
    go_on(&store, 10).await;
    // Changes elsewhere do not matter.
    store.batch(&p, ops()).await.unwrap();
    assert_eq!(store.batch(&p, ops()).await.unwrap_err().kind(), "conflict");
    store.delete(&key("p", "b"), Pre::IfExists).await.unwrap();
    age(&store, "_ifmatch_tombstones", "deleted_at").await;
    go_on(&store, 1_100).await;
    assert_eq!(store.batch(&p, ops()).await.unwrap_err().kind(), "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_a_busy_store_ends_with_what_is_there() {
    let bed = Bed::threaded().await;
    let writers: Vec<_> = (0..4)
        .map(|task| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                for i in 0..100 {
                    let name = (i * 7 + task) % 13;
                    let op = match (i + task) % 4 {
                        0 => Op::delete(id(&name.to_string()), Pre::Overwrite),
                        _ => put(&name.to_string(), i, Pre::Overwrite),
                    };
                    let name = format!("p{}", i % 3);
                    store.batch(&partition(&name), vec![op]).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen = BTreeMap::new();
    let mut token = None;
    loop {
        let ended = writers.iter().all(tokio::task::JoinHandle::is_finished);
        token = Some(follow(&bed.store, &mut seen, token).await.unwrap());
        if ended {
            break;
        }
    }
    let mut there = BTreeMap::new();
    follow(&bed.store, &mut there, None).await.unwrap();
    assert_eq!(seen, there);
    assert!(!there.is_empty());
}

async fn follow(
    store: &SqliteMetaStore,
    seen: &mut BTreeMap<String, (ETag, u64)>,
    mut token: Option<ChangeToken>,
) -> Result<ChangeToken, Error> {
    loop {
        let page = store.changes(&Scope::All, token.as_ref(), 5).await?;
        for change in &page.changes {
            let name = change.key().to_string();
            match change.document() {
                Some(document) => {
                    let before = seen.insert(name, (document.etag, change.position()));
                    assert!(before.is_none_or(|(_, position)| position < change.position()));
                }
                None => drop(seen.remove(&name)),
            }
        }
        if !page.more {
            return Ok(page.next);
        }
        token = Some(page.next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_a_change_of_this_process_or_of_another() {
    let bed = Bed::threaded().await;
    let other = SqliteMetaStore::open(
        bed.folder.path().join("meta.db"),
        SqliteOptions::default(),
        Env::real(),
    )
    .await
    .unwrap();
    for writer in [&bed.store, &other] {
        let scope = Scope::Partition(partition("p"));
        let token = bed.store.change_token(&scope).await.unwrap();
        let waiting = {
            let (store, scope, token) = (bed.store.clone(), scope.clone(), token.clone());
            tokio::spawn(async move {
                store.wait_for_change(&scope, &token, Duration::from_mins(10)).await;
            })
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        writer.put(&key("q", "a"), body(1), Pre::Overwrite).await.unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert!(!waiting.is_finished(), "another partition");
        writer.put(&key("p", "a"), body(1), Pre::Overwrite).await.unwrap();
        waiting.await.unwrap();
        assert_eq!(bed.store.changes(&scope, Some(&token), 10).await.unwrap().changes.len(), 1);
    }
}
