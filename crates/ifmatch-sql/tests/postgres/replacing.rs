//! Puts that replace a version: the statement that is made for them against
//! everybody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ifmatch_meta::{DocPrecondition, ETag, Json, MetaStore, TxBackend, TxId, TxOutcome};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::{Executor, PgConnection};

use crate::harness::{Cases, Place, key, number, partition, pause, scope};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("replacing::who_comes_second_conflicts_with_the_first", second);
    cases.add("replacing::t9_none_lands_inside_a_transaction", none_lands_inside);
    cases.add("replacing::t9_it_waits_for_a_begin_under_way", it_waits_for_a_begin);
    cases.add("replacing::t10_it_ends_a_transaction_whose_life_is_over", it_ends_what_is_over);
    cases.add("replacing::several_in_one_transaction_are_told_in_order", several);
    cases.add("replacing::positions_follow_the_order_of_versions", positions);
    cases.add("replacing::it_wakes_who_waits", it_wakes);
    cases.add("replacing::another_isolation_is_refused", another_isolation);
}

const LIFE: Duration = Duration::from_secs(30);

async fn open(place: &Place) -> (PostgresMetaStore, ETag) {
    let store = place.open_with(place.options().transactions(true).connections(8)).await;
    let tag = store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap().etag;
    (store, tag)
}

/// The function itself, in whatever transaction is open.
async fn replace(place: &Place, raw: &mut PgConnection, (id, seen): (&str, &str), etag: &str) {
    let put = format!(
        "DO $do$ DECLARE v text[] := schema.put(
            'p', '{id}', 3::smallint, '{seen}', '{etag}', 0, NULL, '{{}}', NULL, false);
        BEGIN IF v[1] <> 'done' THEN RAISE EXCEPTION '%', v; END IF; END $do$"
    );
    raw.execute(place.sql(&put)).await.expect("a put by SQL");
}

/// A transaction of somebody else that has replaced `a` and is not over.
async fn open_replace(place: &Place, seen: ETag) -> PgConnection {
    let mut raw = place.raw().await;
    raw.execute("BEGIN").await.unwrap();
    replace(place, &mut raw, ("a", &seen.bare()), "9-000000000000000000000009").await;
    raw
}

fn spawn_put(
    store: &PostgresMetaStore,
    seen: ETag,
) -> tokio::task::JoinHandle<ifmatch_meta::Result<ifmatch_meta::Written>> {
    let store = store.clone();
    tokio::spawn(
        async move { store.put(&key("a"), number(2), DocPrecondition::IfMatch(seen)).await },
    )
}

async fn second(place: Place) {
    let (store, seen) = open(&place).await;
    let mut first = open_replace(&place, seen).await;
    let put = spawn_put(&store, seen);
    pause(Duration::from_millis(100)).await;
    assert!(!put.is_finished(), "a put does not wait for the one before it");
    first.execute("COMMIT").await.unwrap();
    let error = put.await.unwrap().unwrap_err();
    let ifmatch_meta::Error::Conflict(conflict) = &error else { panic!("{error}") };
    let current = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!(conflict.current, Some(current.etag));
    assert_eq!(conflict.body.as_ref().map(Json::as_str), Some("{}"));
    // One that came to nothing leaves the version to others.
    let mut first = open_replace(&place, current.etag).await;
    let put = spawn_put(&store, current.etag);
    first.execute("ROLLBACK").await.unwrap();
    assert!(!put.await.unwrap().unwrap().created);
    let missing = store.put(&key("none"), number(1), DocPrecondition::IfMatch(seen)).await;
    assert_eq!(missing.unwrap_err().kind(), "conflict");
}

async fn none_lands_inside(place: Place) {
    let (store, seen) = open(&place).await;
    let mut slow = open_replace(&place, seen).await;
    let begun = {
        let store = store.clone();
        let id = TxId::new("t").unwrap();
        tokio::spawn(async move { store.begin(&partition(), &id, LIFE).await })
    };
    pause(Duration::from_millis(100)).await;
    assert!(!begun.is_finished(), "a transaction is begun while a write is under way");
    slow.execute("COMMIT").await.unwrap();
    begun.await.unwrap().unwrap();
    let current = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!(current.body.as_str(), "{}");
    let late = store.put(&key("a"), number(3), DocPrecondition::IfMatch(current.etag)).await;
    let ifmatch_meta::Error::PartitionLocked { holder, remaining, .. } = late.unwrap_err() else {
        panic!("a put lands inside a transaction's life")
    };
    assert_eq!(holder.as_str(), "t");
    assert!(remaining.is_some_and(|left| !left.is_zero() && left <= LIFE));
    // A version that is gone is no news either while the partition is held.
    let late = store.put(&key("a"), number(3), DocPrecondition::IfMatch(seen)).await;
    assert_eq!(late.unwrap_err().kind(), "partition_locked");
}

