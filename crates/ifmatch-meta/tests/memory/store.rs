//! Documents, batches, limits, names, handles.

use futures::FutureExt as _;
use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, IfMatch, Overwrite};
use ifmatch_meta::{
    Applied, Features, Index, IndexName, MemoryMetaStore, MetaStore, Op, ScanOptions, Scope,
    WriteOptions,
};

use super::{env, id, json, key, options, partition, store};

#[tokio::test]
async fn c1_every_write_answers_a_new_tag_and_get_tells_it() {
    let store = store();
    let mut seen = Vec::new();
    for text in ["1", "1", "2"] {
        let written = store.put(&key("p", "a"), json(text), Overwrite).await.unwrap();
        assert!(!seen.contains(&written.etag));
        seen.push(written.etag);
        let document = store.get(&key("p", "a")).await.unwrap().unwrap();
        assert_eq!((document.etag, document.body.as_str()), (written.etag, text));
    }
    let deleted = store.delete(&key("p", "a"), IfMatch(seen[2])).await.unwrap();
    assert_eq!(deleted.etag, Some(seen[2]));
    let again = store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    assert!(again.created && !seen.contains(&again.etag));
}

#[tokio::test]
async fn c6_a_conflict_carries_what_is_there() {
    let store = store();
    let first = store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let second = store.put(&key("p", "a"), json("2"), IfMatch(first.etag)).await.unwrap();
    for pre in [IfAbsent, IfMatch(first.etag)] {
        let error = store.put(&key("p", "a"), json("3"), pre).await.unwrap_err();
        let conflict = error.conflict().unwrap();
        assert_eq!(conflict.current, Some(second.etag));
        assert_eq!(conflict.body.as_ref().unwrap().as_str(), "2");
    }
    let error = store.delete(&key("p", "b"), IfMatch(first.etag)).await.unwrap_err();
    assert_eq!((error.kind(), error.conflict().unwrap().current), ("conflict", None));
}

#[tokio::test]
async fn a_batch_is_one_commit_or_nothing() {
    let store = store();
    let p = partition("p");
    let ops = vec![
        Op::put(id("a"), json("1"), IfAbsent),
        Op::put(id("b"), json("2"), IfAbsent),
        Op::delete(id("c"), Overwrite),
    ];
    let applied = store.batch(&p, ops).await.unwrap();
    let Applied::Written(first) = &applied[0] else { panic!("{applied:?}") };
    let Applied::Deleted(third) = &applied[2] else { panic!("{applied:?}") };
    assert_eq!((first.position, third.position), (1, 1));
    let ops = vec![
        Op::put(id("a"), json("9"), Overwrite),
        Op::delete(id("b"), Overwrite),
        Op::check(id("z"), IfExists),
    ];
    let error = store.batch(&p, ops).await.unwrap_err();
    assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(2)));
    let page = store.scan(&p, ScanOptions::default()).await.unwrap();
    let bodies: Vec<_> = page.documents.iter().map(|document| document.body.as_str()).collect();
    assert_eq!(bodies, ["1", "2"]);
    // What changes nothing commits nothing.
    let none = store.batch(&p, vec![Op::delete(id("z"), Overwrite)]).await.unwrap();
    let Applied::Deleted(none) = &none[0] else { panic!("{none:?}") };
    assert_eq!(none.position, 1);
    assert_eq!(store.put(&key("p", "a"), json("3"), Overwrite).await.unwrap().position, 2);
}

#[tokio::test]
async fn a_mark_holds_until_its_partition_changes() {
    let (store, p) = (store(), partition("p"));
    let empty = store.scan(&p, ScanOptions::default()).await.unwrap().mark;
    let unchanged = |since| vec![Op::Unchanged { since }];
    store.batch(&p, unchanged(empty.clone())).await.unwrap();
    store.put(&key("q", "a"), json("1"), IfAbsent).await.unwrap();
    store.batch(&p, unchanged(empty.clone())).await.unwrap();
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let error = store.batch(&p, unchanged(empty)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(0)));
    let mark = store.scan(&p, ScanOptions::default()).await.unwrap().mark;
    let other = MemoryMetaStore::new(env());
    drop(other.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap());
    let mut ops = unchanged(mark.clone());
    ops.push(Op::put(id("b"), json("2"), IfAbsent));
    store.batch(&p, ops.clone()).await.unwrap();
    assert_eq!(store.batch(&p, ops).await.unwrap_err().kind(), "conflict");
    let strange = MemoryMetaStore::with(options().env(ifmatch_core::Simulation::seeded(8).env()));
    let error = strange.batch(&p, unchanged(mark)).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
}

