//! Clause 15, at what transactions stand on: the end of a life, and other
//! handles.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ifmatch_meta::DocPrecondition::{IfAbsent, Overwrite};
use ifmatch_meta::{MetaStore, Transaction, TxOptions, TxOutcome};

use super::locks::{MINUTE, begin, commit, effect, tx};
use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial, transactions};
use crate::suite::meta::words::{P, Words, fails, key, number, partition, put};

/// A life short enough to wait for its end.
const SHORT: Duration = Duration::from_millis(600);

/// Puts until the partition is free; fails where it never is.
async fn put_when_free(store: &Arc<dyn MetaStore>, name: &str) -> Checked {
    let start = store.env().now();
    loop {
        match store.put(&key(name)?, number(1)?, Overwrite).await {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == "partition_locked" => {}
            Err(error) => return Err(error.into()),
        }
        let waited = store.env().now().saturating_sub(start);
        check!(waited < SHORT * 50, "the partition is still locked after {waited:?}");
        store.env().sleep(SHORT / 10).await;
    }
}

pub(crate) async fn t10_a_transaction_ends_with_its_life_and_never_before(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    for round in 0..2 {
        let name = format!("t{round}");
        let before = store.env().now();
        let record = begin(store, &name, SHORT).await?;
        let effects = vec![effect(store, "late", 1).await?];
        // Not even one moment too early, by the clock of who began it.
        loop {
            let answer = store.put(&key("other")?, number(round)?, Overwrite).await;
            let lived = store.env().now().saturating_sub(before);
            match answer {
                Ok(_) => {
                    check!(lived >= SHORT, "others write {lived:?} after the begin");
                    break;
                }
                Err(error) => check_eq!(error.kind(), "partition_locked", "the error: {error}"),
            }
            check!(lived < SHORT * 50, "the partition is still locked after {lived:?}");
            store.env().sleep(SHORT / 20).await;
        }
        let answer = backend.commit(&record.address, commit(store, 0, effects)).await;
        fails(answer, "expired", "a commit after its life")?;
        store.is_absent(&key("late")?).await?;
        let answer = backend.stage(&record.address, 0, Bytes::from_static(b"late")).await;
        fails(answer, "expired", "a stage after its life")?;
        let outcome = backend.outcome(&tx(&name)?, Some(record.address.incarnation)).await?;
        check_eq!(outcome, TxOutcome::Aborted, "the outcome of a life that is over");
    }
    Ok(())
}

pub(crate) async fn t10_the_next_transaction_takes_over_an_expired_one(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let first = begin(store, "first", SHORT).await?;
    let start = store.env().now();
    let second = loop {
        match backend.begin(&partition(P)?, &tx("second")?, MINUTE).await {
            Ok(record) => break record,
            Err(error) => check_eq!(error.kind(), "partition_locked", "the error: {error}"),
        }
        let waited = store.env().now().saturating_sub(start);
        check!(waited < SHORT * 50, "the partition is still locked after {waited:?}");
        store.env().sleep(SHORT / 20).await;
    };
    let effects = vec![effect(store, "a", 1).await?];
    let answer = backend.commit(&first.address, commit(store, 0, effects.clone())).await;
    fails(answer, "expired", "a commit of one that was taken over")?;
    // What the first does in the end must not release the second.
    let _ = backend.abort(&first.address).await;
    let answer = store.put(&key("a")?, number(2)?, Overwrite).await;
    fails(answer, "partition_locked", "a put while the second is open")?;
    backend.commit(&second.address, commit(store, 0, effects)).await?;
    store.holds(&key("a")?, &number(1)?).await
}

/// Whoever comes after the end of its life: nobody was there before, somebody
/// else took over, another handle had committed it.
pub(crate) async fn t10_a_late_abort_says_what_is_true(on: Trial) -> Checked {
    let (store, backend, a) = (on.store(), transactions(on.store())?, key("a")?);
    let over = || store.env().sleep(SHORT * 3);
    let begun = async |name: &str| -> Checked<Transaction> {
        let options = TxOptions::default().id(tx(name)?).lifetime(SHORT * 2);
        Ok(Transaction::begin(store.clone(), &partition(P)?, options).await?)
    };
    let first = begun("first").await?;
    first.put(&a, number(1)?, Overwrite).await?;
    over().await;
    fails(first.get(&a).await, "expired", "a read after its life")?;
    first.abort().await?;
    first.abort().await?;
    store.create(&key("free")?, number(1)?).await?;
    store.is_absent(&a).await?;
    let outcome = backend.outcome(&tx("first")?, None).await?;
    check_eq!(outcome, TxOutcome::Aborted, "the outcome of a late abort");

    let second = begun("second").await?;
    second.put(&a, number(2)?, Overwrite).await?;
    over().await;
    put_when_free(store, "free").await?;
    let next = begin(store, "next", MINUTE).await?;
    second.abort().await?;
    fails(store.put(&a, number(3)?, Overwrite).await, "partition_locked", "a put by others")?;
    backend.abort(&next.address).await?;
    store.create(&a, number(3)?).await?;

    let third = begun("third").await?;
    let other = Transaction::resume(store.clone(), &tx("third")?).await?;
    other.put(&a, number(4)?, Overwrite).await?;
    other.commit().await?;
    over().await;
    fails(third.abort().await, "expired", "an abort of what was committed")?;
    fails(third.abort().await, "expired", "the same again")?;
    store.holds(&a, &number(4)?).await?;
    store.put_(&a, number(5)?).await.map(drop)
}