async fn it_waits_for_a_begin(place: Place) {
    let (store, seen) = open(&place).await;
    let mut raw = place.raw().await;
    raw.execute("BEGIN").await.unwrap();
    raw.execute(place.sql("SELECT * FROM schema.begin_tx('p', 't', 30000000)")).await.unwrap();
    let put = spawn_put(&store, seen);
    pause(Duration::from_millis(100)).await;
    assert!(!put.is_finished(), "a put does not see a transaction that is being begun");
    raw.execute("COMMIT").await.unwrap();
    assert_eq!(put.await.unwrap().unwrap_err().kind(), "partition_locked");
}

async fn it_ends_what_is_over(place: Place) {
    let (store, seen) = open(&place).await;
    let id = TxId::new("t").unwrap();
    store.begin(&partition(), &id, LIFE).await.unwrap();
    place.execute("UPDATE schema.transactions SET ends_at = clock_timestamp()").await;
    spawn_put(&store, seen).await.unwrap().unwrap();
    assert!(matches!(store.outcome(&id, None).await.unwrap(), TxOutcome::Aborted));
}

async fn several(place: Place) {
    let (store, a) = open(&place).await;
    let b = store.put(&key("b"), number(1), DocPrecondition::IfAbsent).await.unwrap().etag;
    let start = store.change_token(&scope()).await.unwrap();
    let mut raw = place.raw().await;
    raw.execute("BEGIN").await.unwrap();
    let [b, a, last] = [b.bare(), a.bare(), "8-000000000000000000000008".into()];
    replace(&place, &mut raw, ("b", &b), &last).await;
    replace(&place, &mut raw, ("a", &a), "7-000000000000000000000007").await;
    replace(&place, &mut raw, ("b", &last), "9-000000000000000000000009").await;
    raw.execute("COMMIT").await.unwrap();
    let page = store.changes(&scope(), Some(&start), 10).await.unwrap();
    let ids: Vec<&str> = page.changes.iter().map(|change| change.key().id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
}

/// Whatever replaces a version has a position after that version's, whoever
/// wrote either of them.
async fn positions(place: Place) {
    let (store, _) = open(&place).await;
    let known = Arc::new(Mutex::new(BTreeMap::new()));
    let replaced = Arc::new(Mutex::new(Vec::new()));
    let writers = (0..8).map(|writer| {
        let (store, known, replaced) = (store.clone(), known.clone(), replaced.clone());
        tokio::spawn(async move {
            for n in 0..60 {
                let seen = store.get(&key("a")).await.unwrap().unwrap().etag;
                let blind = writer % 4 == 0;
                let pre =
                    if blind { DocPrecondition::Overwrite } else { DocPrecondition::IfMatch(seen) };
                match store.put(&key("a"), number(n), pre).await {
                    Ok(written) => {
                        known.lock().unwrap().insert(written.etag.bare(), written.position);
                        if !blind {
                            replaced.lock().unwrap().push((seen.bare(), written.position));
                        }
                    }
                    Err(error) => assert_eq!(error.kind(), "conflict", "{error}"),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let (known, replaced) = (known.lock().unwrap(), replaced.lock().unwrap());
    assert!(!replaced.is_empty());
    let mut seen = BTreeMap::new();
    for (version, position) in &*replaced {
        assert!(known.get(version).is_none_or(|before| before < position), "{version}");
        assert_eq!(seen.insert(version, position), None, "{version} is replaced twice");
    }
}

async fn it_wakes(place: Place) {
    let (store, other) = (place.open().await, place.open().await);
    let seen = store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap().etag;
    let token = store.change_token(&scope()).await.unwrap();
    let waiting = {
        let store = store.clone();
        tokio::spawn(async move { store.wait_for_change(&scope(), &token, LIFE).await })
    };
    pause(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished(), "nothing has changed");
    // A notice is lost on who is not listening yet.
    let mut seen = seen;
    for _ in 0..20 {
        seen = spawn_put(&other, seen).await.unwrap().unwrap().etag;
        pause(Duration::from_millis(500)).await;
        if waiting.is_finished() {
            return;
        }
    }
    panic!("no notice");
}

async fn another_isolation(place: Place) {
    let (_, seen) = open(&place).await;
    let mut raw = place.raw().await;
    raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    let put = format!(
        "SELECT schema.put('p', 'a', 3::smallint, '{}', '1-1', 0, NULL, '{{}}', NULL, false)",
        seen.bare()
    );
    let refused = raw.execute(place.sql(&put)).await;
    assert!(refused.unwrap_err().to_string().contains("READ COMMITTED"));
}
