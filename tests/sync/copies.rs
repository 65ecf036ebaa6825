//! Two working copies of one database, with a store that behaves.

use std::sync::Arc;

use ifmatch::sync::{Error, Locking, OnConflict, Outcome, SyncedDatabase};
use ifmatch::{Instrumented, Operation};

use crate::support::{Place, URL, insert, listing, options, rows, sql};

#[tokio::test]
async fn s3_w3_one_push_wins_and_the_other_learns_both_versions() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    let base = two.local_version().await.unwrap();
    insert(one.path(), "a");
    insert(two.path(), "b");
    let pushed = one.push().await.unwrap();
    let Err(Error::Conflict(conflict)) = two.push().await else { panic!("no conflict") };
    assert_eq!((conflict.base, conflict.remote), (base, pushed.base));
    assert!(!conflict.reloaded && conflict.saved.is_none());
    assert_eq!(rows(two.path()), ["b", "first"], "nothing was changed");
    let reloaded = two.reload().await.unwrap();
    assert_eq!(reloaded.outcome, Outcome::Reloaded);
    assert_eq!(rows(two.path()), ["a", "first"]);
    assert_eq!(rows(&reloaded.saved.unwrap()), ["b", "first"], "the local changes are kept");
    insert(two.path(), "b");
    two.push().await.unwrap();
    assert_eq!(one.pull().await.unwrap().outcome, Outcome::Pulled);
    assert_eq!(rows(one.path()), ["a", "b", "first"]);
}

#[tokio::test]
async fn w9_w16_a_clean_copy_sends_nothing_and_a_fresh_look_has_no_body() {
    let place = Place::new();
    place.init("one").await;
    let counting = Instrumented::new(place.store.clone());
    let store = Arc::new(counting.clone());
    let (copy, cloned) =
        SyncedDatabase::clone_to(&place.at("two"), store, URL, options()).await.unwrap();
    assert_eq!(cloned.cost.requests, 2);
    counting.log().take();
    assert_eq!(copy.push().await.unwrap().outcome, Outcome::Clean);
    rows(copy.path());
    assert_eq!(copy.push().await.unwrap().outcome, Outcome::Clean);
    assert!(counting.log().take().is_empty(), "a clean copy sends nothing");
    assert_eq!(copy.pull().await.unwrap().outcome, Outcome::UpToDate);
    assert!(!copy.is_behind().await.unwrap());
    let asked = counting.log().take();
    assert!(asked.iter().all(|r| r.operation == Operation::Get && r.outcome == "not_modified"));
    assert_eq!((asked.len(), asked.iter().map(|r| r.bytes_down).sum::<u64>()), (2, 0));
    insert(copy.path(), "a");
    assert_eq!(copy.push().await.unwrap().cost.requests, 3, "what lies there, once per copy");
    insert(copy.path(), "b");
    assert_eq!(copy.push().await.unwrap().cost.requests, 2, "the snapshot and the head");
}

#[tokio::test]
async fn s6_reload_on_conflict_adopts_the_remote_and_still_reports() {
    let place = Place::new();
    let one = place.init("one").await;
    place.copy("two").await;
    let options = options().on_conflict(OnConflict::Reload);
    let two = SyncedDatabase::open(&place.at("two"), place.store.clone(), options).await.unwrap();
    insert(one.path(), "a");
    insert(two.path(), "b");
    one.push().await.unwrap();
    let Err(Error::Conflict(conflict)) = two.push().await else { panic!("no conflict") };
    assert!(conflict.reloaded);
    assert_eq!(rows(&conflict.saved.unwrap()), ["b", "first"]);
    assert_eq!(rows(two.path()), ["a", "first"]);
    assert_eq!(two.push().await.unwrap().outcome, Outcome::Clean);
}

#[tokio::test]
async fn s5_force_goes_over_the_remote_and_says_what_it_replaced() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    insert(two.path(), "b");
    let first = one.push().await.unwrap();
    let forced = two.push_force().await.unwrap();
    assert_eq!(forced.replaced, Some(first.base));
    assert_eq!(forced.base.seq(), first.base.seq() + 1, "on top of it, not beside it");
    let kept = place.body(&format!("snapshots/{}", first.base)).await;
    assert!(kept.is_some(), "what was replaced is still there");
    insert(one.path(), "c");
    let locking = options().locking(Locking::None);
    let one = SyncedDatabase::open(one.path(), place.store.clone(), locking).await.unwrap();
    assert_eq!(one.push().await.unwrap().replaced, Some(forced.base));
}