pub(crate) async fn t11_an_expired_id_begins_anew(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let first = begin(store, "mine", SHORT).await?;
    put_when_free(store, "other").await?;
    let second = begin(store, "mine", MINUTE).await?;
    check!(second.address.incarnation != first.address.incarnation, "the same incarnation");
    let effects = vec![effect(store, "a", 1).await?];
    let answer = backend.commit(&first.address, commit(store, 0, effects.clone())).await;
    fails(answer, "expired", "a commit of the old incarnation")?;
    backend.commit(&second.address, commit(store, 0, effects)).await?;
    Ok(())
}

// need: PersistentTransactions
pub(crate) async fn t1_every_writer_respects_an_open_transaction(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let etag = store.create(&key("a")?, number(1)?).await?.etag;
    // A handle without the option, opened before and after the begin.
    let mut plain = on.wanted();
    plain.transactions = false;
    let before = on.again(plain.clone()).await?;
    check_eq!(before.found(&key("a")?).await?.etag, etag, "what the other handle reads");
    let record = begin(store, "mine", MINUTE).await?;
    let after = on.again(plain).await?;
    for other in [&before, &after] {
        let answer = other.replace(&key("a")?, number(2)?, etag).await;
        fails(answer, "partition_locked", "a put of another handle")?;
        let answer = other.batch(&partition(P)?, vec![put("b", 1, IfAbsent)?]).await;
        fails(answer, "partition_locked", "a batch of another handle")?;
        check_eq!(other.found(&key("a")?).await?.etag, etag, "what the other handle reads");
    }
    backend.commit(&record.address, commit(store, 0, vec![effect(store, "a", 7).await?])).await?;
    before.holds(&key("a")?, &number(7)?).await?;
    before.put_(&key("a")?, number(8)?).await?;
    after.holds(&key("a")?, &number(8)?).await
}

// need: PersistentTransactions
pub(crate) async fn t7_another_process_goes_on_with_a_transaction(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let record = begin(store, "mine", MINUTE).await?;
    backend.stage(&record.address, 0, Bytes::from_static(b"piece")).await?;
    let effects = vec![effect(store, "a", 1).await?];
    store.close().await?;
    let other = on.again(on.wanted()).await?;
    let backend = transactions(&other)?;
    let found = backend.find(&tx("mine")?).await?;
    let found = found.ok_or_else(|| Failure::new("the other process finds no transaction"))?;
    check_eq!(found.address, record.address, "the transaction that is found");
    check_eq!(found.staged, 1, "how many pieces there are");
    check_eq!(backend.staged(&found.address).await?, [&b"piece"[..]], "the pieces");
    fails(other.put(&key("a")?, number(2)?, Overwrite).await, "partition_locked", "a put")?;
    let mine = commit(&other, 1, effects);
    let (position, _) = backend.commit(&found.address, mine.clone()).await?;
    other.close().await?;
    let third = on.again(on.wanted()).await?;
    let outcome = transactions(&third)?.outcome(&tx("mine")?, None).await?;
    check_eq!(outcome, TxOutcome::Committed { position, nonce: mine.nonce }, "its outcome");
    let (again, _) = transactions(&third)?.commit(&found.address, mine).await?;
    check_eq!(again, position, "the position of a commit asked again");
    third.holds(&key("a")?, &number(1)?).await
}

// need: PersistentTransactions
pub(crate) async fn t10_another_handle_sees_a_life_end(on: Trial) -> Checked {
    begin(on.store(), "mine", SHORT).await?;
    let other = on.again(on.wanted()).await?;
    put_when_free(&other, "a").await?;
    on.store().holds(&key("a")?, &number(1)?).await
}