#[tokio::test]
async fn pages_go_on_in_both_directions_and_survive_writes() {
    let (store, p) = (store(), partition("p"));
    for n in 0..10 {
        store.put(&key("p", &format!("{n}")), json("1"), IfAbsent).await.unwrap();
    }
    for descending in [false, true] {
        let mut scan = ScanOptions::default().ids("1".."9").limit(3);
        if descending {
            scan = scan.descending();
        }
        let mut seen = Vec::new();
        loop {
            let page = store.scan(&p, scan.clone()).await.unwrap();
            seen.extend(page.documents.iter().map(|document| document.key.id.to_string()));
            store.put(&key("p", "5"), json("2"), Overwrite).await.unwrap();
            let Some(next) = page.next else { break };
            scan = scan.after(next);
        }
        let mut expected: Vec<String> = (1..9).map(|n| n.to_string()).collect();
        if descending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn t28_a_range_in_which_nothing_can_be_is_an_empty_page() {
    use std::ops::Bound::{self, Excluded, Included};
    let (store, p) = (store(), partition("p"));
    store.put(&key("p", "m"), json("1"), IfAbsent).await.unwrap();
    let bounds = ["l", "m", "n"].map(|id| [Included(id), Excluded(id)]);
    let bounds: Vec<Bound<&str>> = bounds.into_iter().flatten().chain([Bound::Unbounded]).collect();
    for lower in &bounds {
        for upper in &bounds {
            let holds = std::ops::RangeBounds::<str>::contains(&(*lower, *upper), "m");
            for scan in [ScanOptions::default(), ScanOptions::default().descending()] {
                let page = store.scan(&p, scan.ids((*lower, *upper))).await.unwrap();
                assert_eq!(page.documents.len(), usize::from(holds), "{lower:?} {upper:?}");
            }
        }
    }
}

#[tokio::test]
async fn w22_counts_are_fresh_and_leave_ours_out() {
    let store = store();
    let ours = ifmatch_meta::DocKey::internal("p", "ifmatch.x").unwrap();
    let all_ours = ifmatch_meta::DocKey::internal("ifmatch.q", "a").unwrap();
    for key in [&key("p", "a"), &key("q", "a"), &ours, &all_ours] {
        store.put(key, json("1"), IfAbsent).await.unwrap();
    }
    let count = async |scope| store.count(&scope).await.unwrap();
    assert_eq!(count(Scope::All).await, 2);
    assert_eq!(count(Scope::Partition(partition("p"))).await, 1);
    assert_eq!(store.partitions(None, 10).await.unwrap(), [partition("p"), partition("q")]);
    store.delete(&key("p", "a"), IfExists).await.unwrap();
    assert_eq!(count(Scope::All).await, 1);
    assert_eq!(store.partitions(None, 10).await.unwrap(), [partition("q")]);
    assert_eq!(store.partitions(Some(&partition("q")), 10).await.unwrap(), []);
    let page = store.scan(&partition("p"), ScanOptions::default()).await.unwrap();
    assert!(page.documents.is_empty());
    store.delete(&ours, IfExists).await.unwrap();
    assert_eq!(count(Scope::All).await, 1);
}

#[tokio::test]
async fn a_partition_may_not_outgrow_its_limit() {
    let store = MemoryMetaStore::with(options().partition_bytes(10));
    store.put(&key("p", "a"), json("12345"), IfAbsent).await.unwrap();
    let error = store.put(&key("p", "b"), json("12345"), IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "too_large");
    store.put(&key("p", "b"), json("123"), IfAbsent).await.unwrap();
    store.put(&key("q", "b"), json("12345"), IfAbsent).await.unwrap();
    store.put(&key("p", "a"), json("54321"), Overwrite).await.unwrap();
    let error = store.put(&key("p", "a"), json("543210"), Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "too_large");
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "54321");
    store.delete(&key("p", "a"), IfExists).await.unwrap();
    store.put(&key("p", "b"), json("123456789"), Overwrite).await.unwrap();
}

#[tokio::test]
async fn w23_one_name_is_one_store_for_all_and_a_close_ends_one_opening() {
    let one = MemoryMetaStore::shared("w23", options());
    let two = MemoryMetaStore::shared("w23", options());
    let other = MemoryMetaStore::shared("w23-other", options());
    one.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let by = std::thread::spawn({
        let two = two.clone();
        move || two.count(&Scope::All).now_or_never().unwrap().unwrap()
    });
    assert_eq!((by.join().unwrap(), other.count(&Scope::All).await.unwrap()), (1, 0));
    let clone = one.clone();
    one.close().await.unwrap();
    one.close().await.unwrap();
    assert_eq!(clone.get(&key("p", "a")).await.unwrap_err().kind(), "closed");
    let error = clone.put(&key("p", "a"), json("1"), Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "closed");
    assert_eq!(two.count(&Scope::All).await.unwrap(), 1);
    drop((one, two, clone));
    assert_eq!(MemoryMetaStore::shared("w23", options()).count(&Scope::All).await.unwrap(), 0);
}

#[tokio::test]
async fn c11_the_author_is_that_of_the_write_else_the_stores() {
    let store = MemoryMetaStore::with(options().author("store"));
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let ann = WriteOptions::default().author("ann").return_document();
    let written = store.put_with(&key("p", "b"), json("1"), IfAbsent, ann).await.unwrap();
    assert_eq!(written.document.unwrap().updated_by.as_deref(), Some("ann"));
    let a = store.get(&key("p", "a")).await.unwrap().unwrap();
    assert_eq!(a.updated_by.as_deref(), Some("store"));
}

#[tokio::test]
async fn there_are_no_indexes_and_the_store_says_so() {
    let store = MemoryMetaStore::with(options().features(Features::none().indexes(true)));
    assert!(!store.features().indexes);
    let index = Index { name: IndexName::new("a").unwrap(), field: ifmatch_meta::Field::Id };
    assert_eq!(store.create_index(&index).await.unwrap_err().kind(), "unsupported");
    assert_eq!(store.drop_index(&index.name).await.unwrap_err().kind(), "unsupported");
    assert_eq!(store.indexes().await.unwrap(), []);
}
