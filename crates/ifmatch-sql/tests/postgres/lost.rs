//! Connections that are lost in a write: what can be known of it is known.

use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_meta::{Applied, DocPrecondition, MetaStore, Op, Result, WriteOptions, Written};
use ifmatch_sql::PostgresMetaStore;

use crate::harness::{Cases, Place, key, number, partition};
use crate::network::{Door, Fate, Network};
use DocPrecondition::{IfAbsent, IfExists, IfMatch, Overwrite};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("lost::a_put_that_is_there_with_its_tag_was_committed", puts_are_found);
    cases.add("lost::a_batch_of_which_one_document_is_there_was_committed", batches_are_found);
    cases.add("lost::what_is_not_there_stays_unknown", not_there_is_unknown);
    cases.add("lost::what_others_wrote_over_stays_unknown", written_over_is_unknown);
    cases.add("lost::a_deletion_stays_unknown", deletions_are_unknown);
    cases.add("lost::a_look_that_fails_or_hangs_leaves_the_unknown", looks_fail);
}

const DEADLINE: Duration = Duration::from_secs(1);

/// A store behind a network, and one that is not.
async fn open(place: &Place) -> (PostgresMetaStore, PostgresMetaStore, Network) {
    let network = Network::to(place).await;
    let direct = place.open_with(place.options().audit(true)).await;
    let options = place.options().audit(true).deadline(DEADLINE).author("ann");
    let store = PostgresMetaStore::open(&network.url, options).await.unwrap();
    (store, direct, network)
}

/// What is answered is what an answer that came would have said.
async fn is_true(direct: &PostgresMetaStore, name: &str, created: bool, written: &Written) {
    let there = direct.get(&key(name)).await.unwrap().unwrap();
    assert_eq!((written.etag, written.created), (there.etag, created), "{name}");
    if let Some(document) = &written.document {
        assert_eq!(**document, there, "{name}");
    }
    let records = direct.audit(&partition(), None, 100).await.unwrap();
    let record = records.iter().find(|record| record.etag == Some(written.etag)).unwrap();
    assert_eq!(written.position, record.at.position, "{name}");
    assert_eq!(record.previous.is_none(), created, "{name}");
}

fn unknown<T: std::fmt::Debug>(answer: Result<T>) {
    assert_eq!(answer.unwrap_err().kind(), "outcome_unknown");
}

async fn puts_are_found(place: Place) {
    let (store, direct, network) = open(&place).await;
    let old = direct.put(&key("old-doc"), number(1), IfAbsent).await.unwrap();
    let mut etag = old.etag;
    for (name, pre, created) in [
        ("new-doc", IfAbsent, true),
        ("any-doc", Overwrite, true),
        ("any-doc", Overwrite, false),
        ("old-doc", IfMatch(etag), false),
        ("old-doc", IfExists, false),
    ] {
        for document in [false, true] {
            let pre = if matches!(pre, IfMatch(_)) { IfMatch(etag) } else { pre.clone() };
            if document && created {
                direct.delete(&key(name), IfExists).await.unwrap();
            }
            let mut options = WriteOptions::default();
            options.return_document = document;
            network.next(name, Fate::AnswerLost, Door::Open);
            let put = store.put_with(&key(name), number(7), pre.clone(), options).await;
            let put = put.unwrap_or_else(|error| panic!("{name} {pre:?}: {error}"));
            network.lost().await;
            assert_eq!(put.document.is_some(), document);
            is_true(&direct, name, created, &put).await;
            assert_eq!(put.cost.requests, 2);
            etag = if name == "old-doc" { put.etag } else { etag };
        }
    }
}

