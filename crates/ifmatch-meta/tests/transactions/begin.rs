use std::sync::Arc;
use std::time::Duration;

use ifmatch_meta::{
    DocPrecondition, MemoryMetaStore, MemoryOptions, MetaStore, Op, Partition, Transaction, TxId,
    TxOptions, TxOutcome, WriteOptions,
};

use crate::common::*;
use crate::lossy::Fate;

#[tokio::test(start_paused = true)]
async fn t1_a_store_without_the_option_begins_none() {
    let store = Arc::new(MemoryMetaStore::with(MemoryOptions::default().env(env())));
    let begun = Transaction::begin(store.clone(), &p(), TxOptions::default()).await;
    assert_eq!(begun.unwrap_err().kind(), "unsupported");
    let resumed = Transaction::resume(store, &tx_id("a")).await;
    assert_eq!(resumed.unwrap_err().kind(), "unsupported");
}

#[tokio::test(start_paused = true)]
async fn t8_ids_made_by_the_store_and_transactions_exclude_each_other() {
    let inserted = store().insert(&p(), json("1"), WriteOptions::default()).await;
    assert_eq!(inserted.unwrap_err().kind(), "unsupported");
}

#[tokio::test(start_paused = true)]
async fn t9_others_fail_at_once_until_the_end_and_other_partitions_are_free() {
    let store = store();
    store.put(&key("a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    for commit in [true, false] {
        let tx = begin(&store).await;
        put(&tx, "b", "2").await;
        let started = store.env().now();
        let error = store.put(&key("a"), json("2"), DocPrecondition::Overwrite).await.unwrap_err();
        assert_eq!(error.kind(), "partition_locked");
        assert_eq!(store.env().now(), started, "it does not wait");
        let late = Transaction::begin(store.clone(), &p(), TxOptions::default()).await;
        assert_eq!(late.unwrap_err().kind(), "partition_locked");
        let check = Op::check(id("a"), DocPrecondition::IfExists);
        store.batch(&p(), vec![check]).await.unwrap();
        let other = ifmatch_meta::DocKey::new("q", "a").unwrap();
        store.put(&other, json("1"), DocPrecondition::Overwrite).await.unwrap();
        if commit {
            tx.commit().await.unwrap();
        } else {
            tx.abort().await.unwrap();
        }
        assert!(is_free(&*store).await);
    }
}

#[tokio::test(start_paused = true)]
async fn t10_options_beyond_their_limits_are_invalid() {
    let (none, minute) = (Duration::ZERO, Duration::from_mins(1));
    for options in [
        TxOptions::default().lifetime(none),
        TxOptions::default().idle(none),
        TxOptions::default().lifetime(minute + Duration::from_millis(1)),
        TxOptions::default().idle(minute + Duration::from_millis(1)),
        TxOptions::default().staged((4 << 20) + 1),
    ] {
        let begun = Transaction::begin(store(), &p(), options).await;
        assert_eq!(begun.unwrap_err().kind(), "invalid");
    }
}

#[tokio::test(start_paused = true)]
async fn t11_a_begin_whose_answer_was_lost_is_asked_again() {
    let store = store();
    store.next([Fate::AnswerLost, Fate::Lost]);
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    assert!(tx.commit().await.unwrap().position.is_some());
}

#[tokio::test(start_paused = true)]
async fn t11_the_same_id_is_the_same_transaction_and_after_its_end_another() {
    let store = store();
    let named = || TxOptions::default().id(tx_id("mine"));
    store.next([Fate::AnswerLost; 3]);
    let error = Transaction::begin(store.clone(), &p(), named()).await.unwrap_err();
    assert_eq!(error.kind(), "outcome_unknown");
    settle().await;
    assert!(!is_free(&*store).await, "who chose the id may ask again");
    let old = begin_with(&store, named()).await;
    put(&old, "a", "1").await;
    let again = begin_with(&store, named()).await;
    again.abort().await.unwrap();
    let new = begin_with(&store, named()).await;
    assert_eq!(old.commit().await.unwrap_err().kind(), "expired");
    put(&new, "b", "2").await;
    new.commit().await.unwrap();
    assert_eq!((body(&*store, "a").await, body(&*store, "b").await), (None, Some("2".to_owned())));
    let other = Partition::new("q").unwrap();
    let _open = begin_with(&store, named()).await;
    let elsewhere = Transaction::begin(store.clone(), &other, named()).await;
    assert_eq!(elsewhere.unwrap_err().kind(), "invalid");
}

#[tokio::test(start_paused = true)]
async fn t11_a_begin_that_nobody_can_ask_for_again_holds_nobody_up() {
    let store = store();
    store.next([Fate::AnswerLost; 3]);
    let error = Transaction::begin(store.clone(), &p(), TxOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), "outcome_unknown");
    settle().await;
    assert!(is_free(&*store).await);
    store.next([Fate::Hangs]);
    let partition = p();
    let begun = Transaction::begin(store.clone(), &partition, TxOptions::default());
    assert!(tokio::time::timeout(Duration::from_secs(1), begun).await.is_err());
    settle().await;
    assert!(is_free(&*store).await);
}

#[tokio::test(start_paused = true)]
async fn t30_an_unknown_id_is_forgotten_and_cannot_be_resumed() {
    let store = store();
    let none = TxId::new("none").unwrap();
    assert_eq!(Transaction::outcome(&*store, &none).await.unwrap(), TxOutcome::Forgotten);
    let resumed = Transaction::resume(store, &none).await;
    assert_eq!(resumed.unwrap_err().kind(), "expired");
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_shared_by_tasks_and_its_futures_move_between_threads() {
    fn moves<T: Send>(value: T) -> T {
        value
    }
    let store = store();
    let partition = p();
    let begun = moves(Transaction::begin(store.clone(), &partition, TxOptions::default())).await;
    let tx = Arc::new(moves(begun.unwrap()));
    let other = Arc::clone(&tx);
    tokio::spawn(async move { put(&other, "a", "1").await }).await.unwrap();
    moves(tx.scan(&partition, ifmatch_meta::ScanOptions::default())).await.unwrap();
    moves(tx.detach()).await.unwrap();
    moves(tx.commit()).await.unwrap();
    moves(Transaction::resume(store, tx.id())).await.unwrap();
}
