use std::sync::Arc;
use std::time::Duration;

use ifmatch_meta::{DocPrecondition, MetaStore, Transaction, TxOptions};

use crate::common::*;
use crate::lossy::{Fate, Lossy};

async fn named(store: &Arc<Lossy>) -> Transaction {
    begin_with(store, TxOptions::default().id(tx_id("x"))).await
}

async fn resume(store: &Arc<Lossy>) -> Transaction {
    Transaction::resume(store.clone(), &tx_id("x")).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn t7_another_process_goes_on_with_what_was_detached() {
    let store = store();
    store.put(&key("old"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    let text = "{\n\t\"a\" : 1.10,\r\n \"q\":\"\\\"ä\\u00e4\" }";
    let one = named(&store).await;
    let by = ifmatch_meta::WriteOptions::default().author("ann").return_document();
    let written = one.put_with(&key("a"), json(text), DocPrecondition::IfAbsent, by).await.unwrap();
    put(&one, "b", "1").await;
    one.delete(&key("old"), DocPrecondition::IfExists).await.unwrap();
    one.detach().await.unwrap();
    let sent = store.requests();
    one.detach().await.unwrap();
    assert_eq!(store.requests(), sent, "there is nothing new");
    drop(one);
    let two = resume(&store).await;
    assert_eq!(two.get(&key("a")).await.unwrap(), written.document.map(|document| *document));
    assert_eq!(two.get(&key("old")).await.unwrap(), None);
    two.delete(&key("b"), DocPrecondition::IfExists).await.unwrap();
    two.put(&key("old"), json("2"), DocPrecondition::IfAbsent).await.unwrap();
    two.detach().await.unwrap();
    let three = resume(&store).await;
    assert_eq!(three.get(&key("b")).await.unwrap(), None);
    assert_eq!(three.staged_bytes().unwrap(), 1 + text.len() + 1 + 3 + 1);
    three.commit().await.unwrap();
    assert_eq!(body(&*store, "a").await.as_deref(), Some(text), "byte for byte");
    assert_eq!(body(&*store, "b").await, None);
    assert_eq!(body(&*store, "old").await.as_deref(), Some("2"));
    let stored = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((stored.etag, stored.updated_by.as_deref()), (written.etag, Some("ann")));
}

#[tokio::test(start_paused = true)]
async fn of_two_handles_the_second_to_detach_is_busy_for_ever() {
    let store = store();
    let one = named(&store).await;
    let two = resume(&store).await;
    put(&one, "a", "1").await;
    put(&two, "b", "1").await;
    one.detach().await.unwrap();
    assert_eq!(two.detach().await.unwrap_err().kind(), "busy");
    assert_eq!(two.get(&key("b")).await.unwrap_err().kind(), "busy");
    assert_eq!(two.commit().await.unwrap_err().kind(), "busy");
    assert_eq!(two.abort().await.unwrap_err().kind(), "busy", "it is not its own any more");
    drop(two);
    settle().await;
    one.commit().await.unwrap();
    assert_eq!((body(&*store, "a").await, body(&*store, "b").await), (Some("1".into()), None));
}

#[tokio::test(start_paused = true)]
async fn a_commit_never_lacks_what_another_handle_detached() {
    let store = store();
    for writes in [true, false] {
        let one = named(&store).await;
        let two = resume(&store).await;
        if writes {
            put(&two, "b", "1").await;
        }
        put(&one, "a", "1").await;
        one.detach().await.unwrap();
        assert_eq!(two.commit().await.unwrap_err().kind(), "busy", "writes: {writes}");
        assert_eq!(body(&*store, "a").await, None);
        let three = resume(&store).await;
        three.commit().await.unwrap();
        assert_eq!(body(&*store, "a").await.as_deref(), Some("1"));
        assert_eq!(body(&*store, "b").await, None);
        store.delete(&key("a"), DocPrecondition::IfExists).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_commits_one_is_busy_and_both_hear_the_truth() {
    let store = store();
    let one = named(&store).await;
    let two = resume(&store).await;
    put(&one, "a", "1").await;
    put(&two, "b", "1").await;
    store.next([Fate::AnswerLost]);
    assert_eq!(one.commit().await.unwrap_err().kind(), "outcome_unknown");
    assert_eq!(two.commit().await.unwrap_err().kind(), "busy");
    one.commit().await.unwrap();
    assert_eq!((body(&*store, "a").await, body(&*store, "b").await), (Some("1".into()), None));
}

#[tokio::test(start_paused = true)]
async fn a_piece_whose_answer_was_lost_lands_once() {
    for (fate, lost) in [(Fate::AnswerLost, true), (Fate::Lost, true), (Fate::Refused, false)] {
        for again in [true, false] {
            let store = store();
            let tx = named(&store).await;
            put(&tx, "a", "1").await;
            store.next([fate]);
            let error = tx.detach().await.unwrap_err();
            assert_eq!(error.kind() == "outcome_unknown", lost);
            put(&tx, "b", "2").await;
            tx.delete(&key("a"), DocPrecondition::IfExists).await.unwrap();
            if again {
                tx.detach().await.unwrap();
                assert_eq!(resume(&store).await.get(&key("a")).await.unwrap(), None);
            }
            put(&tx, "c", "3").await;
            tx.commit().await.unwrap();
            for (name, there) in [("a", false), ("b", true), ("c", true)] {
                assert_eq!(body(&*store, name).await.is_some(), there, "{fate:?} {name}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_detach_can_be_called_again() {
    let store = store();
    let tx = named(&store).await;
    put(&tx, "a", "1").await;
    store.next([Fate::Hangs]);
    assert!(tokio::time::timeout(Duration::from_secs(1), tx.detach()).await.is_err());
    tx.detach().await.unwrap();
    let two = resume(&store).await;
    put(&two, "b", "1").await;
    two.commit().await.unwrap();
    assert_eq!(
        (body(&*store, "a").await, body(&*store, "b").await),
        (Some("1".into()), Some("1".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_is_none_is_corrupt_and_never_a_panic() {
    let store = store();
    for piece in ["", "{", "{}", r#"{"v":1,"nonce":"","rows":[{"id":""}]}"#, "\u{0}"] {
        let tx = named(&store).await;
        let record = store.transactions().unwrap().find(tx.id()).await.unwrap().unwrap();
        store.transactions().unwrap().stage(&record.address, 0, piece.into()).await.unwrap();
        let resumed = Transaction::resume(store.clone(), &tx_id("x")).await;
        assert_eq!(resumed.unwrap_err().kind(), "corrupt", "{piece:?}");
        tx.abort().await.unwrap();
    }
    let tx = named(&store).await;
    let record = store.transactions().unwrap().find(tx.id()).await.unwrap().unwrap();
    let later = r#"{"v":2,"other":1}"#;
    store.transactions().unwrap().stage(&record.address, 0, later.into()).await.unwrap();
    let resumed = Transaction::resume(store.clone(), &tx_id("x")).await;
    assert_eq!(resumed.unwrap_err().kind(), "unsupported");
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_a_commit_overtakes_hears_of_it() {
    let store = store();
    let tx = named(&store).await;
    put(&tx, "a", "1").await;
    tx.detach().await.unwrap();
    // It is found open, and committed before its pieces are read.
    store.next([Fate::Done, Fate::Late(Duration::from_secs(2))]);
    let resumed = tokio::spawn({
        let store = store.clone();
        async move { Transaction::resume(store, &tx_id("x")).await }
    });
    pass(Duration::from_secs(1)).await;
    let position = tx.commit().await.unwrap().position;
    let resumed = resumed.await.unwrap().unwrap();
    assert_eq!(resumed.commit().await.unwrap().position, position);
}

fn large(n: u8) -> String {
    format!("\"{n}{}\"", "x".repeat(397))
}

/// Broken once: each detach was bounded, and their sum was not.
#[tokio::test(start_paused = true)]
async fn t18_what_many_detaches_leave_has_a_limit_and_the_transaction_stays_alive() {
    let store = store();
    let options = || TxOptions::default().id(tx_id("x")).staged(1_000);
    let one = begin_with(&store, options()).await;
    // 401 bytes each time, in a piece of its own; 2,000 may lie there.
    for n in 0..4 {
        put(&one, "a", &large(n)).await;
        if n == 1 {
            store.next([Fate::AnswerLost]);
            assert_eq!(one.detach().await.unwrap_err().kind(), "outcome_unknown");
        }
        one.detach().await.unwrap();
        one.detach().await.unwrap(); // Nothing new.
    }
    // Whoever goes on with it counts on.
    drop(one);
    let two = Transaction::resume_with(store.clone(), &tx_id("x"), options()).await.unwrap();
    put(&two, "a", &large(4)).await;
    let sent = store.requests();
    assert_eq!(two.detach().await.unwrap_err().kind(), "too_large");
    assert_eq!(two.detach().await.unwrap_err().kind(), "too_large");
    assert_eq!(store.requests(), sent);
    let record = store.transactions().unwrap().find(&tx_id("x")).await.unwrap().unwrap();
    let pieces = store.transactions().unwrap().staged(&record.address).await.unwrap();
    assert_eq!((record.staged, pieces.len()), (4, 4));
    // What still fits is left; all of it is there for the commit.
    two.delete(&key("a"), DocPrecondition::IfExists).await.unwrap();
    put(&two, "b", "1").await;
    two.detach().await.unwrap();
    put(&two, "a", &large(5)).await;
    assert_eq!(two.detach().await.unwrap_err().kind(), "too_large");
    two.commit().await.unwrap();
    assert_eq!(body(&*store, "a").await, Some(large(5)));
    assert_eq!(body(&*store, "b").await.as_deref(), Some("1"));
}
