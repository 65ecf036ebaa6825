//! Clause 15, as users meet it: pessimistic and optimistic transactions.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_meta::{
    DocKey, DocPrecondition, Json, MetaStore, Op, Projection, ScanOptions, Transaction, TxId,
    TxOptions, TxOutcome, WriteOptions,
};

use crate::suite::Failure;
use crate::suite::meta::race::race;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{
    P, Words, body, conflict, fails, id, key, number, partition, put, scope,
};
use DocPrecondition::{IfAbsent, IfExists, IfMatch, Overwrite};

/// A life short enough to wait for its end.
const SHORT: Duration = Duration::from_millis(600);

pub(super) fn options() -> TxOptions {
    TxOptions::default()
}

pub(super) async fn begin(store: &Arc<dyn MetaStore>, options: TxOptions) -> Checked<Transaction> {
    Ok(Transaction::begin(store.clone(), &partition(P)?, options).await?)
}

// need: Nothing
pub(crate) async fn t1_a_store_without_transactions_says_so(on: Trial) -> Checked {
    let answer = Transaction::begin(on.store().clone(), &partition(P)?, options()).await;
    fails(answer.map(drop), "unsupported", "a begin where transactions are switched off")?;
    Ok(())
}

pub(crate) async fn t8_ids_made_by_the_store_exclude_transactions(on: Trial) -> Checked {
    check!(on.store().features().transactions, "opened with transactions, it says it has none");
    let answer = on.store().insert(&partition(P)?, number(1)?, WriteOptions::default()).await;
    fails(answer, "unsupported", "an insert where transactions may be begun")?;
    Ok(())
}

pub(crate) async fn t4_a_transaction_reads_its_writes_and_others_do_not(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    for name in ["a", "b", "c"] {
        store.create(&key(name)?, number(1)?).await?;
    }
    let tx = begin(store, options()).await?;
    let written = tx.put(&key("a")?, number(2)?, IfExists).await?;
    check!(!written.created, "the put of a document that is committed says it was not there");
    let created = tx.put(&key("aa")?, number(2)?, IfAbsent).await?;
    check!(created.created, "the put of a new document says it was there");
    tx.delete(&key("b")?, Overwrite).await?;
    tx.patch(&key("c")?, body(&serde_json::json!({"m": 3}))?, Overwrite, WriteOptions::default())
        .await?;
    let own = tx.get(&key("a")?).await?.map(|found| (found.etag, found.body));
    check_eq!(own, Some((written.etag, number(2)?)), "what it reads of its own");
    check_eq!(tx.get(&key("b")?).await?, None, "what it has deleted");
    for (options, expected) in [
        (ScanOptions::default(), vec!["a", "aa", "c"]),
        (ScanOptions::default().descending(), vec!["c", "aa", "a"]),
        (ScanOptions::default().ids("aa"..), vec!["aa", "c"]),
        (ScanOptions::default().ids(..="aa").descending(), vec!["aa", "a"]),
    ] {
        for limit in [1, 2, 10] {
            let (mut options, mut found) = (options.clone().limit(limit), Vec::new());
            loop {
                let page = tx.scan(&p, options.clone()).await?;
                check!(page.documents.len() <= limit, "a page beyond its limit");
                found.extend(page.documents.iter().map(|d| d.key.id.as_str().to_owned()));
                match page.next {
                    Some(token) => options = options.after(token),
                    None => break,
                }
            }
            check_eq!(found, expected, "its own scan in pages of {limit}");
        }
    }
    let fields = ScanOptions::default().ids("c"..).fields(Projection::new(["/m"])?);
    let page = tx.scan(&p, fields).await?;
    check_eq!(page.documents[0].body.value()?, &serde_json::json!({ "m": 3 }), "t27: members");
    // Others see what is committed.
    store.holds(&key("a")?, &number(1)?).await?;
    store.is_absent(&key("aa")?).await?;
    check_eq!(store.ids(P, ScanOptions::default()).await?, ["a", "b", "c"], "the others' scan");
    let committed = tx.commit().await?;
    check!(committed.position.is_some(), "a commit of writes has no position");
    check_eq!(store.ids(P, ScanOptions::default()).await?, ["a", "aa", "c"], "after the commit");
    let found = store.found(&key("a")?).await?;
    check_eq!(found.etag, written.etag, "the tag that the put answered");
    check_eq!(store.found(&key("aa")?).await?.etag, created.etag, "that of the create");
    Ok(())
}

