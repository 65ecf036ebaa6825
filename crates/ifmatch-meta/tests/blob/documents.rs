//! What documents on blobs mean.

use futures::TryStreamExt as _;
use ifmatch_core::{BlobPrefix, Operation};
use ifmatch_journal::{Journal, Options, kv::KeyValue};
use ifmatch_meta::query::field;
use ifmatch_meta::{
    AggregateOf, Aggregation, BlobMetaOptions, BlobMetaStore, Changed, DocPrecondition, Limits,
    MetaStore, Op, Query, ScanOptions, Scope, WriteOptions,
};

use crate::support::{World, json, key, partition, put, write};

#[tokio::test(start_paused = true)]
async fn a_document_is_written_read_replaced_and_deleted() {
    let world = World::new(1);
    let store = world.open(BlobMetaOptions::create().author("ann")).await;
    let a = key("p", "a");
    let odd = "{ \"n\" : 1.10,\n \"ä\":[] }";
    let first = store.put(&a, json(odd), DocPrecondition::IfAbsent).await.unwrap();
    assert!(first.created);
    let again = store.put(&a, json("1"), DocPrecondition::IfAbsent).await.unwrap_err();
    assert_eq!(again.conflict().unwrap().current, Some(first.etag));
    let read = store.get(&a).await.unwrap().unwrap();
    assert_eq!((read.body.as_str(), read.etag), (odd, first.etag));
    assert_eq!(read.updated_by.as_deref(), Some("ann"));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let if_match = DocPrecondition::IfMatch(first.etag);
    let by_bob = WriteOptions::default().author("bob").return_document();
    let second = store.put_with(&a, json("2"), if_match.clone(), by_bob).await.unwrap();
    assert!(!second.created && second.position > first.position);
    let document = *second.document.unwrap();
    assert_eq!(document.created_at, read.created_at);
    assert!(document.updated_at > read.updated_at);
    assert_eq!(document.updated_by.as_deref(), Some("bob"));
    // Another process sees the same, and so does a later one.
    let other = world.store().await;
    assert_eq!(other.get(&a).await.unwrap().unwrap(), document);
    assert_eq!(store.get_if_changed(&a, &second.etag).await.unwrap(), Changed::Unchanged);
    assert_eq!(store.delete(&a, if_match).await.unwrap_err().kind(), "conflict");
    let gone = other.delete(&a, DocPrecondition::IfExists).await.unwrap();
    assert_eq!(gone.etag, Some(second.etag));
    assert_eq!(store.get(&a).await.unwrap(), None);
    let nothing = store.delete(&a, DocPrecondition::Overwrite).await.unwrap();
    assert_eq!((nothing.etag, nothing.position), (None, gone.position));
    let anew = write(&store, ("p", "a"), "3").await;
    assert!(anew.created && anew.etag != first.etag);
    assert!(store.get(&a).await.unwrap().unwrap().created_at > read.created_at);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_applied_as_a_whole_or_not_at_all() {
    let world = World::new(1);
    let store = world.store().await;
    let p = partition("p");
    let first = store.batch(&p, vec![put("a", "{\"n\":1}"), put("b", "2")]).await.unwrap();
    let tag = first[0].etag().unwrap();
    let id = |id: &str| key("p", id).id;
    let ops = vec![
        Op::patch(id("a"), json("{\"m\":3}"), DocPrecondition::IfMatch(tag)),
        Op::delete(id("b"), DocPrecondition::IfExists),
        Op::check(id("b"), DocPrecondition::IfAbsent),
        Op::put(id("c"), json("4"), DocPrecondition::IfAbsent),
    ];
    store.batch(&p, ops.clone()).await.unwrap();
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), r#"{"m":3,"n":1}"#);
    let mark = store.scan(&p, ScanOptions::default()).await.unwrap().mark;
    let error = store.batch(&p, ops).await.unwrap_err();
    assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(0)));
    store.batch(&p, vec![Op::Unchanged { since: mark.clone() }]).await.unwrap();
    write(&store, ("p", "d"), "1").await;
    let error = store.batch(&p, vec![Op::Unchanged { since: mark }]).await.unwrap_err();
    assert_eq!(error.kind(), "conflict");
    let patched = store
        .patch(&key("p", "none"), json("{}"), DocPrecondition::Overwrite, WriteOptions::default())
        .await;
    assert_eq!(patched.unwrap_err().operation_index(), None);
}