async fn batches_are_found(place: Place) {
    let (store, direct, network) = open(&place).await;
    direct.put(&key("gone-doc"), number(1), IfAbsent).await.unwrap();
    network.next("two-doc", Fate::Lost, Door::Open); // Of its read, which is sent again.
    let ops = vec![
        Op::put(key("one-doc").id, number(1), IfAbsent),
        Op::put(key("two-doc").id, number(1), IfAbsent),
        Op::delete(key("gone-doc").id, IfExists),
    ];
    store.batch(&partition(), ops).await.unwrap();
    // The word of its write is a body, which no read holds.
    let body = |n: u64| ifmatch_meta::Json::new(format!("\"word-{n}\"")).unwrap();
    let ops = vec![
        Op::delete(key("one-doc").id, IfExists),
        Op::put(key("two-doc").id, body(1), IfExists),
        Op::put(key("three-doc").id, body(2), IfAbsent),
        Op::check(key("gone-doc").id, IfAbsent),
    ];
    network.next("word-1", Fate::AnswerLost, Door::Open);
    let applied = store.batch(&partition(), ops).await.unwrap();
    network.lost().await;
    for (applied, name, created) in
        [(&applied[1], "two-doc", false), (&applied[2], "three-doc", true)]
    {
        let Applied::Written(written) = applied else { panic!("{applied:?}") };
        is_true(&direct, name, created, written).await;
    }
    assert!(direct.get(&key("one-doc")).await.unwrap().is_none());
    // One of its documents is written over: the other one proves it.
    let ops = vec![
        Op::put(key("two-doc").id, body(3), Overwrite),
        Op::put(key("three-doc").id, body(4), Overwrite),
    ];
    network.next("word-3", Fate::AnswerLost, Door::Stuck);
    let over = async {
        network.lost().await;
        direct.delete(&key("two-doc"), IfExists).await.unwrap();
        network.door(Door::Open);
    };
    let p = partition();
    let (applied, ()) = tokio::join!(store.batch(&p, ops), over);
    let Applied::Written(written) = &applied.unwrap()[1] else { panic!() };
    is_true(&direct, "three-doc", false, written).await;
    // A patch is a batch.
    network.next("word-5", Fate::AnswerLost, Door::Open);
    let patch = ifmatch_meta::Json::new("{\"a\":\"word-5\"}").unwrap();
    let patched = store.patch(&key("three-doc"), patch, IfExists, WriteOptions::default()).await;
    is_true(&direct, "three-doc", false, &patched.unwrap()).await;
}

async fn not_there_is_unknown(place: Place) {
    let (store, direct, network) = open(&place).await;
    // The server may still do it: that it is not there says nothing.
    network.next("a-doc", Fate::Lost, Door::Open);
    unknown(store.put(&key("a-doc"), number(1), IfAbsent).await);
    assert!(direct.get(&key("a-doc")).await.unwrap().is_none());
    // Nor does another document of the same name.
    direct.put(&key("a-doc"), number(2), IfAbsent).await.unwrap();
    network.next("a-doc", Fate::Lost, Door::Open);
    unknown(store.put(&key("a-doc"), number(3), Overwrite).await);
    let there = direct.get(&key("a-doc")).await.unwrap().unwrap();
    assert_eq!(there.body, number(2));
    store.put(&key("a-doc"), number(4), IfMatch(there.etag)).await.unwrap();
}

async fn written_over_is_unknown(place: Place) {
    let (store, direct, network) = open(&place).await;
    network.next("a-doc", Fate::AnswerLost, Door::Stuck);
    let a = key("a-doc");
    let over = async {
        network.lost().await;
        let there = direct.get(&a).await.unwrap().expect("it was applied");
        direct.put(&a, number(2), IfMatch(there.etag)).await.unwrap();
        network.door(Door::Open);
    };
    let (put, ()) = tokio::join!(store.put(&a, number(1), IfAbsent), over);
    unknown(put);
}

async fn deletions_are_unknown(place: Place) {
    let (store, direct, network) = open(&place).await;
    let a = key("a-doc");
    let put = direct.put(&a, number(1), IfAbsent).await.unwrap();
    network.next("a-doc", Fate::AnswerLost, Door::Open);
    unknown(store.delete(&a, IfMatch(put.etag)).await);
    assert!(direct.get(&a).await.unwrap().is_none());
}

async fn looks_fail(place: Place) {
    let (store, direct, network) = open(&place).await;
    let env = Env::real();
    for (n, door) in [Door::Shut, Door::Stuck].into_iter().enumerate() {
        let name = format!("doc-{n}");
        network.next(&name, Fate::AnswerLost, door);
        let began = env.now();
        unknown(store.put(&key(&name), number(1), IfAbsent).await);
        let waited = env.now().saturating_sub(began);
        assert!(waited < DEADLINE * 4, "{door:?}: {waited:?}");
        assert!(direct.get(&key(&name)).await.unwrap().is_some());
        network.door(Door::Open);
        store.put(&key(&name), number(2), Overwrite).await.unwrap();
    }
}
