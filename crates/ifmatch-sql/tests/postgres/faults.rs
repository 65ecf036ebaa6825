//! Connections that die, calls that are dropped, servers that are set otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ifmatch_meta::{DocPrecondition, Error, Json, MetaStore, Op, ScanOptions, WriteOptions};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::{AssertSqlSafe, Executor};

use crate::harness::{Cases, Place, json, key, number, partition, pause};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("faults::answers_stay_true_while_connections_die", answers_stay_true);
    cases.add("faults::dropped_calls_leave_nothing_behind", dropped_calls_leave_nothing_behind);
    cases.add("faults::a_write_that_waits_too_long_is_not_applied", waits_too_long);
    cases.add("faults::a_role_may_prefer_another_isolation", another_isolation);
    cases.add("faults::many_batches_of_shared_documents_end", many_batches_end);
    cases.add("faults::the_deepest_and_oddest_bodies_are_stored", odd_bodies);
}

/// What became of the writes of one writer.
#[derive(Default)]
struct Tally {
    done: Vec<String>,
    not_done: Vec<String>,
    unknown: usize,
    increments: i64,
    unknown_increments: i64,
}

async fn answers_stay_true(place: Place) {
    let name = place.schema.clone();
    let url = format!("{}?application_name={name}", place.url);
    let open = || PostgresMetaStore::open(&url, place.options().audit(true));
    let store = open().await.unwrap();
    store.put(&key("counter"), number(0), DocPrecondition::IfAbsent).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let killer = {
        let (over, mut raw) = (over.clone(), place.raw().await);
        tokio::spawn(async move {
            let kill = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = '{name}' ORDER BY random() LIMIT 1"
            );
            while !over.load(Ordering::Relaxed) {
                raw.execute(AssertSqlSafe(kill.as_str())).await.unwrap();
                pause(Duration::from_millis(15)).await;
            }
        })
    };
    let writers = (0..4).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move { write(&store, writer).await })
    });
    let mut tallies = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        tallies.push(writer.await.unwrap());
    }
    over.store(true, Ordering::Relaxed);
    killer.await.unwrap();
    let store = place.open().await;
    let mut there = std::collections::BTreeSet::new();
    let mut next = Some(ScanOptions::default());
    while let Some(options) = next {
        let page = store.scan(&partition(), options).await.unwrap();
        there.extend(page.documents.iter().map(|document| document.key.id.as_str().to_owned()));
        next = page.next.map(|token| ScanOptions::default().after(token));
    }
    let (mut unknown, mut done, mut counted, mut uncounted) = (0, 0, 0, 0);
    for tally in &tallies {
        for id in &tally.done {
            assert!(there.contains(id), "{id} was written, but is not there");
        }
        for id in &tally.not_done {
            assert!(!there.contains(id), "{id} was not written, but is there");
        }
        done += tally.done.len();
        unknown += tally.unknown;
        counted += tally.increments;
        uncounted += tally.unknown_increments;
    }
    let there = store.get(&key("counter")).await.unwrap().unwrap();
    let n = there.body.value().unwrap()["n"].as_i64().unwrap();
    println!("{done} done, {unknown} unknown; {counted} counted, {uncounted} perhaps, {n} in all");
    assert!(counted <= n && n <= counted + uncounted, "{counted} {uncounted} {n}");
    assert!(unknown > 0 && done > 0, "the killer has hit nothing");
}

async fn write(store: &PostgresMetaStore, writer: usize) -> Tally {
    let mut tally = Tally::default();
    for round in 0..150 {
        let id = format!("w{writer}-{round}");
        let answer = if round % 3 == 0 {
            let put = Op::put(key(&id).id, number(1), DocPrecondition::IfAbsent);
            store.batch(&partition(), vec![put]).await.map(drop)
        } else {
            store.put(&key(&id), number(1), DocPrecondition::IfAbsent).await.map(drop)
        };
        match answer {
            Ok(()) => tally.done.push(id),
            Err(Error::OutcomeUnknown { .. }) => tally.unknown += 1,
            // Its own earlier write is no conflict: every id is written once.
            Err(error) => {
                assert_eq!(error.kind(), "unavailable", "{error}");
                tally.not_done.push(id);
            }
        }
        let Ok(Some(counter)) = store.get(&key("counter")).await else { continue };
        let n = counter.body.value().unwrap()["n"].as_i64().unwrap();
        let expected = DocPrecondition::IfMatch(counter.etag);
        match store.put(&key("counter"), number(n + 1), expected).await {
            Ok(_) => tally.increments += 1,
            Err(Error::OutcomeUnknown { .. }) => tally.unknown_increments += 1,
            Err(_) => {}
        }
    }
    tally
}