#[tokio::test(start_paused = true)]
async fn reading_creates_nothing_and_neither_does_a_write_that_is_refused() {
    let world = World::new(1);
    let store = world.store().await;
    let (p, a) = (partition("p"), key("p", "a"));
    let there = || async {
        let listed = world.blobs.list(&BlobPrefix::root(), None).try_collect::<Vec<_>>().await;
        listed.unwrap().len()
    };
    assert_eq!(there().await, 1);
    assert_eq!(store.get(&a).await.unwrap(), None);
    let page = store.scan(&p, ScanOptions::default()).await.unwrap();
    assert!(page.documents.is_empty() && page.next.is_none());
    store.batch(&p, vec![Op::Unchanged { since: page.mark }]).await.unwrap();
    let token = store.change_token(&Scope::Partition(p.clone())).await.unwrap();
    let everything = Scope::Partition(p.clone());
    assert!(store.changes(&everything, Some(&token), 9).await.unwrap().changes.is_empty());
    assert_eq!(store.count(&Scope::All).await.unwrap(), 0);
    let refused = store.put(&a, json("1"), DocPrecondition::IfExists).await;
    assert_eq!(refused.unwrap_err().kind(), "conflict");
    let deleted = store.delete(&a, DocPrecondition::Overwrite).await.unwrap();
    assert_eq!((deleted.etag, deleted.position), (None, 0));
    assert_eq!(there().await, 1);
    write(&store, ("p", "a"), "1").await;
    assert_eq!(there().await, 2);
    let page = store.changes(&everything, Some(&token), 9).await.unwrap();
    assert_eq!(page.changes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn scans_go_both_ways_page_by_page() {
    let world = World::new(1);
    let store = world.store().await;
    let p = partition("p");
    let ops = ["a", "b", "c", "d", "ifmatch.x"].map(|id| put(id, "{\"n\":1,\"m\":2}"));
    store.batch(&p, ops.to_vec()).await.unwrap();
    let ids = |options: ScanOptions| {
        let all = store.documents(&partition("p"), options);
        async move {
            let all: Vec<_> = all.try_collect().await.unwrap();
            all.iter().map(|at| at.key.id.as_str().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(ScanOptions::default().limit(3)).await, ["a", "b", "c", "d"]);
    assert_eq!(ids(ScanOptions::default().descending().limit(1)).await, ["d", "c", "b", "a"]);
    assert_eq!(ids(ScanOptions::default().ids("b".."d")).await, ["b", "c"]);
    assert!(ids(ScanOptions::default().ids("d".."b")).await.is_empty());
    assert!(ids(ScanOptions::default().ids("b".."b")).await.is_empty());
    let fields = ifmatch_meta::Projection::new(["/m"]).unwrap();
    let page = store.scan(&p, ScanOptions::default().fields(fields)).await.unwrap();
    assert_eq!(page.documents[0].body.as_str(), r#"{"m":2}"#);
    let page = store.scan(&p, ScanOptions::default().limit(1)).await.unwrap();
    let wrong = ScanOptions::default().descending();
    let error = store.scan(&p, wrong.after(page.next.unwrap())).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
}

#[tokio::test(start_paused = true)]
async fn queries_count_and_aggregate_over_one_partition_and_all() {
    let world = World::new(1);
    let store = world.store().await;
    for (name, n) in [("p", 1), ("q", 2), ("r", 3), ("ifmatch.own", 9)] {
        let ops = (0..n).map(|n| put(&format!("d{n}"), &format!("{{\"n\":{n}}}"))).collect();
        store.batch(&partition(name), ops).await.unwrap();
    }
    let (all, r) = (Scope::All, Scope::Partition(partition("r")));
    assert_eq!(store.count(&all).await.unwrap(), 6);
    assert_eq!(store.count(&r).await.unwrap(), 3);
    assert_eq!(store.count_where(&all, &field("/n").gte(1)).await.unwrap(), 3);
    let query = Query::filter(field("/n").gte(0)).sort("-/n").limit(2);
    let page = store.query(&all, &query).await.unwrap();
    let found: Vec<_> = page.documents.iter().map(|at| at.key.to_string()).collect();
    assert_eq!(
        (found.as_slice(), page.mark),
        (["r/d2", "q/d1"].map(String::from).as_slice(), None)
    );
    let mut rest = query.clone();
    rest.after = page.next;
    let page = store.query(&all, &rest).await.unwrap();
    assert_eq!(page.documents[0].key.to_string(), "r/d1");
    let page = store.query(&r, &Query::default().limit(1)).await.unwrap();
    let scanned = store.scan(&partition("r"), ScanOptions::default()).await.unwrap();
    assert_eq!(page.mark, Some(scanned.mark));
    let of = vec![AggregateOf::Count];
    let mut aggregation = Aggregation::default();
    aggregation.of = of;
    let rows = store.aggregate(&all, &aggregation).await.unwrap();
    assert_eq!(rows[0].of[0], 6);
    let wrong = field("/n").gt(serde_json::Value::Null);
    world.asked();
    assert_eq!(store.count_where(&all, &wrong).await.unwrap_err().kind(), "invalid");
    assert!(world.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_lies_at_a_place_is_respected() {
    let world = World::new(1);
    let none = BlobMetaStore::open(world.blobs.clone(), BlobMetaOptions::open()).await;
    assert_eq!(none.unwrap_err().kind(), "not_found");
    drop(Journal::open(world.blobs.clone(), KeyValue, Options::create()).await.unwrap());
    for options in [BlobMetaOptions::open(), BlobMetaOptions::create()] {
        let wrong = BlobMetaStore::open(world.blobs.clone(), options).await;
        assert_eq!(wrong.unwrap_err().kind(), "invalid");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_refused_before_anything_is_sent() {
    let world = World::new(1);
    let limits = Limits::default().document(4);
    let store = world.open(BlobMetaOptions::create().limits(limits).partition_bytes(10)).await;
    world.asked();
    let (p, a) = (partition("p"), key("p", "a"));
    let large = store.put(&a, json("12345"), DocPrecondition::Overwrite).await;
    assert_eq!(large.unwrap_err().kind(), "too_large");
    let wrong = store.delete(&a, DocPrecondition::IfAbsent).await;
    assert_eq!(wrong.unwrap_err().kind(), "invalid");
    let mark = "b1.00000000000000000000000000000007.00000000000000000000000000000000";
    for mark in [mark, "x"] {
        let since = mark.parse().unwrap();
        let error = store.batch(&p, vec![Op::Unchanged { since }]).await.unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("invalid", Some(0)));
    }
    assert!(world.asked().is_empty());
    store.batch(&p, vec![put("a", "1234"), put("b", "1234")]).await.unwrap();
    let full = store.put(&key("p", "c"), json("1"), DocPrecondition::IfAbsent).await;
    let error = full.unwrap_err();
    assert_eq!(error.kind(), "too_large");
    assert!(error.to_string().contains("partition p"), "{error}");
    let index = store.indexes().await.unwrap();
    assert!(index.is_empty() && !store.features().indexes);
}

#[tokio::test(start_paused = true)]
async fn a_closed_store_answers_closed_and_others_go_on() {
    let world = World::new(1);
    let (store, other) = (world.store().await, world.store().await);
    write(&store, ("p", "a"), "1").await;
    let clone = store.clone();
    store.close().await.unwrap();
    store.close().await.unwrap();
    world.asked();
    assert_eq!(clone.get(&key("p", "a")).await.unwrap_err().kind(), "closed");
    let put = clone.put(&key("p", "a"), json("1"), DocPrecondition::Overwrite).await;
    assert_eq!(put.unwrap_err().kind(), "closed");
    assert_eq!(clone.partitions(None, 1).await.unwrap_err().kind(), "closed");
    assert!(world.asked().is_empty());
    write(&other, ("p", "a"), "2").await;
    assert_eq!(world.asked().last(), Some(&(Operation::Put, "applied")));
}

#[tokio::test(start_paused = true)]
async fn c11_c14_a_record_of_changes_has_no_gaps_whoever_writes() {
    let world = World::new(1);
    let audited = world.open(BlobMetaOptions::create().audit(true).author("ann")).await;
    let plain = world.store().await;
    let p = partition("p");
    write(&audited, ("p", "a"), "1").await;
    write(&plain, ("p", "a"), "2").await;
    plain.delete(&key("p", "a"), DocPrecondition::IfExists).await.unwrap();
    audited.batch(&p, vec![put("a", "3"), put("b", "4")]).await.unwrap();
    assert_eq!(plain.audit(&p, None, 9).await.unwrap_err().kind(), "unsupported");
    let all = audited.audit(&p, None, 9).await.unwrap();
    assert_eq!(all.len(), 5);
    let of_a: Vec<_> = all.iter().filter(|record| record.id.as_str() == "a").collect();
    for pair in of_a.windows(2) {
        assert_eq!(pair[1].previous, pair[0].etag);
        assert!(pair[1].at > pair[0].at);
    }
    assert_eq!(of_a[0].author.as_deref(), Some("ann"));
    let rest = audited.audit(&p, Some(all[1].at), 2).await.unwrap();
    assert_eq!(rest, all[2..4]);
}
