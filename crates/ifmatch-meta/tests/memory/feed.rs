//! The change feed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use ifmatch_core::{Env, Simulation};
use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, Overwrite};
use ifmatch_meta::{
    Change, DocKey, ETag, Json, MemoryMetaStore, MetaStore, Op, Scope, WriteOptions,
};

use super::{id, json, key, partition, store};

/// What a reader holds who goes by what he was told.
#[derive(Default)]
struct Copy {
    documents: BTreeMap<DocKey, ETag>,
    /// The newest commit that was told of each partition.
    told: BTreeMap<String, u64>,
}

impl Copy {
    fn take(&mut self, change: &Change) {
        let told = self.told.entry(change.key().partition.to_string()).or_default();
        assert!(*told <= change.position(), "an older commit after a newer one");
        *told = change.position();
        match change {
            Change::Written { document, .. } => {
                self.documents.insert(document.key.clone(), document.etag);
            }
            Change::Deleted { tombstone, .. } => {
                self.documents.remove(&tombstone.key);
            }
        }
    }
}

async fn there(store: &MemoryMetaStore, scope: &Scope) -> BTreeMap<DocKey, ETag> {
    let mut found = BTreeMap::new();
    for partition in store.partitions(None, usize::MAX).await.unwrap() {
        if matches!(scope, Scope::Partition(only) if *only != partition) {
            continue;
        }
        let all = ifmatch_meta::ScanOptions::default().limit(usize::MAX);
        let page = store.scan(&partition, all).await.unwrap();
        found.extend(page.documents.into_iter().map(|there| (there.key, there.etag)));
    }
    found
}

#[tokio::test]
async fn a_document_is_told_once_in_its_newest_state_in_the_order_of_commits() {
    let store = store();
    let p = partition("p");
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let ops = ["c", "b"].map(|name| Op::put(id(name), json("1"), IfAbsent)).to_vec();
    store.batch(&p, ops).await.unwrap();
    store.put(&key("q", "x"), json("1"), IfAbsent).await.unwrap();
    store.put(&key("p", "a"), json("2"), Overwrite).await.unwrap();
    let bob = WriteOptions::default().author("bob");
    let gone = store.delete_with(&key("p", "c"), IfExists, bob).await.unwrap();
    let told = |page: &ifmatch_meta::ChangePage| -> Vec<(String, u64, bool)> {
        let told = page.changes.iter();
        told.map(|c| (c.key().to_string(), c.position(), c.document().is_some())).collect()
    };
    let page = store.changes(&Scope::All, None, 100).await.unwrap();
    let expected = [("p/b", 2, true), ("q/x", 3, true), ("p/a", 4, true), ("p/c", 5, false)];
    assert_eq!(told(&page), expected.map(|(key, at, there)| (key.to_owned(), at, there)));
    assert!(!page.more);
    let Change::Deleted { tombstone, .. } = &page.changes[3] else { panic!("{page:?}") };
    assert_eq!(Some(tombstone.deleted_etag), gone.etag);
    assert_eq!(tombstone.deleted_by.as_deref(), Some("bob"));
    let only = Scope::Partition(p);
    let page = store.changes(&only, None, 100).await.unwrap();
    assert_eq!(told(&page).iter().map(|told| told.1).collect::<Vec<_>>(), [2, 4, 5]);
    // A token of now is followed by what comes later only.
    let now = store.change_token(&only).await.unwrap();
    assert!(store.changes(&only, Some(&now), 1).await.unwrap().changes.is_empty());
    store.put(&key("p", "c"), json("3"), IfAbsent).await.unwrap();
    let page = store.changes(&only, Some(&now), 10).await.unwrap();
    assert_eq!(told(&page), [("p/c".to_owned(), 6, true)]);
    let all = store.changes(&Scope::All, None, 100).await.unwrap();
    assert!(all.changes.iter().all(|change| change.document().is_some()));
}