#[tokio::test]
async fn a_database_that_somebody_has_open_is_not_replaced_under_them() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    let reader = rusqlite::Connection::open(two.path()).unwrap();
    let count = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u32>(0));
    assert_eq!(count().unwrap(), 1);
    let error = two.pull().await.unwrap_err();
    assert_eq!(error.kind(), "unavailable", "{error}");
    assert_eq!(count().unwrap(), 1, "they still read what they read");
    drop(reader);
    two.pull().await.unwrap();
    assert_eq!(rows(two.path()), ["a", "first"]);
}

#[tokio::test]
async fn the_pool_of_a_copy_reads_what_was_pulled() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    let count = async || {
        let pool = two.pool();
        let query = ifmatch::sql::sqlx::query_scalar::<_, i64>("SELECT count(*) FROM t");
        query.fetch_one(&pool).await.unwrap()
    };
    assert_eq!(count().await, 1);
    two.pull().await.unwrap();
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn a_file_that_was_swapped_is_not_pushed_until_somebody_decides() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    // A backup from before the push comes back.
    std::fs::copy(two.path(), place.at("backup")).unwrap();
    std::fs::rename(place.at("backup"), one.path()).unwrap();
    insert(one.path(), "z");
    assert!(matches!(one.push().await.unwrap_err(), Error::Swapped { .. }));
    let reloaded = one.reload().await.unwrap();
    assert_eq!(rows(&reloaded.saved.unwrap()), ["first", "z"]);
    assert_eq!(rows(one.path()), ["a", "first"]);
}

#[tokio::test]
async fn writers_during_a_push_get_a_consistent_snapshot_published() {
    let place = Place::new();
    place.init("one").await;
    // Writers and a push wait for each other as SQLite lets them.
    let options = ifmatch::sync::SyncOptions::new();
    let one = SyncedDatabase::open(&place.at("one"), place.store.clone(), options).await.unwrap();
    sql(one.path(), "CREATE TABLE pairs (a INTEGER, b INTEGER)");
    let path = one.path().to_owned();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let until = stop.clone();
    let writer = std::thread::spawn(move || {
        let mut connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        let mut written = 0_i64;
        while !until.load(std::sync::atomic::Ordering::Relaxed) {
            let transaction = connection.transaction().unwrap();
            transaction.execute("INSERT INTO pairs VALUES (?1, 0)", [written]).unwrap();
            transaction.execute("UPDATE pairs SET b = a WHERE a = ?1", [written]).unwrap();
            transaction.commit().unwrap();
            written += 1;
            std::thread::yield_now();
        }
    });
    for round in 0..10 {
        one.push().await.unwrap();
        let copy = place.copy(&format!("copy{round}")).await;
        let connection = rusqlite::Connection::open(copy.path()).unwrap();
        let torn: i64 = connection
            .query_row("SELECT count(*) FROM pairs WHERE a <> b", [], |row| row.get(0))
            .unwrap();
        let check: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!((torn, check.as_str()), (0, "ok"), "w8");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

#[tokio::test]
async fn init_and_clone_refuse_what_they_would_overwrite() {
    let place = Place::new();
    let one = place.init("one").await;
    sql(&place.at("other"), "CREATE TABLE t (x)");
    let before = listing(place.folder.path());
    let again = SyncedDatabase::init(one.path(), place.store.clone(), URL, options()).await;
    assert_eq!(again.unwrap_err().kind(), "invalid");
    let second =
        SyncedDatabase::init(&place.at("other"), place.store.clone(), URL, options()).await;
    assert_eq!(second.unwrap_err().kind(), "conflict", "w3: something is published there");
    let (other, none) = (place.at("other"), place.at("none"));
    let over = SyncedDatabase::clone_to(&other, place.store.clone(), URL, options());
    assert_eq!(over.await.unwrap_err().kind(), "invalid");
    let missing = SyncedDatabase::init(&none, place.store.clone(), URL, options());
    assert_eq!(missing.await.unwrap_err().kind(), "not_found");
    let mut after = listing(place.folder.path());
    after.retain(|name| !name.ends_with("-lock"));
    let mut before = before;
    before.retain(|name| !name.ends_with("-lock"));
    assert_eq!(before, after);
}