async fn dropped_calls_leave_nothing_behind(place: Place) {
    let store = place.open_with(place.options().transactions(true)).await;
    store.put(&key("counter"), number(0), DocPrecondition::IfAbsent).await.unwrap();
    let tasks = (0..4_u64).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(task);
            let (mut done, mut dropped) = (0, 0);
            for _ in 0..150 {
                let one = random.u8(..3);
                let call = async {
                    let counter = store.get(&key("counter")).await?.unwrap();
                    let n = counter.body.value()?["n"].as_i64().unwrap();
                    let expected = DocPrecondition::IfMatch(counter.etag);
                    let body = number(n + 1);
                    match one {
                        0 => store.put(&key("counter"), body, expected).await.map(drop),
                        1 => {
                            let options = WriteOptions::default();
                            store.patch(&key("counter"), body, expected, options).await.map(drop)
                        }
                        _ => {
                            let put = Op::put(key("counter").id, body, expected);
                            store.batch(&partition(), vec![put]).await.map(drop)
                        }
                    }
                };
                let patience = Duration::from_micros(random.u64(..40_000));
                match tokio::time::timeout(patience, call).await {
                    Ok(Ok(())) => done += 1,
                    Ok(Err(error)) => assert_eq!(error.kind(), "conflict", "{error}"),
                    Err(_) => dropped += 1,
                }
            }
            (done, dropped)
        })
    });
    let (mut done, mut dropped) = (0, 0);
    for task in tasks.collect::<Vec<_>>() {
        let (d, l) = task.await.unwrap();
        done += d;
        dropped += l;
    }
    // Nobody holds anything: a transaction needs the whole partition.
    let id = ifmatch_meta::TxId::new("t").unwrap();
    let backend = store.transactions().unwrap();
    let life = Duration::from_secs(10);
    let partition = partition();
    let begun = tokio::time::timeout(life, backend.begin(&partition, &id, life));
    let record = begun.await.expect("no lock is left").unwrap();
    backend.abort(&record.address).await.unwrap();
    let counter = store.get(&key("counter")).await.unwrap().unwrap();
    let n = counter.body.value().unwrap()["n"].as_i64().unwrap();
    println!("{done} done, {dropped} dropped, {n} in all");
    assert!(done <= n && n <= done + dropped, "{done} {dropped} {n}");
    assert!(dropped > 0 && done > 0, "{done} {dropped}");
}

async fn waits_too_long(place: Place) {
    place.open().await.close().await.unwrap();
    let short = place.options().deadline(Duration::from_secs(2));
    let store = place.open_with(short).await;
    let mut slow = place.open_put("a").await;
    let error = store.put(&key("a"), number(1), DocPrecondition::Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable", "{error}");
    slow.execute("ROLLBACK").await.unwrap();
    pause(Duration::from_millis(100)).await;
    assert!(store.get(&key("a")).await.unwrap().is_none(), "it was applied all the same");
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
}

async fn another_isolation(place: Place) {
    for level in ["serializable", "repeatable read"] {
        let level = level.replace(' ', "%5C%20");
        let set = format!("-c%20default_transaction_isolation={level}");
        let url = format!("{}?options={set}", place.url);
        let store = PostgresMetaStore::open(&url, place.options()).await.unwrap();
        store.put(&key("a"), number(1), DocPrecondition::Overwrite).await.unwrap();
        store.close().await.unwrap();
    }
    let mut raw = place.raw().await;
    raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
    let refused = raw.execute(place.sql("SELECT schema.enter('p', true, NULL)")).await;
    assert!(refused.unwrap_err().to_string().contains("READ COMMITTED"));
}

/// Batches that name the same documents in every order, few and many of them:
/// they take turns, and none is lost.
async fn many_batches_end(place: Place) {
    let store = place.open_with(place.options().connections(8)).await;
    let tasks = (0..8_u64).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(task);
            for round in 0..20 {
                let mut ids: Vec<usize> = (0..40).collect();
                random.shuffle(&mut ids);
                let count = if round % 2 == 0 { 5 } else { 30 };
                let ops = ids.iter().take(count).map(|n| {
                    let id = key(&format!("d{n}")).id;
                    Op::put(id, number(1), DocPrecondition::Overwrite)
                });
                store.batch(&partition(), ops.collect()).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

async fn odd_bodies(place: Place) {
    let store = place.open().await;
    let deep = format!("{}0.1{}", "[".repeat(128), "]".repeat(128));
    let floats = format!("[{}]", vec!["1.7976931348623157e308,5e-324,-2.2e-308"; 5_000].join(","));
    for (n, body) in [
        deep.as_str(),
        floats.as_str(),
        " { \"a\" : 1.10 , \"b\":\"\\u00e9\\ud83d\\ude00\" } ",
        "123456789012345678901234567890",
        "-0",
        "1E400".get(..2).unwrap(),
        "\"\\u0001\"",
    ]
    .iter()
    .enumerate()
    {
        let (key, Ok(body)) = (key(&format!("d{n}")), Json::new(*body)) else { continue };
        store.put(&key, body.clone(), DocPrecondition::IfAbsent).await.unwrap();
        assert_eq!(store.get(&key).await.unwrap().unwrap().body, body);
    }
    let long = json(&format!("\"{}\"", "é".repeat(500_000)));
    store.put(&key("long"), long.clone(), DocPrecondition::IfAbsent).await.unwrap();
    assert_eq!(store.get(&key("long")).await.unwrap().unwrap().body, long);
}
