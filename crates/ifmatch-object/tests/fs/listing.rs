//! Listings: order, prefixes, and what others do meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use ifmatch_core::{BlobKey, BlobPrefix, ConditionalBlobStore, Precondition};
use proptest::prelude::*;

use crate::support::{in_memory, key, keys, put, quick, scratch};

#[tokio::test]
async fn a_listing_is_in_byte_order_of_the_key() {
    let (_folder, store) = scratch();
    let mut names = ["a", "a/b", "a-b", "a.b", "a0", "a/b/c", "a/B", "A", "%41", "ab", "é", "a/é"];
    for name in names {
        put(&store, name, name).await.unwrap();
    }
    names.sort_unstable();
    assert_eq!(keys(&store, "", None).await, names);
    assert_eq!(keys(&store, "a", None).await, ["a/B", "a/b", "a/b/c", "a/é"]);
    assert_eq!(keys(&store, "a/", Some("a/B")).await, ["a/b", "a/b/c", "a/é"]);
    assert_eq!(keys(&store, "a", Some("a")).await.len(), 4);
    assert_eq!(keys(&store, "a/b", Some("a/b/c")).await, [""; 0]);
    assert_eq!(keys(&store, "missing", None).await, [""; 0]);
}

#[tokio::test]
async fn a_listing_of_many_pages_gives_each_key_once() {
    let (_folder, store) = scratch();
    let names: BTreeSet<_> = (0..700).map(|n| format!("{}/k{n}", n % 3)).collect();
    for name in &names {
        put(&store, name, "").await.unwrap();
    }
    assert_eq!(keys(&store, "", None).await, Vec::from_iter(names));
}

/// A segment of few letters, some long enough to be cut in the middle of an
/// escape.
fn segment() -> impl Strategy<Value = String> {
    let stem = prop_oneof![Just(0), Just(65), Just(66), Just(99)];
    (stem, "[aA.%-]{1,2}").prop_map(|(length, end)| "É".repeat(length) + &end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_listing_is_what_sorting_and_filtering_the_keys_gives(
        names in prop::collection::vec(prop::collection::vec(segment(), 1..4), 1..12),
        prefix in prop::collection::vec(segment(), 0..2),
        after in prop::option::of(prop::collection::vec(segment(), 1..4)),
    ) {
        let valid = |segments: &Vec<String>| BlobKey::new(segments.join("/")).ok();
        let names: BTreeSet<_> = names.iter().filter_map(valid).map(String::from).collect();
        let prefix = if prefix.is_empty() { None } else { valid(&prefix) };
        let prefix = prefix.map(String::from).unwrap_or_default();
        let after = after.as_ref().and_then(valid).map(String::from);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let listed = runtime.block_on(async {
            let (_folder, store) = scratch();
            for name in &names {
                put(&store, name, "").await.unwrap();
            }
            keys(&store, &prefix, after.as_deref()).await
        });
        let below = |name: &&String| {
            prefix.is_empty() || name.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with('/'))
        };
        let expected: Vec<_> = names
            .iter()
            .filter(below)
            .filter(|name| after.as_ref().is_none_or(|after| *name > after))
            .cloned()
            .collect();
        prop_assert_eq!(listed, expected);
    }
}

/// On a file system in memory reading a folder leaves names out that are
/// renamed over meanwhile; the store must not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_is_overwritten_all_the_time_is_listed() {
    let folder = in_memory();
    let store = quick(folder.path());
    let names: Vec<_> = (0..1500).map(|n| key(&format!("k{n:04}"))).collect();
    for name in &names {
        store.put(name, "0".into(), Precondition::Overwrite).await.unwrap();
    }
    let writer = {
        let (store, names) = (store.clone(), names.clone());
        tokio::spawn(async move {
            for name in names.iter().cycle() {
                store.put(name, "1".into(), Precondition::Overwrite).await.unwrap();
            }
        })
    };
    for _ in 0..40 {
        assert_eq!(keys(&store, "", None).await.len(), names.len());
    }
    writer.abort();
    assert!(writer.await.is_err_and(|ended| ended.is_cancelled()), "the writer failed");
}

/// As many writes go before 10 listings if nobody makes the writers wait.
const MANY: u64 = 20_000;

/// Writers that come one after another kept a listing waiting for half a
/// minute, as long as nobody made them wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_gets_its_turn_among_many_writers() {
    let (_folder, store) = scratch();
    let names: Vec<_> = (0..32).map(|n| key(&format!("k{n}"))).collect();
    for name in &names {
        store.put(name, "0".into(), Precondition::Overwrite).await.unwrap();
    }
    let writes = Arc::new(AtomicU64::new(0));
    for name in names.clone() {
        let (store, writes) = (store.clone(), writes.clone());
        tokio::spawn(async move {
            while writes.fetch_add(1, Ordering::Relaxed) < MANY {
                store.put(&name, "1".into(), Precondition::Overwrite).await.unwrap();
            }
        });
    }
    for _ in 0..10 {
        assert_eq!(keys(&store, "", None).await.len(), names.len());
    }
    let before = writes.swap(MANY, Ordering::Relaxed);
    assert!(before < MANY, "{before} writes went before 10 listings");
}

#[tokio::test]
async fn a_listing_holds_no_descriptor_between_its_pages() {
    let (_folder, store) = scratch();
    for n in 0..300 {
        put(&store, &format!("a/b/c/{n}"), "").await.unwrap();
    }
    let open = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let before = open();
    let prefix = BlobPrefix::root();
    let mut lists = Vec::new();
    for _ in 0..200 {
        let mut list = store.list(&prefix, None);
        list.next().await.unwrap().unwrap();
        lists.push(list);
    }
    // Other tests of this process open files too, but not hundreds.
    assert!(open() < before + 200, "{} after {before}", open());
}