pub(crate) async fn t5_an_aborted_transaction_leaves_nothing(on: Trial) -> Checked {
    let store = on.store();
    let there = store.create(&key("a")?, number(1)?).await?.etag;
    let token = store.change_token(&scope(P)?).await?;
    let tx = begin(store, options()).await?;
    tx.put(&key("a")?, number(2)?, Overwrite).await?;
    tx.put(&key("b")?, number(2)?, Overwrite).await?;
    tx.abort().await?;
    tx.abort().await?;
    check_eq!(store.found(&key("a")?).await?.etag, there, "the tag after an abort");
    store.is_absent(&key("b")?).await?;
    check_eq!(store.told(&scope(P)?, Some(&token), 10).await?.0.len(), 0, "what the feed tells");
    fails(tx.commit().await, "expired", "a commit after an abort")?;
    store.create(&key("b")?, number(3)?).await?;
    Ok(())
}

pub(crate) async fn t24_preconditions_hold_for_what_the_transaction_sees(on: Trial) -> Checked {
    let store = on.store();
    let first = store.create(&key("a")?, number(1)?).await?.etag;
    let tx = begin(store, options()).await?;
    let answer = tx.put(&key("a")?, number(2)?, IfAbsent).await;
    conflict(answer, &key("a")?, &IfAbsent, Some(&store.found(&key("a")?).await?))?;
    // A failed request does not end it (T23).
    let second = tx.put(&key("a")?, number(2)?, IfMatch(first)).await?.etag;
    fails(tx.put(&key("a")?, number(3)?, IfMatch(first)).await, "conflict", "a stale tag")?;
    tx.put(&key("a")?, number(3)?, DocPrecondition::field_equals("/n", 2)).await?;
    fails(tx.delete(&key("a")?, IfMatch(second)).await, "conflict", "a stale tag")?;
    tx.delete(&key("a")?, IfExists).await?;
    fails(tx.put(&key("a")?, number(4)?, IfExists).await, "conflict", "a put of nothing")?;
    let ops = vec![put("a", 5, IfAbsent)?, put("b", 5, IfExists)?];
    let error = fails(tx.batch(&partition(P)?, ops).await, "conflict", "a batch")?;
    check_eq!(error.operation_index(), Some(1), "which operation failed");
    check_eq!(tx.get(&key("a")?).await?, None, "after a batch that failed");
    let ops = vec![put("a", 6, IfAbsent)?, Op::check(id("b")?, IfAbsent)];
    let applied = tx.batch(&partition(P)?, ops).await?;
    tx.commit().await?;
    let found = store.found(&key("a")?).await?;
    check_eq!(Some(found.etag), applied[0].etag(), "the tag after the commit");
    check_eq!(found.body, number(6)?, "the body after the commit");
    Ok(())
}

pub(crate) async fn t13_a_commit_without_writes_is_an_abort(on: Trial) -> Checked {
    let store = on.store();
    let name = TxId::new("empty")?;
    let token = store.change_token(&scope(P)?).await?;
    let tx = begin(store, options().id(name.clone())).await?;
    tx.get(&key("a")?).await?;
    check_eq!(tx.commit().await?.position, None, "the position of no writes");
    check_eq!(tx.commit().await?.position, None, "the position asked for again");
    let outcome = Transaction::outcome(&**store, &name).await?;
    check_eq!(outcome, TxOutcome::Aborted, "the outcome of no writes");
    check_eq!(store.told(&scope(P)?, Some(&token), 10).await?.0.len(), 0, "what the feed tells");
    store.create(&key("a")?, number(1)?).await?;
    Ok(())
}

pub(crate) async fn t14_t15_other_partitions_are_read_and_never_written(on: Trial) -> Checked {
    let store = on.store();
    let elsewhere = DocKey::new("q", "a")?;
    store.create(&elsewhere, number(1)?).await?;
    let tx = begin(store, options()).await?;
    fails(tx.put(&elsewhere, number(2)?, Overwrite).await, "invalid", "a write elsewhere")?;
    fails(tx.delete(&elsewhere, Overwrite).await, "invalid", "a delete elsewhere")?;
    let answer = tx.batch(&partition("q")?, vec![put("a", 2, Overwrite)?]).await;
    fails(answer, "invalid", "a batch elsewhere")?;
    check!(tx.get(&elsewhere).await?.is_some(), "a read elsewhere finds nothing");
    let page = tx.scan(&partition("q")?, ScanOptions::default()).await?;
    check_eq!(page.documents.len(), 1, "what a scan elsewhere finds");
    // Neither locked nor isolated.
    store.put_(&elsewhere, number(3)?).await?;
    check_eq!(tx.get(&elsewhere).await?.map(|d| d.body), Some(number(3)?), "a read elsewhere");
    tx.put(&key("a")?, number(1)?, IfAbsent).await?;
    tx.commit().await?;
    store.holds(&key("a")?, &number(1)?).await?;
    let strict = begin(store, options().strict()).await?;
    fails(strict.get(&elsewhere).await, "invalid", "a strict read elsewhere")?;
    strict.get(&key("a")?).await?;
    strict.abort().await?;
    Ok(())
}

