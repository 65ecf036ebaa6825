//! Local transactions against writers under way.

use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_meta::{
    DocPrecondition, Effect, MetaStore, Nonce, TxBackend, TxCommit, TxId, TxOutcome,
};
use ifmatch_sql::PostgresMetaStore;
use ifmatch_sql::sqlx::Executor;

use crate::harness::{Cases, Place, key, number, partition, pause};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("transactions::t9_no_write_lands_inside_a_transaction", no_write_lands_inside);
    cases.add("transactions::t9_a_write_waits_for_a_begin_under_way", a_write_waits_for_a_begin);
    cases.add("transactions::t10_a_life_that_is_over_is_never_committed", over_is_over);
    cases.add("transactions::t7_an_id_is_open_in_one_partition", an_id_is_open_in_one_partition);
    cases.add("transactions::t30_old_outcomes_are_forgotten", old_outcomes_are_forgotten);
}

const LIFE: Duration = Duration::from_secs(30);

async fn open(place: &Place) -> PostgresMetaStore {
    place.open_with(place.options().transactions(true)).await
}

fn id(name: &str) -> TxId {
    TxId::new(name).unwrap()
}

/// A put that began before the transaction has landed before it is begun.
async fn no_write_lands_inside(place: Place) {
    let store = open(&place).await;
    let mut slow = place.open_put("slow").await;
    let begun = {
        let store = store.clone();
        tokio::spawn(async move { store.begin(&partition(), &id("t"), LIFE).await })
    };
    pause(Duration::from_millis(100)).await;
    assert!(!begun.is_finished(), "a transaction is begun while a write is under way");
    slow.execute("COMMIT").await.unwrap();
    begun.await.unwrap().unwrap();
    assert!(store.get(&key("slow")).await.unwrap().is_some());
    let late = store.put(&key("late"), number(1), DocPrecondition::IfAbsent).await;
    assert_eq!(late.unwrap_err().kind(), "partition_locked");
}

async fn a_write_waits_for_a_begin(place: Place) {
    let store = open(&place).await;
    let mut raw = place.raw().await;
    raw.execute("BEGIN").await.unwrap();
    raw.execute(place.sql("SELECT * FROM schema.begin_tx('p', 't', 30000000)")).await.unwrap();
    let put = {
        let store = store.clone();
        let put = async move { store.put(&key("a"), number(1), DocPrecondition::Overwrite).await };
        tokio::spawn(put)
    };
    pause(Duration::from_millis(100)).await;
    assert!(!put.is_finished(), "a write does not see a transaction that is being begun");
    raw.execute("COMMIT").await.unwrap();
    assert_eq!(put.await.unwrap().unwrap_err().kind(), "partition_locked");
}

async fn commit_of(store: &PostgresMetaStore) -> TxCommit {
    let document = store.get(&key("a")).await.unwrap().unwrap();
    let effects = vec![Effect { id: key("a").id, before: Some(document.etag), after: None }];
    TxCommit { nonce: Nonce::draw(&Env::real()), staged: 0, effects }
}

async fn over_is_over(place: Place) {
    let store = open(&place).await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let short = Duration::from_millis(200);
    for asked in [true, false] {
        let record = store.begin(&partition(), &id("t"), short).await.unwrap();
        let commit = commit_of(&store).await;
        pause(short + Duration::from_millis(50)).await;
        assert_eq!(store.find(&id("t")).await.unwrap(), None);
        if asked {
            let outcome = store.outcome(&id("t"), Some(record.address.incarnation)).await;
            assert_eq!(outcome.unwrap(), TxOutcome::Aborted);
        }
        let late = store.commit(&record.address, commit).await;
        assert_eq!(late.unwrap_err().kind(), "expired");
        assert_eq!(store.outcome(&id("t"), None).await.unwrap(), TxOutcome::Aborted);
        assert!(store.get(&key("a")).await.unwrap().is_some());
    }
    // Twice the same commit, and another one.
    let record = store.begin(&partition(), &id("t"), LIFE).await.unwrap();
    let commit = commit_of(&store).await;
    let (first, _) = store.commit(&record.address, commit.clone()).await.unwrap();
    let (again, _) = store.commit(&record.address, commit.clone()).await.unwrap();
    assert_eq!(first, again);
    let other = TxCommit { nonce: Nonce::draw(&Env::real()), ..commit.clone() };
    assert_eq!(store.commit(&record.address, other).await.unwrap_err().kind(), "busy");
    let outcome = TxOutcome::Committed { position: first, nonce: commit.nonce };
    assert_eq!(store.outcome(&id("t"), None).await.unwrap(), outcome);
}

async fn an_id_is_open_in_one_partition(place: Place) {
    let store = open(&place).await;
    let partitions = ["p", "q", "r", "s"].map(|name| ifmatch_meta::Partition::new(name).unwrap());
    for round in 0..20 {
        let name = id(&format!("t{round}"));
        let begins = partitions.iter().map(|partition| {
            let (store, partition, name) = (store.clone(), partition.clone(), name.clone());
            tokio::spawn(async move { store.begin(&partition, &name, LIFE).await })
        });
        let mut open = Vec::new();
        for begin in begins.collect::<Vec<_>>() {
            match begin.await.unwrap() {
                Ok(record) => open.push(record),
                Err(error) => assert_eq!(error.kind(), "invalid", "{error}"),
            }
        }
        assert_eq!(open.len(), 1, "in how many partitions it is open");
        store.abort(&open[0].address).await.unwrap();
        store.abort(&open[0].address).await.unwrap();
    }
}

async fn old_outcomes_are_forgotten(place: Place) {
    let store = open(&place).await;
    let first = store.begin(&partition(), &id("first"), LIFE).await.unwrap();
    store.abort(&first.address).await.unwrap();
    let many = "INSERT INTO schema.transactions
        SELECT 'n' || n, t.incarnation + n, 'p', 1, clock_timestamp(), 2, NULL, NULL, clock_timestamp()
        FROM schema.transactions t, generate_series(1, 1000) n WHERE t.id = 'first'";
    place.execute(many).await;
    let begin_and_abort = |name: &'static str| {
        let store = store.clone();
        async move {
            let record = store.begin(&partition(), &id(name), LIFE).await.unwrap();
            store.abort(&record.address).await.unwrap();
        }
    };
    begin_and_abort("young").await;
    assert_eq!(store.outcome(&id("first"), None).await.unwrap(), TxOutcome::Aborted);
    place.execute("UPDATE schema.transactions SET ended_at = ended_at - interval '8 days'").await;
    begin_and_abort("old").await;
    assert_eq!(store.outcome(&id("first"), None).await.unwrap(), TxOutcome::Forgotten);
    assert_eq!(store.outcome(&id("young"), None).await.unwrap(), TxOutcome::Aborted);
}