#[tokio::test]
async fn pages_of_one_change_split_a_commit_and_lose_nothing() {
    let store = store();
    let ops = (0..5).map(|n| Op::put(id(&format!("{}", 9 - n)), json("1"), IfAbsent)).collect();
    store.batch(&partition("p"), ops).await.unwrap();
    for scope in [Scope::All, Scope::Partition(partition("p"))] {
        let (mut token, mut ids) = (None, Vec::new());
        loop {
            let page = store.changes(&scope, token.as_ref(), 1).await.unwrap();
            ids.extend(page.changes.iter().map(|change| change.key().id.to_string()));
            assert_eq!(page.more, ids.len() < 5);
            if !page.more {
                break;
            }
            token = Some(page.next.to_string().parse().unwrap());
        }
        assert_eq!(ids, ["9", "8", "7", "6", "5"]);
    }
}

#[tokio::test]
async fn a_page_ends_after_4_mib_of_bodies() {
    let store = store();
    let body = Json::of(&"x".repeat(1_000_000)).unwrap();
    for n in 0..7 {
        store.put(&key("p", &format!("{n}")), body.clone(), IfAbsent).await.unwrap();
    }
    let page = store.changes(&Scope::All, None, 100).await.unwrap();
    assert_eq!((page.changes.len(), page.more), (5, true));
    let rest = store.changes(&Scope::All, Some(&page.next), 100).await.unwrap();
    assert_eq!((rest.changes.len(), rest.more), (2, false));
}

