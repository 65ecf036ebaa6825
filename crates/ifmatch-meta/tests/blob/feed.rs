//! The change feed on blobs.

use std::collections::BTreeMap;
use std::time::Duration;

use ifmatch_meta::{BlobMetaOptions, Change, ChangeToken, DocPrecondition, MetaStore, Scope};

use crate::support::{World, key, partition, put, write};

/// What a reader knows who goes from token to token.
#[derive(Default)]
struct Copy {
    documents: BTreeMap<String, String>,
    token: Option<ChangeToken>,
}

impl Copy {
    /// Reads to the end; how many pages it took.
    async fn catch_up(&mut self, store: &dyn MetaStore, scope: &Scope, limit: usize) -> usize {
        for pages in 1.. {
            let page = store.changes(scope, self.token.as_ref(), limit).await.unwrap();
            assert!(page.changes.len() <= limit);
            for change in page.changes {
                let name = change.key().to_string();
                match change {
                    Change::Written { document, .. } => {
                        self.documents.insert(name, document.body.as_str().to_owned());
                    }
                    Change::Deleted { .. } => {
                        self.documents.remove(&name);
                    }
                }
            }
            self.token = Some(page.next.to_string().parse().unwrap());
            if !page.more {
                return pages;
            }
        }
        unreachable!()
    }
}

