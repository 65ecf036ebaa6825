use std::sync::Arc;
use std::time::Duration;

use ifmatch_meta::{
    BlobMetaOptions, BlobMetaStore, DocPrecondition, MetaStore, Op, Partition, Scope, Transaction,
    TxOptions, TxOutcome,
};

use crate::common::*;
use crate::lossy::{Fate, Lossy};

#[tokio::test(start_paused = true)]
async fn t2_t3_many_rows_are_one_commit() {
    let store = store();
    store.put(&key("old"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    let token = store.change_token(&Scope::All).await.unwrap();
    let tx = begin(&store).await;
    put(&tx, "b", "1").await;
    put(&tx, "a", "1").await;
    tx.delete(&key("old"), DocPrecondition::IfExists).await.unwrap();
    put(&tx, "b", "2").await;
    put(&tx, "gone", "1").await;
    tx.delete(&key("gone"), DocPrecondition::IfExists).await.unwrap();
    let position = tx.commit().await.unwrap().position.unwrap();
    let page = store.changes(&Scope::All, Some(&token), 100).await.unwrap();
    let told: Vec<_> =
        page.changes.iter().map(|c| (c.key().id.to_string(), c.position())).collect();
    let name = |name: &str| (name.to_owned(), position);
    assert_eq!(told, [name("b"), name("a"), name("old")]);
    assert_eq!(store.count(&Scope::All).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn t13_without_writes_commit_is_abort() {
    let store = store();
    let tx = begin(&store).await;
    tx.batch(&p(), vec![Op::check(id("a"), DocPrecondition::IfAbsent)]).await.unwrap();
    assert_eq!(tx.commit().await.unwrap().position, None);
    assert_eq!(tx.commit().await.unwrap().position, None);
    assert_eq!(Transaction::outcome(&*store, tx.id()).await.unwrap(), TxOutcome::Aborted);
    assert!(is_free(&*store).await);
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    tx.delete(&key("a"), DocPrecondition::IfExists).await.unwrap();
    assert_eq!(tx.commit().await.unwrap().position, None, "nothing in the end");
    let tx = begin(&store).await;
    store.next([Fate::Done, Fate::AnswerLost]);
    assert_eq!(tx.commit().await.unwrap_err().kind(), "outcome_unknown");
    assert_eq!(tx.commit().await.unwrap().position, None);
}

#[tokio::test(start_paused = true)]
async fn t30_a_lost_answer_to_commit_is_resolved_by_committing_again_or_by_its_outcome() {
    let store = store();
    for fates in [
        vec![Fate::AnswerLost],
        vec![Fate::Lost],
        vec![Fate::AnswerLost, Fate::AnswerLost],
        vec![Fate::Lost, Fate::Refused],
        vec![Fate::AnswerLost, Fate::Refused],
    ] {
        let tx = begin(&store).await;
        put(&tx, "a", "1").await;
        let applied = fates[0] == Fate::AnswerLost;
        store.next(fates.clone());
        for _ in &fates {
            // Refused too: the attempt before may still arrive.
            assert_eq!(tx.commit().await.unwrap_err().kind(), "outcome_unknown");
        }
        let outcome = Transaction::outcome(&*store, tx.id()).await.unwrap();
        assert_eq!(matches!(outcome, TxOutcome::Committed { .. }), applied);
        let added = tx.put(&key("b"), json("1"), DocPrecondition::Overwrite).await;
        assert_eq!(added.unwrap_err().kind(), "busy", "nothing is added to what may be committed");
        let committed = tx.commit().await.unwrap();
        assert_eq!(tx.commit().await.unwrap(), committed);
        assert_eq!(tx.abort().await.unwrap_err().kind(), "expired");
        assert_eq!(tx.get(&key("a")).await.unwrap_err().kind(), "closed");
        assert_eq!(body(&*store, "b").await, None);
    }
    assert_eq!(store.audit(&p(), None, 100).await.unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn t23_a_commit_that_was_refused_leaves_it_open() {
    let store = store();
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    store.next([Fate::Refused]);
    assert_eq!(tx.commit().await.unwrap_err().kind(), "unavailable");
    put(&tx, "b", "2").await;
    tx.commit().await.unwrap();
    assert_eq!(body(&*store, "b").await.as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_commit_can_be_asked_for_again() {
    let store = store();
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    store.next([Fate::Hangs]);
    assert!(tokio::time::timeout(Duration::from_secs(1), tx.commit()).await.is_err());
    let committed = tx.commit().await.unwrap();
    assert!(committed.position.is_some());
    assert_eq!(body(&*store, "a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn an_abort_decides_a_commit_whose_answer_was_lost() {
    let store = store();
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    store.next([Fate::Lost]);
    assert_eq!(tx.commit().await.unwrap_err().kind(), "outcome_unknown");
    tx.abort().await.unwrap();
    assert_eq!(tx.commit().await.unwrap_err().kind(), "expired");
    let tx = begin(&store).await;
    put(&tx, "a", "1").await;
    store.next([Fate::AnswerLost]);
    assert_eq!(tx.commit().await.unwrap_err().kind(), "outcome_unknown");
    assert_eq!(tx.abort().await.unwrap_err().kind(), "expired");
    tx.commit().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn t30_another_process_that_commits_again_hears_that_it_was() {
    let store = store();
    let tx = begin_with(&store, TxOptions::default().id(tx_id("x"))).await;
    put(&tx, "a", "1").await;
    let committed = tx.commit().await.unwrap();
    let again = Transaction::resume(store.clone(), &tx_id("x")).await.unwrap();
    assert_eq!(again.partition(), None);
    assert_eq!(again.commit().await.unwrap().position, committed.position);
    assert_eq!(again.get(&key("a")).await.unwrap_err().kind(), "closed");
    assert_eq!(again.abort().await.unwrap_err().kind(), "expired");
}

/// The name of a transaction whose commit had lost its answer stood for another
/// one, elsewhere, by the time that its handle asked again: it was told that it
/// had expired, and would have been done twice.
#[tokio::test(start_paused = true)]
async fn t30_a_commit_is_found_out_after_its_name_has_moved() {
    let blobs: Arc<dyn ifmatch_core::ConditionalBlobStore> =
        Arc::new(ifmatch_core::MemoryBlobStore::new(env()));
    let options = BlobMetaOptions::create().transactions(true);
    let inner = BlobMetaStore::open(Arc::clone(&blobs), options.clone()).await.unwrap();
    let store = Arc::new(Lossy::new(inner));
    let name = tx_id("x");
    let tx = begin_with(&store, TxOptions::default().id(name.clone())).await;
    put(&tx, "a", "1").await;
    store.next([Fate::AnswerLost]);
    assert_eq!(tx.commit().await.unwrap_err().kind(), "outcome_unknown");
    let other = BlobMetaStore::open(blobs, options).await.unwrap();
    let elsewhere = Partition::new("q").unwrap();
    let life = Duration::from_mins(1);
    other.transactions().unwrap().begin(&elsewhere, &name, life).await.unwrap();
    pass(Duration::from_secs(61)).await;
    let committed = tx.commit().await.unwrap();
    assert!(committed.position.is_some(), "{committed:?}");
    assert_eq!(body(&*store, "a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn t19_a_deletion_carries_the_author_of_the_transaction() {
    let store = store_by("the store");
    store.put(&key("a"), json("1"), DocPrecondition::Overwrite).await.unwrap();
    let tx = begin_with(&store, TxOptions::default().author("ann")).await;
    tx.delete(&key("a"), DocPrecondition::IfExists).await.unwrap();
    tx.commit().await.unwrap();
    let record = store.audit(&p(), None, 10).await.unwrap().pop().unwrap();
    assert_eq!((record.author.as_deref(), record.etag), (Some("ann"), None));
}