#[tokio::test]
async fn ours_are_not_told_and_foreign_tokens_are_refused() {
    let store = store();
    for (partition, id) in [("p", "ifmatch.x"), ("ifmatch.p", "a"), ("p", "a")] {
        let key = DocKey::internal(partition, id).unwrap();
        store.put(&key, json("1"), IfAbsent).await.unwrap();
    }
    let p = Scope::Partition(partition("p"));
    for scope in [&Scope::All, &p] {
        let page = store.changes(scope, None, 10).await.unwrap();
        assert_eq!(page.changes.len(), 1);
        assert_eq!(page.changes[0].key(), &key("p", "a"));
    }
    let other = MemoryMetaStore::new(Simulation::seeded(8).env());
    let token = other.change_token(&Scope::All).await.unwrap();
    let refused = |error: ifmatch_meta::Error| assert_eq!(error.kind(), "invalid");
    refused(store.changes(&Scope::All, Some(&token), 1).await.unwrap_err());
    let all = store.change_token(&Scope::All).await.unwrap();
    refused(store.changes(&p, Some(&all), 1).await.unwrap_err());
    let only = store.change_token(&p).await.unwrap();
    refused(store.changes(&Scope::All, Some(&only), 1).await.unwrap_err());
    refused(store.changes(&Scope::Partition(partition("q")), Some(&only), 1).await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_goes_from_token_to_token_ends_with_what_is_there() {
    let store = Arc::new(MemoryMetaStore::new(Env::real()));
    let write = |task: u64| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let random = Simulation::seeded(task).env();
            for _ in 0..2_000 {
                let draw = random.random_u64();
                let name = |bits: u64| id(&format!("{}", bits % 40));
                let op = |bits: u64| match bits % 3 {
                    0 => Op::delete(name(bits >> 2), Overwrite),
                    _ => Op::put(name(bits >> 2), Json::of(&bits).unwrap(), Overwrite),
                };
                let ops = (0..=draw % 3).map(|n| op(draw >> (8 * n + 2))).collect();
                let partition = partition(["p", "q", "r"][usize::from(draw.to_le_bytes()[5] % 3)]);
                store.batch(&partition, ops).await.unwrap();
                if draw.is_multiple_of(16) {
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let read = |scope: Scope, limit: usize, done: tokio::sync::watch::Receiver<bool>| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let (mut copy, mut token) = (Copy::default(), None);
            loop {
                // Asked before reading: what came before the end is in the answer.
                let last = *done.borrow();
                let page = store.changes(&scope, token.as_ref(), limit).await.unwrap();
                page.changes.iter().for_each(|change| copy.take(change));
                let (more, next) = (page.more, page.next);
                if !more && last {
                    return copy.documents == there(&store, &scope).await;
                }
                if !more {
                    let wait = Duration::from_millis(20);
                    store.wait_for_change(&scope, &next, wait).await;
                }
                token = Some(next);
            }
        })
    };
    let (done, watch) = tokio::sync::watch::channel(false);
    let scopes = [Scope::All, Scope::Partition(partition("q")), Scope::All];
    let readers: Vec<_> = scopes
        .into_iter()
        .zip([1, 3, 100])
        .map(|(s, limit)| read(s, limit, watch.clone()))
        .collect();
    join_all((0..4).map(write)).await.into_iter().for_each(Result::unwrap);
    done.send(true).unwrap();
    for reader in join_all(readers).await {
        assert!(reader.unwrap(), "the copy is not what is there");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiter_hears_of_a_change_in_its_scope_and_of_no_other() {
    let store = store();
    let clock = store.env().clone();
    let p = Scope::Partition(partition("p"));
    let token = store.change_token(&p).await.unwrap();
    let began = clock.now();
    // Another partition's change is none.
    let noise = async {
        clock.sleep(Duration::from_secs(1)).await;
        store.put(&key("q", "a"), json("1"), IfAbsent).await.unwrap();
    };
    futures::join!(store.wait_for_change(&p, &token, Duration::from_secs(5)), noise);
    assert!(clock.now().saturating_sub(began) >= Duration::from_secs(5));
    let began = clock.now();
    let change = async {
        clock.sleep(Duration::from_secs(1)).await;
        store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    };
    futures::join!(store.wait_for_change(&p, &token, Duration::from_hours(1)), change);
    assert!(clock.now().saturating_sub(began) < Duration::from_secs(2));
    // Half of a commit was told: there is more, though no newer commit.
    let ops = ["x", "y"].map(|name| Op::put(id(name), json("1"), IfAbsent)).to_vec();
    store.batch(&partition("p"), ops).await.unwrap();
    let half = store.changes(&p, Some(&token), 2).await.unwrap();
    assert!(half.more);
    store.wait_for_change(&p, &half.next, Duration::from_hours(1)).await;
    // What changed before the wait ends it at once, and so does a close.
    store.wait_for_change(&p, &token, Duration::from_hours(1)).await;
    let token = store.change_token(&p).await.unwrap();
    let close = async {
        clock.sleep(Duration::from_secs(1)).await;
        store.close().await.unwrap();
    };
    futures::join!(store.wait_for_change(&p, &token, Duration::from_hours(1)), close);
    assert!(clock.now().saturating_sub(began) < Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_hears_of_everything_and_soon() {
    use futures::StreamExt as _;
    use ifmatch_meta::watch;

    let store = Arc::new(store());
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..50 {
                store.env().sleep(Duration::from_millis(100)).await;
                store.put(&key("p", &format!("d{}", n % 7)), json("1"), Overwrite).await.unwrap();
            }
            store.delete(&key("p", "d0"), IfExists).await.unwrap();
        })
    };
    let began = store.env().now();
    let mut copy = Copy::default();
    // Notices wake it: it need not wait for its pace.
    let mut pages = watch(&*store, Scope::All, None, Duration::from_hours(1));
    let there = loop {
        let page = pages.next().await.unwrap().unwrap();
        assert!(!page.changes.is_empty());
        page.changes.iter().for_each(|change| copy.take(change));
        if writer.is_finished() {
            break there(&store, &Scope::All).await;
        }
    };
    assert_eq!(copy.documents, there);
    assert!(store.env().now().saturating_sub(began) < Duration::from_mins(1));
}