#[tokio::test(start_paused = true)]
async fn each_document_is_told_once_in_the_order_of_commits() {
    let world = World::new(1);
    let store = world.store().await;
    let scope = Scope::Partition(partition("p"));
    store.batch(&partition("p"), vec![put("c", "1"), put("a", "1"), put("b", "1")]).await.unwrap();
    write(&store, ("p", "c"), "2").await;
    store.delete(&key("p", "a"), DocPrecondition::IfExists).await.unwrap();
    write(&store, ("p", "ifmatch.x"), "2").await;
    let page = store.changes(&scope, None, 9).await.unwrap();
    let ids: Vec<_> = page.changes.iter().map(|change| change.key().id.as_str()).collect();
    assert_eq!(ids, ["b", "c", "a"]);
    assert!(page.changes[2].document().is_none() && !page.more);
    for limit in 1..4 {
        let (mut told, mut token) = (Vec::new(), None);
        loop {
            let page = store.changes(&scope, token.as_ref(), limit).await.unwrap();
            told.extend(page.changes.iter().map(|change| change.key().id.as_str().to_owned()));
            token = Some(page.next);
            if !page.more {
                break;
            }
        }
        assert_eq!(told, ids);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_ends_with_what_is_there_whoever_writes_meanwhile() {
    let world = World::new(1);
    let scope = Scope::All;
    let mut tasks = Vec::new();
    for n in 0..4_u64 {
        let store = world.store().await;
        tasks.push(tokio::spawn(async move {
            for round in 0..40_u64 {
                let (name, id) = (["p", "q", "r"][(round % 3) as usize], (n + round * 7) % 9);
                let id = format!("d{id}");
                if round % 4 == 3 {
                    let any = DocPrecondition::Overwrite;
                    store.delete(&key(name, &id), any).await.unwrap();
                } else {
                    write(&store, (name, &id), &format!("[{n},{round}]")).await;
                }
                tokio::time::sleep(Duration::from_millis(n * 3 + 1)).await;
            }
        }));
    }
    let (reader, mut copy) = (world.store().await, Copy::default());
    while tasks.iter().any(|task| !task.is_finished()) {
        copy.catch_up(&reader, &scope, 3).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    copy.catch_up(&reader, &scope, 3).await;
    let mut there = BTreeMap::new();
    let fresh = world.store().await;
    for p in fresh.partitions(None, 9).await.unwrap() {
        let page = fresh.scan(&p, ifmatch_meta::ScanOptions::default()).await.unwrap();
        there.extend(
            page.documents
                .into_iter()
                .map(|document| (document.key.to_string(), document.body.as_str().to_owned())),
        );
    }
    assert!(there.len() > 5);
    assert_eq!(copy.documents, there);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_now_hears_only_of_what_comes_later_and_of_new_partitions() {
    let world = World::new(1);
    let store = world.store().await;
    write(&store, ("p", "a"), "1").await;
    let token = store.change_token(&Scope::All).await.unwrap();
    write(&store, ("p", "b"), "1").await;
    write(&store, ("new", "c"), "1").await;
    let page = store.changes(&Scope::All, Some(&token), 9).await.unwrap();
    let mut names: Vec<_> = page.changes.iter().map(|change| change.key().to_string()).collect();
    names.sort_unstable();
    assert_eq!(names, ["new/c", "p/b"]);
    let other = World::new(2).store().await;
    let foreign = other.changes(&Scope::All, Some(&token), 9).await.unwrap_err();
    assert_eq!(foreign.kind(), "invalid");
    let scope = Scope::Partition(partition("q"));
    assert_eq!(store.changes(&scope, Some(&token), 9).await.unwrap_err().kind(), "invalid");
}

#[tokio::test(start_paused = true)]
async fn no_partition_that_always_has_news_keeps_the_others_out() {
    let world = World::new(1);
    let store = world.store().await;
    for name in ["a", "b", "c"] {
        write(&store, (name, "d"), "0").await;
    }
    let mut token = store.change_token(&Scope::All).await.unwrap();
    write(&store, ("c", "d"), "1").await;
    for _ in 0..12 {
        write(&store, ("a", "d"), "1").await;
        let page = store.changes(&Scope::All, Some(&token), 1).await.unwrap();
        token = page.next;
        if page.changes[0].key().partition.as_str() == "c" {
            return;
        }
    }
    panic!("c was never heard of");
}

/// What becomes of a token when the head goes back to an earlier one, and
/// perhaps on again.
async fn after_a_rewind(commits: usize) -> (&'static str, &'static str) {
    let world = World::new(1);
    let store = world.store().await;
    let scope = Scope::Partition(partition("p"));
    write(&store, ("p", "a"), "1").await;
    let early = store.changes(&scope, None, 9).await.unwrap().next;
    let head = world.body("heads/p").await.unwrap();
    write(&store, ("p", "b"), "2").await;
    write(&store, ("p", "c"), "3").await;
    let late = store.changes(&scope, None, 9).await.unwrap().next;
    world.put_back("heads/p", head).await;
    let fresh = world.store().await;
    for n in 0..commits {
        write(&fresh, ("p", &format!("other{n}")), "1").await;
    }
    let mut kinds = Vec::new();
    for token in [early, late] {
        let page = fresh.changes(&scope, Some(&token), 200).await;
        kinds.push(page.map_or_else(|error| error.kind(), |_| "page"));
    }
    (kinds[0], kinds[1])
}

#[tokio::test(start_paused = true)]
async fn a_token_of_commits_that_are_no_longer_there_is_expired() {
    for commits in [0, 1, 2, 3, 10, 200] {
        assert_eq!(after_a_rewind(commits).await, ("page", "token_expired"), "{commits}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_was_made_anew_expires_its_tokens() {
    let world = World::new(1);
    let store = world.store().await;
    let scope = Scope::Partition(partition("p"));
    write(&store, ("p", "a"), "1").await;
    let token = store.changes(&scope, None, 9).await.unwrap().next;
    let head = ifmatch_core::BlobKey::new("heads/p").unwrap();
    world.blobs.delete(&head, ifmatch_core::Precondition::Overwrite).await.unwrap();
    let fresh = world.store().await;
    let gone = fresh.changes(&scope, Some(&token), 9).await.unwrap_err();
    assert_eq!(gone.kind(), "token_expired");
    let gone = fresh.changes(&Scope::All, Some(&token), 9).await.unwrap_err();
    assert_eq!(gone.kind(), "token_expired");
    write(&fresh, ("p", "b"), "1").await;
    let other = fresh.changes(&scope, Some(&token), 9).await.unwrap_err();
    assert_eq!(other.kind(), "token_expired");
    assert_eq!(fresh.changes(&scope, None, 9).await.unwrap().changes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn deletions_are_forgotten_after_the_history_and_a_new_reader_still_gets_through() {
    let world = World::new(1);
    let store = world.store().await;
    let scope = Scope::Partition(partition("p"));
    store
        .batch(&partition("p"), vec![put("old", "1"), put("a", "1"), put("b", "1")])
        .await
        .unwrap();
    let before = store.changes(&scope, None, 9).await.unwrap().next;
    store.delete(&key("p", "old"), DocPrecondition::IfExists).await.unwrap();
    let mut half = None;
    for n in 0..1_100 {
        if n == 500 {
            half = Some(store.changes(&scope, None, 9).await.unwrap().next);
        }
        write(&store, ("p", "busy"), &n.to_string()).await;
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    let expired = store.changes(&scope, Some(&before), 9).await.unwrap_err();
    assert_eq!(expired.kind(), "token_expired");
    assert!(store.changes(&scope, half.as_ref(), 9).await.is_ok());
    let told = store.changes(&scope, None, 9).await.unwrap();
    assert!(told.changes.iter().all(|change| change.document().is_some()));
    let mut copy = Copy::default();
    assert_eq!(copy.catch_up(&store, &scope, 1).await, 3);
    assert_eq!(copy.documents.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_a_change_or_in_time() {
    let world = World::new(1);
    let (store, other) = (world.open(BlobMetaOptions::create()).await, world.store().await);
    write(&store, ("p", "a"), "1").await;
    let scope = Scope::Partition(partition("p"));
    let token = store.change_token(&scope).await.unwrap();
    let (began, long) = (world.env.now(), Duration::from_mins(1));
    store.wait_for_change(&scope, &token, long).await;
    assert_eq!(world.env.now().saturating_sub(began), long);
    let began = world.env.now();
    let later = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        write(&other, ("p", "a"), "2").await;
    };
    tokio::join!(store.wait_for_change(&scope, &token, long), later);
    assert!(world.env.now().saturating_sub(began) < Duration::from_secs(6));
    assert_eq!(store.changes(&scope, Some(&token), 9).await.unwrap().changes.len(), 1);
}