pub(crate) async fn t18_staged_writes_have_a_limit_and_count_once(on: Trial) -> Checked {
    let store = on.store();
    let tx = begin(store, options().staged(1_000)).await?;
    let large = |n: u8| Json::of(&format!("{n}{}", "x".repeat(400)));
    for n in 0..5 {
        // One document, written again and again, counts once.
        tx.put(&key("a")?, large(n)?, Overwrite).await?;
    }
    tx.put(&key("b")?, large(1)?, Overwrite).await?;
    let answer = tx.put(&key("c")?, large(2)?, Overwrite).await;
    fails(answer, "too_large", "more than may be staged")?;
    check_eq!(tx.get(&key("c")?).await?, None, "what was too much");
    tx.delete(&key("b")?, Overwrite).await?;
    tx.put(&key("c")?, large(3)?, Overwrite).await?;
    tx.commit().await?;
    check_eq!(store.ids(P, ScanOptions::default()).await?, ["a", "c"], "what was committed");
    store.holds(&key("a")?, &large(4)?).await?;
    let answer = begin(store, options().staged(5 << 20)).await;
    check!(answer.is_err(), "more than 4 MiB of staged writes are allowed");
    Ok(())
}

pub(crate) async fn t16_one_request_at_a_time_and_a_dropped_one_leaves_none(on: Trial) -> Checked {
    let store = on.store();
    let tx = Arc::new(begin(store, options()).await?);
    let answers = race(16, |racer| {
        let tx = tx.clone();
        async move {
            let key = DocKey::new(P, format!("d{racer:02}"))?;
            tx.put(&key, Json::stored("1"), Overwrite).await.map(|_| key)
        }
    })
    .await?;
    let mut won = Vec::new();
    for answer in answers {
        match answer {
            Ok(key) => won.push(key),
            Err(error) => check_eq!(error.kind(), "busy", "the error of a second request: {error}"),
        }
    }
    check!(!won.is_empty(), "nobody came through");
    for polls in 0..4 {
        let gone = key("gone")?;
        {
            let mut put = Box::pin(tx.put(&gone, number(polls)?, Overwrite));
            for _ in 0..polls {
                if futures::poll!(&mut put).is_ready() {
                    break;
                }
            }
        }
        let answer = tx.get(&key("none")?).await;
        check!(answer.is_ok(), "after a request dropped at poll {polls}: {answer:?}");
    }
    tx.commit().await?;
    for key in won {
        store.found(&key).await?;
    }
    Ok(())
}

pub(crate) async fn t10_t17_after_its_life_nothing_is_applied(on: Trial) -> Checked {
    let store = on.store();
    for round in 0..2 {
        let options = if round == 0 { options().lifetime(SHORT) } else { options().idle(SHORT) };
        let tx = begin(store, options).await?;
        tx.put(&key("a")?, number(1)?, Overwrite).await?;
        store.env().sleep(SHORT + SHORT / 2).await;
        let what = if round == 0 { "its life" } else { "its idleness" };
        fails(tx.put(&key("b")?, number(1)?, Overwrite).await, "expired", what)?;
        fails(tx.get(&key("a")?).await, "expired", what)?;
        fails(tx.commit().await, "expired", what)?;
        store.is_absent(&key("a")?).await?;
        drop(tx);
        let start = store.env().now();
        while let Err(error) = store.put(&key("free")?, number(1)?, Overwrite).await {
            check_eq!(error.kind(), "partition_locked", "the error: {error}");
            let waited = store.env().now().saturating_sub(start);
            check!(waited < SHORT * 50, "still locked after {waited:?}, after {what}");
            store.env().sleep(SHORT / 10).await;
        }
        store.is_absent(&key("a")?).await?;
    }
    let too_long = begin(store, options().lifetime(Duration::from_secs(61))).await;
    check!(too_long.is_err(), "a life of more than a minute is allowed");
    Ok(())
}

