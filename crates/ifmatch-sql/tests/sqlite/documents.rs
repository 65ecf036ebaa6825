//! Single documents: ETags, preconditions, bodies, times.

use std::collections::HashSet;

use ifmatch_core::{Env, Simulation, Timestamp};
use ifmatch_meta::{
    Changed, DocKey, DocPrecondition as Pre, ETag, Json, MetaStore, Scope, WriteOptions,
};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};
use serde_json::json;

use crate::support::{Bed, beds, body, key, partition};

#[tokio::test(flavor = "multi_thread")]
async fn c1_c2_c3_every_write_answers_a_new_etag_that_get_shows() {
    for Bed { store, name, .. } in beds().await {
        let key = key("p", "a");
        assert_eq!(store.get(&key).await.unwrap(), None);
        let first = store.put(&key, body(1), Pre::IfAbsent).await.unwrap();
        assert!(first.created, "{name}");
        assert_eq!(store.get(&key).await.unwrap().unwrap().etag, first.etag);
        let second = store.put(&key, body(1), Pre::IfMatch(first.etag)).await.unwrap();
        assert!(!second.created);
        assert_ne!(second.etag, first.etag);
        assert!(second.position > first.position);
        let found = store.get(&key).await.unwrap().unwrap();
        assert_eq!((found.etag, found.key), (second.etag, key));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_c9_a_stale_etag_is_a_conflict_that_tells_what_is_there() {
    for Bed { store, .. } in beds().await {
        let key = key("p", "a");
        let first = store.put(&key, body(1), Pre::IfAbsent).await.unwrap();
        let second = store.put(&key, body(2), Pre::Overwrite).await.unwrap();
        for stale in [
            store.put(&key, body(3), Pre::IfMatch(first.etag)).await.unwrap_err(),
            store.delete(&key, Pre::IfMatch(first.etag)).await.unwrap_err(),
            store.put(&key, body(3), Pre::IfAbsent).await.unwrap_err(),
        ] {
            assert_eq!(stale.kind(), "conflict");
            let conflict = stale.conflict().unwrap();
            assert_eq!(conflict.key, key);
            assert_eq!(conflict.current, Some(second.etag));
            assert_eq!(conflict.body, Some(body(2)));
        }
        assert_eq!(store.get(&key).await.unwrap().unwrap().body, body(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c16_if_match_on_a_missing_document_is_a_conflict() {
    for Bed { store, .. } in beds().await {
        let key = key("p", "a");
        let gone = ETag::mint(1, store.env());
        for pre in [Pre::IfMatch(gone), Pre::IfExists, Pre::field_equals("/n", 1)] {
            let error = store.put(&key, body(1), pre.clone()).await.unwrap_err();
            assert_eq!(error.conflict().unwrap().current, None);
            let error = store.delete(&key, pre).await.unwrap_err();
            assert_eq!(error.kind(), "conflict");
        }
        assert_eq!(store.count(&Scope::All).await.unwrap(), 0);
        let deleted = store.delete(&key, Pre::Overwrite).await.unwrap();
        assert_eq!((deleted.etag, deleted.position), (None, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c8_a_delete_answers_the_tag_of_what_it_deleted() {
    for Bed { store, .. } in beds().await {
        let key = key("p", "a");
        let written = store.put(&key, body(1), Pre::IfAbsent).await.unwrap();
        let deleted = store.delete(&key, Pre::IfMatch(written.etag)).await.unwrap();
        assert_eq!(deleted.etag, Some(written.etag));
        assert_eq!(deleted.position, written.position + 1);
        assert_eq!(store.get(&key).await.unwrap(), None);
        assert_eq!(store.delete(&key, Pre::IfAbsent).await.unwrap_err().kind(), "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_a_write_can_depend_on_the_value_of_a_field() {
    for Bed { store, .. } in beds().await {
        let key = key("p", "lock");
        let free = Json::new(r#"{"holder":"nobody","n":1}"#).unwrap();
        store.put(&key, free, Pre::IfAbsent).await.unwrap();
        let held = Json::new(r#"{"holder":"me"}"#).unwrap();
        let take = Pre::field_equals("/holder", "nobody");
        store.put(&key, held.clone(), take.clone()).await.unwrap();
        assert_eq!(store.put(&key, held, take).await.unwrap_err().kind(), "conflict");
        let error = store.put(&key, body(1), Pre::field_equals("holder", "me")).await.unwrap_err();
        assert_eq!(error.kind(), "invalid");
        let error =
            store.delete(&key, Pre::field_equals("/holder", json!(null))).await.unwrap_err();
        assert_eq!(error.kind(), "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_is_never_used_again() {
    let mut bed = Bed::threaded().await;
    let mut seen = HashSet::new();
    let key = key("p", "a");
    for round in 0..20 {
        for pre in [Pre::IfAbsent, Pre::Overwrite, Pre::IfExists] {
            let written = bed.store.put(&key, body(1), pre).await.unwrap();
            assert!(seen.insert(written.etag), "round {round}");
        }
        bed.store.delete(&key, Pre::IfExists).await.unwrap();
        if round % 5 == 0 {
            bed.reopen().await;
        }
    }
    let stale = *seen.iter().next().unwrap();
    bed.store.put(&key, body(1), Pre::IfAbsent).await.unwrap();
    let error = bed.store.put(&key, body(2), Pre::IfMatch(stale)).await.unwrap_err();
    assert_eq!(error.kind(), "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_come_back_byte_for_byte() {
    for mut bed in beds().await {
        let texts = [
            "{ \"b\" : 1.10 ,\r\n \"a\":[1e2, -0, 12345678901234567890] }\n",
            "\"\\u00e4 ä \u{10ffff} \\/\"",
            "null",
            "  1  ",
            "9007199254740993",
        ];
        for (i, text) in texts.iter().enumerate() {
            let body = Json::new(*text).unwrap();
            bed.store.put(&key("p", &i.to_string()), body, Pre::Overwrite).await.unwrap();
        }
        if bed.name == "thread" {
            bed.reopen().await;
        }
        for (i, text) in texts.iter().enumerate() {
            let found = bed.store.get(&key("p", &i.to_string())).await.unwrap().unwrap();
            assert_eq!(found.body.as_str(), *text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_exact_bytes() {
    for Bed { store, .. } in beds().await {
        let names =
            ["a", "A", "a ", "\u{e4}", "a\u{308}", "a/b", "'", "\";--", "%", "\n", "ifmatch"];
        for name in names {
            store.put(&key(name, name), body(name.len()), Pre::IfAbsent).await.unwrap();
        }
        for name in names {
            let found = store.get(&key(name, name)).await.unwrap().unwrap();
            assert_eq!(found.body, body(name.len()));
        }
        assert_eq!(store.count(&Scope::All).await.unwrap(), names.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_what_was_seen_answers_unchanged() {
    for Bed { store, .. } in beds().await {
        let key = key("p", "a");
        let first = store.put(&key, body(1), Pre::IfAbsent).await.unwrap();
        assert_eq!(store.get_if_changed(&key, &first.etag).await.unwrap(), Changed::Unchanged);
        store.put(&key, body(2), Pre::IfExists).await.unwrap();
        match store.get_if_changed(&key, &first.etag).await.unwrap() {
            Changed::Document(document) => assert_eq!(document.body, body(2)),
            other => panic!("{other:?}"),
        }
        store.delete(&key, Pre::IfExists).await.unwrap();
        assert_eq!(store.get_if_changed(&key, &first.etag).await.unwrap(), Changed::Absent);
    }
}

#[tokio::test]
async fn c11_times_and_authors_are_those_of_the_writer() {
    let env = || Simulation::seeded(1).env();
    let options = SqliteOptions::default().author("store");
    let store = SqliteMetaStore::open_in_memory(options, env()).unwrap();
    let start = Timestamp::from_micros(1_767_225_600_000_000);
    let key = key("p", "a");
    let me = || WriteOptions::default().author("me");
    store.put_with(&key, body(1), Pre::IfAbsent, me()).await.unwrap();
    let first = store.get(&key).await.unwrap().unwrap();
    assert!(first.created_at >= start);
    assert_eq!(first.updated_at, first.created_at);
    assert_eq!(first.updated_by.as_deref(), Some("me"));
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    store.put(&key, body(2), Pre::IfExists).await.unwrap();
    let second = store.get(&key).await.unwrap().unwrap();
    assert_eq!(second.created_at, first.created_at);
    assert!(second.updated_at > first.updated_at);
    assert_eq!(second.updated_by.as_deref(), Some("store"));
    store.delete(&key, Pre::IfExists).await.unwrap();
    store.put(&key, body(3), Pre::IfAbsent).await.unwrap();
    let third = store.get(&key).await.unwrap().unwrap();
    assert!(third.created_at > first.created_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_before_anything_is_sent() {
    let limits = ifmatch_meta::Limits::default().document(10);
    let bed = Bed::open("thread", SqliteOptions::default().limits(limits)).await;
    let key = key("p", "a");
    bed.store.put(&key, Json::new("12345678").unwrap(), Pre::IfAbsent).await.unwrap();
    let large = Json::new("\"0123456789\"").unwrap();
    let error = bed.store.put(&key, large, Pre::Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "too_large");
    assert_eq!(bed.store.get(&key).await.unwrap().unwrap().body.as_str(), "12345678");
}

#[tokio::test(flavor = "multi_thread")]
async fn w22_counts_are_as_fresh_as_reads_and_leave_ours_out() {
    for Bed { store, .. } in beds().await {
        for i in 0..5 {
            store.put(&key("a", &i.to_string()), body(i), Pre::IfAbsent).await.unwrap();
            assert_eq!(store.count(&Scope::All).await.unwrap(), i + 1);
        }
        store.put(&key("b", "x"), body(1), Pre::IfAbsent).await.unwrap();
        for (partition, id) in [("a", "ifmatch.x"), ("ifmatch.locks", "x"), ("c", "ifmatch.y")] {
            let ours = DocKey::internal(partition, id).unwrap();
            store.put(&ours, body(1), Pre::IfAbsent).await.unwrap();
            assert!(store.get(&ours).await.unwrap().is_some());
        }
        assert_eq!(store.count(&Scope::All).await.unwrap(), 6);
        assert_eq!(store.count(&Scope::Partition(partition("a"))).await.unwrap(), 5);
        assert_eq!(store.count(&Scope::Partition(partition("c"))).await.unwrap(), 0);
        let names = store.partitions(None, 10).await.unwrap();
        assert_eq!(names, [partition("a"), partition("b")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w23_a_store_in_memory_is_shared_by_all_tasks() {
    let store = SqliteMetaStore::open_in_memory(SqliteOptions::default(), Env::real()).unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let key = key("p", &task.to_string());
                store.put(&key, body(task), Pre::IfAbsent).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let other = store.clone();
    let count = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async move { other.count(&Scope::All).await.unwrap() })
    });
    assert_eq!(count.join().unwrap(), 8);
}
