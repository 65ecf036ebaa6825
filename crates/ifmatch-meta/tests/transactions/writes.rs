use std::time::Duration;

use futures::future::join;
use ifmatch_meta::{
    DocKey, DocPrecondition, ETag, MetaStore, Op, Partition, Scope, TxOptions, WriteOptions,
};

use crate::common::*;
use crate::lossy::Fate;

#[tokio::test(start_paused = true)]
async fn t14_t20_writes_in_other_partitions_are_invalid_and_it_stays_open() {
    let store = store();
    let tx = begin(&store).await;
    let there = DocKey::new("q", "a").unwrap();
    let put_there = tx.put(&there, json("1"), DocPrecondition::Overwrite).await;
    assert_eq!(put_there.unwrap_err().kind(), "invalid");
    let deleted = tx.delete(&there, DocPrecondition::Overwrite).await;
    assert_eq!(deleted.unwrap_err().kind(), "invalid");
    let ops = vec![Op::delete(id("a"), DocPrecondition::Overwrite)];
    let batch = tx.batch(&Partition::new("q").unwrap(), ops).await;
    assert_eq!(batch.unwrap_err().kind(), "invalid");
    put(&tx, "a", "1").await;
    tx.commit().await.unwrap();
    assert_eq!(body(&*store, "a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn t16_a_second_request_is_busy_at_once_and_a_dropped_one_leaves_no_flag() {
    let store = store();
    let tx = begin(&store).await;
    store.next([Fate::Late(Duration::from_secs(1))]);
    let (b, one) = (key("b"), json("1"));
    let (first, second) =
        join(tx.get(&b), tx.put(&b, one.clone(), DocPrecondition::Overwrite)).await;
    assert_eq!(first.unwrap(), None);
    assert_eq!(second.unwrap_err().kind(), "busy");
    store.next([Fate::Hangs]);
    let hanging = tx.put(&b, one, DocPrecondition::Overwrite);
    assert!(tokio::time::timeout(Duration::from_secs(1), hanging).await.is_err());
    assert_eq!(tx.get(&b).await.unwrap(), None);
    tx.commit().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn t18_each_document_counts_once_and_too_much_is_refused() {
    let store = store();
    let tx = begin_with(&store, TxOptions::default().staged(20)).await;
    for _ in 0..10 {
        put(&tx, "a", "\"234567\"").await; // 1 + 8 bytes.
    }
    assert_eq!(tx.staged_bytes().unwrap(), 9);
    let error = tx.put(&key("b"), json("\"23456789012\""), DocPrecondition::Overwrite).await;
    assert_eq!(error.unwrap_err().kind(), "too_large");
    assert_eq!(tx.get(&key("b")).await.unwrap(), None);
    put(&tx, "b", "\"2345678\"").await; // 1 + 9.
    put(&tx, "a", "1").await;
    assert_eq!(tx.staged_bytes().unwrap(), 12);
    tx.commit().await.unwrap();
    assert_eq!(body(&*store, "a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn t18_four_mebibytes_are_staged_and_committed() {
    let store = store();
    let tx = begin(&store).await;
    let large = format!("\"{}\"", "x".repeat((1 << 20) - 3));
    for name in ["a", "b", "c", "d"] {
        put(&tx, name, &large).await;
    }
    assert_eq!(tx.staged_bytes().unwrap(), 4 << 20);
    let error = tx.put(&key("e"), json("1"), DocPrecondition::Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "too_large");
    assert!(tx.commit().await.unwrap().position.is_some());
}

#[tokio::test(start_paused = true)]
async fn t18_at_most_ten_thousand_documents_are_written() {
    let store = store();
    let tx = begin(&store).await;
    let one = json("1");
    for thousand in 0..10 {
        let op =
            |n| Op::put(id(&format!("{thousand}.{n}")), one.clone(), DocPrecondition::IfAbsent);
        tx.batch(&p(), (0..1_000).map(op).collect()).await.unwrap();
    }
    let error = tx.put(&key("x"), one, DocPrecondition::Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "too_large");
    tx.commit().await.unwrap();
    assert_eq!(store.count(&Scope::Partition(p())).await.unwrap(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn t19_t25_what_a_write_answers_is_what_is_committed() {
    let store = store();
    let tx = begin_with(&store, TxOptions::default().author("ann")).await;
    let options = WriteOptions::default().return_document();
    let first = tx
        .put_with(&key("a"), json("1"), DocPrecondition::IfAbsent, options.clone())
        .await
        .unwrap();
    assert!(first.created);
    pass(Duration::from_secs(1)).await;
    let second = tx
        .put_with(&key("a"), json("2"), DocPrecondition::IfMatch(first.etag), options)
        .await
        .unwrap();
    assert!(!second.created);
    let told = *second.document.unwrap();
    assert_eq!(told.etag, second.etag);
    assert!(told.created_at < told.updated_at, "it was created by the first");
    let position = tx.commit().await.unwrap().position.unwrap();
    let stored = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!(stored, told);
    assert_eq!(stored.updated_by.as_deref(), Some("ann"));
    let audit = store.audit(&p(), None, 10).await.unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].at.position, audit[0].etag), (position, Some(second.etag)));
}

#[tokio::test(start_paused = true)]
async fn t19_the_store_is_the_author_where_nobody_says_so() {
    let store = store_by("the house");
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    let by = WriteOptions::default().author("bob");
    tx.put_with(&key("b"), json("1"), DocPrecondition::IfAbsent, by).await.unwrap();
    tx.commit().await.unwrap();
    let author = |name: &'static str| {
        let store = &store;
        async move { store.get(&key(name)).await.unwrap().unwrap().updated_by }
    };
    assert_eq!(author("a").await.as_deref(), Some("the house"));
    assert_eq!(author("b").await.as_deref(), Some("bob"));
}

#[tokio::test(start_paused = true)]
async fn t23_t24_a_failed_request_changes_nothing_and_ends_nothing() {
    let store = store();
    store.put(&key("a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    let tx = begin(&store).await;
    let put_if = |name: &'static str, pre| {
        let tx = &tx;
        async move { tx.put(&key(name), json("5"), pre).await.map_err(|error| error.kind()) }
    };
    assert_eq!(put_if("a", DocPrecondition::IfAbsent).await, Err("conflict"));
    assert_eq!(put_if("z", DocPrecondition::IfExists).await, Err("conflict"));
    let other = ETag::mint(1, &env());
    assert_eq!(put_if("a", DocPrecondition::IfMatch(other)).await, Err("conflict"));
    let ops = vec![
        Op::put(id("b"), json("1"), DocPrecondition::IfAbsent),
        Op::put(id("c"), json("1"), DocPrecondition::IfExists),
    ];
    let error = tx.batch(&p(), ops).await.unwrap_err();
    assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(1)));
    let (absent, options) = (key("z"), WriteOptions::default());
    let patched = tx.patch(&absent, json("{}"), DocPrecondition::Overwrite, options);
    assert_eq!(patched.await.unwrap_err().kind(), "conflict");
    store.next([Fate::Refused]);
    assert_eq!(put_if("a", DocPrecondition::IfExists).await, Err("unavailable"));
    assert_eq!(tx.get(&key("b")).await.unwrap(), None);
    put_if("a", DocPrecondition::IfExists).await.unwrap();
    put_if("z", DocPrecondition::IfAbsent).await.unwrap();
    assert_eq!(put_if("z", DocPrecondition::IfAbsent).await, Err("conflict"), "its own write");
    tx.patch(&key("a"), json(r#"{"n":1}"#), DocPrecondition::IfExists, WriteOptions::default())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(body(&*store, "a").await.as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(body(&*store, "z").await.as_deref(), Some("5"));
}

#[tokio::test(start_paused = true)]
async fn checks_in_a_batch_look_at_what_it_sees_and_at_the_state_of_the_partition() {
    let store = store();
    let before = store.scan(&p(), ifmatch_meta::ScanOptions::default()).await.unwrap().mark;
    store.put(&key("a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    let tx = begin(&store).await;
    put(&tx, "b", "1").await;
    let ops = vec![Op::check(id("b"), DocPrecondition::IfExists), Op::Unchanged { since: before }];
    let error = tx.batch(&p(), ops).await.unwrap_err();
    assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(1)));
    let now = tx.scan(&p(), ifmatch_meta::ScanOptions::default()).await.unwrap().mark;
    tx.batch(&p(), vec![Op::Unchanged { since: now }]).await.unwrap();
}
