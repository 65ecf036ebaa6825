//! Batches: all or nothing, in order, in one commit.

use ifmatch_meta::{Applied, DocPrecondition as Pre, Json, MetaStore, Op};

use crate::support::{Bed, beds, body, content, id, key, partition, put};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_one_commit_and_applies_in_order() {
    for Bed { store, .. } in beds().await {
        let old = store.put(&key("p", "old"), body(0), Pre::IfAbsent).await.unwrap();
        let ops = vec![
            put("a", 1, Pre::IfAbsent),
            put("a", 2, Pre::field_equals("/n", 1)),
            Op::delete(id("old"), Pre::IfMatch(old.etag)),
            put("old", 3, Pre::IfAbsent),
            Op::delete(id("none"), Pre::Overwrite),
        ];
        let done = store.batch(&partition("p"), ops).await.unwrap();
        let positions: Vec<_> = done
            .iter()
            .map(|applied| match applied {
                Applied::Written(written) => written.position,
                Applied::Deleted(deleted) => deleted.position,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(positions, [old.position + 1; 5]);
        assert_eq!(done[2].etag(), Some(old.etag));
        assert_eq!(done[4].etag(), None);
        assert_ne!(done[0].etag(), done[1].etag());
        let expected = [("a", "{\"n\":2}"), ("old", "{\"n\":3}")];
        let expected = expected.map(|(id, body)| (id.to_owned(), body.to_owned()));
        assert_eq!(content(&store, "p").await, expected);
        let found = store.get(&key("p", "a")).await.unwrap().unwrap();
        assert_eq!(Some(found.etag), done[1].etag());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w6_a_batch_that_fails_leaves_nothing_and_names_the_index() {
    for Bed { store, .. } in beds().await {
        let first = store.put(&key("p", "a"), body(0), Pre::IfAbsent).await.unwrap();
        let before = content(&store, "p").await;
        let p = partition("p");
        let ops = vec![
            put("b", 1, Pre::IfAbsent),
            Op::delete(id("a"), Pre::IfExists),
            put("b", 2, Pre::IfAbsent),
        ];
        let error = store.batch(&p, ops).await.unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(2)));
        assert_eq!(error.conflict().unwrap().key, key("p", "b"));
        assert_eq!(content(&store, "p").await, before);
        // Nothing was counted either.
        let next = store.put(&key("p", "c"), body(0), Pre::IfAbsent).await.unwrap();
        assert_eq!(next.position, first.position + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_have_limits() {
    for Bed { store, .. } in beds().await {
        let p = partition("p");
        assert_eq!(store.batch(&p, vec![]).await.unwrap(), []);
        let many = |n: usize| (0..n).map(|i| put(&i.to_string(), i, Pre::IfAbsent)).collect();
        let error = store.batch(&p, many(1_001)).await.unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("too_large", None));
        store.batch(&p, many(1_000)).await.unwrap();
        let large = |i: usize| {
            let body = Json::new(format!("\"{}\"", "x".repeat(1_000_000))).unwrap();
            Op::put(id(&i.to_string()), body, Pre::Overwrite)
        };
        let error = store.batch(&p, (0..5).map(large).collect()).await.unwrap_err();
        assert_eq!((error.kind(), error.operation_index()), ("too_large", None));
        store.batch(&p, (0..4).map(large).collect()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_part_of_a_batch() {
    let bed = Bed::threaded().await;
    let p = partition("p");
    let writer = {
        let store = bed.store.clone();
        let p = p.clone();
        tokio::spawn(async move {
            for round in 0..100 {
                let ops = (0..10).map(|i| put(&i.to_string(), round, Pre::Overwrite)).collect();
                store.batch(&p, ops).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let page = bed.store.scan(&p, ifmatch_meta::ScanOptions::default()).await.unwrap();
        let bodies: Vec<_> = page.documents.iter().map(|d| d.body.as_str()).collect();
        assert!(bodies.is_empty() || bodies.len() == 10);
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    }
    writer.await.unwrap();
}
