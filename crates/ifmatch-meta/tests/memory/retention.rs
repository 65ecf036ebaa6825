//! How long deletions, changes and outcomes are remembered.

use std::time::Duration;

use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, Overwrite};
use ifmatch_meta::{AuditPosition, Features, MemoryMetaStore, MetaStore, Scope};

use super::{json, key, options, partition};

const WEEK: Duration = Duration::from_hours(24 * 7);

async fn commits(store: &MemoryMetaStore, partition: &str, count: usize) {
    for _ in 0..count {
        store.put(&key(partition, "busy"), json("1"), Overwrite).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_remembered_7_days_and_1_000_commits_whichever_is_longer() {
    let store = MemoryMetaStore::with(options());
    let begin = store.change_token(&Scope::All).await.unwrap();
    let graves = async || {
        let page = store.changes(&Scope::All, None, 100).await.unwrap();
        page.changes.iter().filter(|change| change.document().is_none()).count()
    };
    store.put(&key("p", "early"), json("1"), IfAbsent).await.unwrap();
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    store.delete(&key("p", "a"), IfExists).await.unwrap();
    let after = store.change_token(&Scope::All).await.unwrap();
    commits(&store, "q", 2_000).await;
    assert_eq!(graves().await, 1, "too many commits alone do not end it");
    store.env().sleep(WEEK).await;
    assert_eq!(graves().await, 1, "a read forgets nothing");
    commits(&store, "q", 1).await;
    assert_eq!(graves().await, 0);
    let error = store.changes(&Scope::All, Some(&begin), 1).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired");
    store.changes(&Scope::All, Some(&after), 1).await.unwrap();
    // Seven days alone do not end it either.
    store.delete(&key("p", "early"), IfExists).await.unwrap();
    store.env().sleep(WEEK * 2).await;
    commits(&store, "q", 999).await;
    assert_eq!(graves().await, 1);
    commits(&store, "q", 1).await;
    assert_eq!(graves().await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_begins_at_the_beginning_is_never_too_late() {
    let store = MemoryMetaStore::with(options());
    for id in ["a", "b", "c", "d"] {
        store.put(&key("p", id), json("1"), IfAbsent).await.unwrap();
    }
    store.delete(&key("p", "d"), IfExists).await.unwrap();
    let scope = Scope::Partition(partition("p"));
    let half = store.changes(&scope, None, 1).await.unwrap();
    // The deletion before it began is forgotten while it reads on.
    store.env().sleep(WEEK).await;
    commits(&store, "q", 1_001).await;
    let rest = store.changes(&scope, Some(&half.next), 1).await.unwrap();
    assert_eq!(rest.changes[0].key(), &key("p", "b"));
    // One that came after it began is one that it has to hear of.
    store.delete(&key("p", "a"), IfExists).await.unwrap();
    store.env().sleep(WEEK).await;
    commits(&store, "p", 1_001).await;
    let error = store.changes(&scope, Some(&rest.next), 1).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired");
    let anew = store.changes(&scope, None, 100).await.unwrap();
    assert_eq!(anew.changes.len(), 3);
    assert!(store.changes(&scope, Some(&anew.next), 1).await.unwrap().changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_partition_of_which_nothing_is_left_is_forgotten_but_not_its_commits() {
    let store = MemoryMetaStore::with(options());
    let scope = Scope::Partition(partition("p"));
    let begin = store.change_token(&scope).await.unwrap();
    let scan = ifmatch_meta::ScanOptions::default;
    let empty = store.scan(&partition("p"), scan()).await.unwrap().mark;
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    store.delete(&key("p", "a"), IfExists).await.unwrap();
    store.env().sleep(WEEK).await;
    commits(&store, "q", 1_001).await;
    let error = store.changes(&scope, Some(&begin), 1).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired");
    let anew = store.scan(&partition("p"), scan()).await.unwrap().mark;
    assert_ne!(empty, anew);
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let error = store.changes(&scope, Some(&begin), 1).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired");
}

#[tokio::test(start_paused = true)]
async fn c14_changes_are_recorded_as_long() {
    let store = MemoryMetaStore::with(options().features(Features::none().audit(true)));
    commits(&store, "p", 5).await;
    store.env().sleep(WEEK).await;
    commits(&store, "p", 1_001).await;
    let p = partition("p");
    let first = store.audit(&p, None, 1).await.unwrap()[0].at;
    assert!(first.position > 1 && first.position <= 6, "{first:?}");
    let error = store.audit(&p, Some(AuditPosition::default()), 1).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired");
    assert_eq!(store.audit(&p, Some(first), 1).await.unwrap()[0].at.position, first.position + 1);
}
