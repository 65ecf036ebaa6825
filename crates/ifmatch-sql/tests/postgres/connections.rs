//! Connections: how many there are, and what becomes of them.

use std::time::Duration;

use futures::future::{select, try_join_all};
use ifmatch_meta::{DocPrecondition, MetaStore};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::{self, PgConnection, Row as _};
use tokio::runtime::Runtime;

use crate::harness::{Cases, Place, key, number, pause};
use crate::network::Network;

pub(crate) fn add(cases: &mut Cases) {
    cases.add("connections::there_are_no_more_than_asked_for_and_none_once_closed", bounded);
    cases.add("connections::those_that_died_while_idle_are_replaced", replaced);
    cases.add("connections::those_that_went_silent_take_no_place", silent);
    cases.add("connections::a_store_may_outlive_its_runtime", outlived);
}

/// A store whose connections bear this name.
async fn named(place: &Place, name: &str) -> PostgresMetaStore {
    let url = format!("{}?application_name={name}", place.url);
    PostgresMetaStore::open(&url, place.options().connections(3)).await.unwrap()
}

async fn ask(raw: &mut PgConnection, of: &'static str, name: &str) -> i64 {
    sqlx::query(of).bind(name).fetch_one(raw).await.unwrap().try_get("n").unwrap()
}

const COUNT: &str = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = $1";
const END: &str = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
    WHERE application_name = $1";

async fn bounded(place: Place) {
    let (store, mut raw) = (named(&place, "bounded").await, place.raw().await);
    for _ in 0..3 {
        let put = async |n: i64| {
            let key = key(&n.to_string());
            store.put(&key, number(n), DocPrecondition::Overwrite).await
        };
        try_join_all((0..50).map(put)).await.unwrap();
        let there = ask(&mut raw, COUNT, "bounded").await;
        assert!((1..=3).contains(&there), "{there} connections");
    }
    let late = store.clone();
    store.close().await.unwrap();
    assert!(late.get(&key("1")).await.is_err());
    for _ in 0..50 {
        if ask(&mut raw, COUNT, "bounded").await == 0 {
            return;
        }
        pause(Duration::from_millis(100)).await;
    }
    panic!("connections are left open");
}

async fn replaced(place: Place) {
    let (store, mut raw) = (named(&place, "replaced").await, place.raw().await);
    let reads = (0..10).map(|_| async { store.get(&key("a")).await });
    try_join_all(reads).await.unwrap();
    assert!(ask(&mut raw, END, "replaced").await >= 1);
    pause(Duration::from_millis(1_200)).await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    store.close().await.unwrap();
}

/// The calls that find them are given up before they know.
async fn silent(place: Place) {
    let network = Network::to(&place).await;
    let options = place.options().connections(3).deadline(Duration::from_secs(5));
    let store = PostgresMetaStore::open(&network.url, options).await.unwrap();
    for _ in 0..3 {
        let reads = (0..20).map(|_| async { store.get(&key("a")).await });
        try_join_all(reads).await.unwrap();
    }
    pause(Duration::from_millis(1_200)).await;
    network.freeze();
    for _ in 0..3 {
        let given_up = Box::pin(pause(Duration::from_millis(100)));
        drop(select(Box::pin(store.get(&key("a"))), given_up).await);
    }
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    store.close().await.unwrap();
}

async fn outlived(place: Place) {
    let outlived = std::thread::spawn(move || {
        let runtime = Runtime::new().unwrap();
        let store = runtime.block_on(async {
            let store = place.open().await;
            store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
            store
        });
        drop(runtime);
        drop(store);
    });
    assert!(outlived.join().is_ok(), "a store is dropped with a panic");
}
