//! Opening: who may make a store where, and what errors say.

use ifmatch_meta::{DocPrecondition, MetaStore};
use ifmatch_sql::{PostgresMetaStore, PostgresOptions};

use crate::harness::{Cases, Place, key, number};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("opening::many_openers_make_one_store", many_openers_make_one_store);
    cases.add("opening::nothing_is_made_unless_asked", nothing_is_made_unless_asked);
    cases.add("opening::a_schema_of_others_is_refused", a_schema_of_others_is_refused);
    cases.add("opening::a_newer_store_is_refused", a_newer_store_is_refused);
    cases.add("opening::a_store_of_another_server_is_refused", of_another_server_is_refused);
    cases.add("opening::no_word_tells_the_password", no_word_tells_the_password);
}

async fn many_openers_make_one_store(place: Place) {
    let openers = (0..8).map(|n| {
        let place = place.clone();
        tokio::spawn(async move {
            let store = place.open().await;
            let key = key(&format!("d{n}"));
            store.put(&key, number(n), DocPrecondition::IfAbsent).await.unwrap();
            store.close().await.unwrap();
        })
    });
    for opener in openers.collect::<Vec<_>>() {
        opener.await.unwrap();
    }
    assert_eq!(place.open().await.count(&crate::harness::scope()).await.unwrap(), 8);
}

async fn nothing_is_made_unless_asked(place: Place) {
    let open = || PostgresMetaStore::open(&place.url, place.options().create(false));
    assert_eq!(open().await.unwrap_err().kind(), "not_found");
    place.execute(&format!("CREATE SCHEMA \"{}\"", place.schema)).await;
    assert_eq!(open().await.unwrap_err().kind(), "not_found");
    place.open().await.close().await.unwrap();
    open().await.unwrap();
}

async fn a_schema_of_others_is_refused(place: Place) {
    let (schema, url) = (&place.schema, &place.url);
    place.execute(&format!("CREATE SCHEMA \"{schema}\"; CREATE TABLE schema.store (id int)")).await;
    let error = PostgresMetaStore::open(url, place.options()).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported", "{error}");
}

async fn a_newer_store_is_refused(place: Place) {
    place.open().await.close().await.unwrap();
    place.execute("UPDATE schema.store SET ifmatch_version = 1000").await;
    let error = PostgresMetaStore::open(&place.url, place.options()).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported", "{error}");
}

/// A dump that was restored where fewer transactions have been.
async fn of_another_server_is_refused(place: Place) {
    let store = place.open().await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    place.execute("UPDATE schema.documents SET position = 1::bigint << 60").await;
    let error = PostgresMetaStore::open(&place.url, place.options()).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported", "{error}");
}

async fn no_word_tells_the_password(place: Place) {
    let secret = "hunter2";
    for url in [
        format!("postgres://postgres:{secret}@127.0.0.1:1/postgres"),
        format!("postgres://postgres:{secret}@127.0.0.1:99999/postgres"),
        format!("postgres://postgres:{secret}@[/postgres"),
        format!("postgres://postgres:{secret}@h/d?sslmode={secret}"),
        format!("mysql://postgres:{secret}@h/d"),
        place.url.replace("postgres@", &format!("nobody:{secret}@")),
    ] {
        let error = PostgresMetaStore::open(&url, PostgresOptions::default()).await.unwrap_err();
        let mut words = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            words = format!("{words} {error} {error:?}");
            source = error.source();
        }
        assert!(!words.contains(secret), "{words}");
    }
    let url = place.url.replace("postgres@", &format!("postgres:{secret}@"));
    let store = PostgresMetaStore::open(&url, place.options()).await.unwrap();
    let words = format!("{store} {store:?}");
    assert!(!words.contains(secret) && words.contains(&place.schema), "{words}");
}