pub(crate) async fn t11_t30_ids_are_chosen_and_outcomes_told(on: Trial) -> Checked {
    let store = on.store();
    let name = TxId::new("chosen-1")?;
    let outcome = || Transaction::outcome(&**store, &name);
    check_eq!(outcome().await?, TxOutcome::Forgotten, "the outcome of what never was");
    let tx = begin(store, options().id(name.clone())).await?;
    check_eq!(tx.id(), &name, "the id");
    check_eq!(outcome().await?, TxOutcome::Open, "the outcome of an open one");
    tx.put(&key("a")?, number(1)?, IfAbsent).await?;
    let position = tx.commit().await?.position;
    check_eq!(tx.commit().await?.position, position, "the position asked for again");
    match outcome().await? {
        TxOutcome::Committed { position: told, .. } => {
            check_eq!(Some(told), position, "the position of the outcome");
        }
        other => check!(false, "the outcome of a committed one is {other:?}"),
    }
    let again = begin(store, options().id(name.clone())).await?;
    again.put(&key("b")?, number(1)?, IfAbsent).await?;
    check_eq!(tx.commit().await?.position, position, "the old one, asked again");
    store.is_absent(&key("b")?).await?;
    again.abort().await?;
    check_eq!(outcome().await?, TxOutcome::Aborted, "the outcome of the newest");
    Ok(())
}

pub(crate) async fn t7_a_detached_transaction_is_resumed(on: Trial) -> Checked {
    let store = on.store();
    store.create(&key("gone")?, number(1)?).await?;
    let name = TxId::new("t")?;
    let tx = begin(store, options().id(name.clone())).await?;
    tx.put(&key("a")?, number(1)?, IfAbsent).await?;
    tx.detach().await?;
    tx.put(&key("a")?, number(2)?, IfExists).await?;
    tx.delete(&key("gone")?, IfExists).await?;
    tx.detach().await?;
    drop(tx);
    let second = Transaction::resume(store.clone(), &name).await?;
    check_eq!(second.get(&key("a")?).await?.map(|d| d.body), Some(number(2)?), "staged writes");
    check_eq!(second.get(&key("gone")?).await?, None, "staged deletes");
    let etag = second.put(&key("b")?, number(3)?, IfAbsent).await?.etag;
    second.commit().await?;
    store.holds(&key("a")?, &number(2)?).await?;
    store.is_absent(&key("gone")?).await?;
    check_eq!(store.found(&key("b")?).await?.etag, etag, "the tag of a resumed write");
    // Of a committed one a handle says so again.
    let third = Transaction::resume(store.clone(), &name).await?;
    check!(third.commit().await?.position.is_some(), "a resumed commit has no position");
    let none = Transaction::resume(store.clone(), &TxId::new("none")?).await;
    fails(none.map(drop), "expired", "a resume of nothing")?;
    Ok(())
}

pub(crate) async fn t16_of_two_handles_on_one_transaction_one_is_busy(on: Trial) -> Checked {
    let store = on.store();
    let name = TxId::new("t")?;
    let one = begin(store, options().id(name.clone())).await?;
    one.put(&key("base")?, number(1)?, IfAbsent).await?;
    one.detach().await?;
    let two = Transaction::resume(store.clone(), &name).await?;
    one.put(&key("one")?, number(1)?, IfAbsent).await?;
    two.put(&key("two")?, number(1)?, IfAbsent).await?;
    two.detach().await?;
    // What the first wrote since is no part of what the second goes on with.
    let error = one.commit().await;
    fails(error.map(drop), "busy", "a commit that another handle overtook")?;
    store.is_absent(&key("one")?).await?;
    two.commit().await?;
    let found = store.ids(P, ScanOptions::default()).await?;
    check_eq!(found, ["base", "two"], "what was committed");
    Ok(())
}

pub(crate) async fn a_dropped_transaction_releases_its_partition(on: Trial) -> Checked {
    let store = on.store();
    let tx = begin(store, options().lifetime(SHORT * 10)).await?;
    tx.put(&key("a")?, number(1)?, Overwrite).await?;
    drop(tx);
    let start = store.env().now();
    while let Err(error) = store.put(&key("b")?, number(1)?, Overwrite).await {
        check_eq!(error.kind(), "partition_locked", "the error: {error}");
        let waited = store.env().now().saturating_sub(start);
        check!(waited < SHORT * 100, "still locked after {waited:?}");
        store.env().sleep(SHORT / 20).await;
    }
    store.is_absent(&key("a")?).await
}

pub(crate) async fn c11_a_transaction_names_its_author(on: Trial) -> Checked {
    let store = on.store();
    let tx = begin(store, options().author("the transaction")).await?;
    tx.put(&key("a")?, number(1)?, Overwrite).await?;
    let mine = WriteOptions::default().author("the write").return_document();
    let put = tx.put_with(&key("b")?, number(1)?, Overwrite, mine).await?;
    let shown = put.document.ok_or_else(|| Failure::new("t25: no document in the answer"))?;
    tx.commit().await?;
    let a = store.found(&key("a")?).await?;
    check_eq!(a.updated_by.as_deref(), Some("the transaction"), "the author");
    let b = store.found(&key("b")?).await?;
    check_eq!(b, *shown, "the document that the put answered");
    check_eq!(b.updated_by.as_deref(), Some("the write"), "the author");
    Ok(())
}
