//! What is staged belongs to an open transaction: nothing of it is left when that
//! has ended, whoever ended it and whatever was under way.
//!
//! Broken once: a piece that was being staged while somebody ended its
//! transaction, because its life was over, stayed in the table for ever.

use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::Env;
use ifmatch_meta::{
    DocPrecondition, Effect, MetaStore, Nonce, TxAddress, TxBackend, TxCommit, TxId, TxOutcome,
};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::{Executor, Row};

use crate::harness::{Cases, Place, key, number, partition, pause};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("staged::no_end_of_a_transaction_leaves_a_piece", no_end_leaves_a_piece);
    cases.add("staged::a_piece_under_way_goes_with_its_transaction", a_piece_under_way);
    cases.add("staged::no_piece_comes_after_the_end", no_piece_comes_after_the_end);
}

const LIFE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(400);

async fn open(place: &Place) -> PostgresMetaStore {
    place.open_with(place.options().transactions(true)).await
}

fn id() -> TxId {
    TxId::new("t").unwrap()
}

/// Pieces whose transaction is not open.
async fn orphans(place: &Place) -> i64 {
    let sql = "SELECT count(*) FROM schema.staged s WHERE NOT EXISTS (
        SELECT FROM schema.transactions t
        WHERE t.id = s.id AND t.incarnation = s.incarnation AND t.state = 0)";
    let row = place.raw().await.fetch_one(place.sql(sql)).await.unwrap();
    row.get(0)
}

async fn staged(store: &PostgresMetaStore, life: Duration) -> TxAddress {
    let address = store.begin(&partition(), &id(), life).await.unwrap().address;
    for number in 0..3 {
        store.stage(&address, number, Bytes::from_static(b"piece")).await.unwrap();
    }
    address
}

async fn free(store: &PostgresMetaStore) {
    store.put(&key("other"), number(1), DocPrecondition::Overwrite).await.unwrap();
}

async fn no_end_leaves_a_piece(place: Place) {
    let store = open(&place).await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let address = staged(&store, LIFE).await;
    store.abort(&address).await.unwrap();
    assert_eq!(orphans(&place).await, 0, "after an abort");
    // A commit that is refused, because somebody wrote past the lock, ends it too.
    for before in [false, true] {
        let address = staged(&store, LIFE).await;
        let there = store.get(&key("a")).await.unwrap().unwrap().etag;
        let before = if before { Some(there) } else { None };
        let effects = vec![Effect { id: key("a").id, before, after: None }];
        let nonce = Nonce::draw(&Env::real());
        let commit = TxCommit { nonce, staged: 3, author: None, effects };
        assert_eq!(store.commit(&address, commit).await.is_ok(), before.is_some());
        assert_eq!(orphans(&place).await, 0, "after a commit");
    }
    for by in ["a write", "a begin", "an outcome", "a commit", "a batch"] {
        let address = staged(&store, SHORT).await;
        pause(SHORT + Duration::from_millis(50)).await;
        match by {
            "a write" => free(&store).await,
            "a begin" => {
                let next = TxId::new("next").unwrap();
                let next = store.begin(&partition(), &next, LIFE).await.unwrap();
                store.abort(&next.address).await.unwrap();
            }
            "an outcome" => {
                let outcome = store.outcome(&id(), None).await.unwrap();
                assert_eq!(outcome, TxOutcome::Aborted);
            }
            "a commit" => {
                let effects = vec![Effect { id: key("x").id, before: None, after: None }];
                let nonce = Nonce::draw(&Env::real());
                let commit = TxCommit { nonce, staged: 3, author: None, effects };
                let late = store.commit(&address, commit).await;
                assert_eq!(late.unwrap_err().kind(), "expired");
            }
            _ => {
                let op = ifmatch_meta::Op::put(key("b").id, number(1), DocPrecondition::Overwrite);
                store.batch(&partition(), vec![op]).await.unwrap();
            }
        }
        assert_eq!(orphans(&place).await, 0, "after its life was over, by {by}");
        let late = store.stage(&address, 3, Bytes::from_static(b"late")).await;
        assert_eq!(late.unwrap_err().kind(), "expired");
    }
}

/// Somebody stages by SQL and does not come to an end in time.
async fn a_piece_under_way(place: Place) {
    let store = open(&place).await;
    let address = staged(&store, SHORT).await;
    let mut slow = place.raw().await;
    slow.execute("BEGIN").await.unwrap();
    let stage =
        format!("SELECT schema.stage_tx('p', 't', {}, 3, '\\x00') AS answer", address.incarnation);
    let row = slow.fetch_one(place.sql(&stage)).await.unwrap();
    assert_eq!(row.get::<&str, _>("answer"), "done");
    pause(SHORT + Duration::from_millis(50)).await;
    let write = {
        let store = store.clone();
        tokio::spawn(async move { free(&store).await })
    };
    pause(Duration::from_millis(150)).await;
    slow.execute("COMMIT").await.unwrap();
    write.await.unwrap();
    assert_eq!(store.outcome(&id(), None).await.unwrap(), TxOutcome::Aborted);
    assert_eq!(orphans(&place).await, 0);
}

/// Somebody ends it by SQL and does not come to an end in time.
async fn no_piece_comes_after_the_end(place: Place) {
    let store = open(&place).await;
    let address = staged(&store, LIFE).await;
    let mut slow = place.raw().await;
    slow.execute("BEGIN").await.unwrap();
    let end =
        format!("SELECT schema.end_tx('t', {}, 2::smallint, NULL, NULL)", address.incarnation);
    slow.execute(place.sql(&end)).await.unwrap();
    let stage = {
        let store = store.clone();
        let piece = Bytes::from_static(b"late");
        tokio::spawn(async move { store.stage(&address, 3, piece).await })
    };
    pause(Duration::from_millis(200)).await;
    slow.execute("COMMIT").await.unwrap();
    assert_eq!(stage.await.unwrap().unwrap_err().kind(), "expired");
    assert_eq!(orphans(&place).await, 0);
    free(&store).await;
}
