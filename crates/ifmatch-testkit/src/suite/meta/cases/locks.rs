//! Clause 15, at what transactions stand on: the lock, its life, its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ifmatch_meta::{
    DocKey, DocPrecondition, Document, ETag, Effect, MetaStore, Nonce, Op, Query, ScanOptions,
    Scope, TxCommit, TxId, TxOutcome, TxRecord, WriteOptions,
};

use crate::suite::Failure;
use crate::suite::meta::race::race;
use crate::suite::meta::trial::{Checked, Trial, transactions};
use crate::suite::meta::words::{
    P, Words, delete, fails, id, key, number, partition, put, scope, shape,
};
use DocPrecondition::{IfAbsent, IfExists, Overwrite};

pub(super) const MINUTE: Duration = Duration::from_mins(1);

pub(super) fn tx(name: &str) -> Checked<TxId> {
    Ok(TxId::new(name)?)
}

pub(super) async fn begin(
    store: &Arc<dyn MetaStore>,
    name: &str,
    lifetime: Duration,
) -> Checked<TxRecord> {
    Ok(transactions(store)?.begin(&partition(P)?, &tx(name)?, lifetime).await?)
}

/// The effect of a put on what is there.
pub(super) async fn effect(store: &Arc<dyn MetaStore>, name: &str, n: u64) -> Checked<Effect> {
    let before = store.get(&key(name)?).await?;
    let now = store.env().wall_clock();
    let after = Document {
        key: key(name)?,
        etag: ETag::mint(1, store.env()),
        body: number(n)?,
        created_at: before.as_ref().map_or(now, |found| found.created_at),
        updated_at: now,
        updated_by: None,
    };
    Ok(Effect { id: id(name)?, before: before.map(|found| found.etag), after: Some(after) })
}

pub(super) fn commit(store: &Arc<dyn MetaStore>, staged: u64, effects: Vec<Effect>) -> TxCommit {
    TxCommit { nonce: Nonce::draw(store.env()), staged, author: None, effects }
}

// need: Nothing
pub(crate) async fn t1_without_the_option_none_is_begun(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    if let Some(backend) = store.transactions() {
        let answer = backend.begin(&p, &tx("t")?, MINUTE).await;
        fails(answer, "unsupported", "a begin where transactions are switched off")?;
    }
    store.create(&key("a")?, number(1)?).await?;
    Ok(())
}

pub(crate) async fn t9_other_writes_fail_at_once_and_name_the_holder(on: Trial) -> Checked {
    let (store, p, a) = (on.store(), partition(P)?, key("a")?);
    let etag = store.create(&a, number(1)?).await?.etag;
    let record = begin(store, "mine", MINUTE).await?;
    let before = store.env().now();
    let options = WriteOptions::default;
    let answers = [
        ("a put", store.put(&a, number(2)?, Overwrite).await.map(drop)),
        ("a create", store.put(&key("b")?, number(2)?, IfAbsent).await.map(drop)),
        // Of a stale condition too: it is not looked at.
        ("a stale put", store.put(&a, number(2)?, IfAbsent).await.map(drop)),
        ("a put at its tag", store.replace(&a, number(2)?, etag).await.map(drop)),
        ("a delete", store.delete(&a, Overwrite).await.map(drop)),
        ("a delete of nothing", store.delete(&key("b")?, Overwrite).await.map(drop)),
        ("a patch", store.patch(&a, number(2)?, Overwrite, options()).await.map(drop)),
        ("a batch", store.batch(&p, vec![put("b", 1, IfAbsent)?]).await.map(drop)),
        (
            "a guarded batch",
            store
                .batch(&p, vec![Op::check(id("a")?, IfExists), delete("a", IfExists)?])
                .await
                .map(drop),
        ),
    ];
    for (what, answer) in answers {
        let error = fails(answer, "partition_locked", what)?;
        check_eq!(error.retry(), ifmatch_core::Retry::Same, "what to do about a lock");
        let text = error.to_string();
        check!(text.contains("mine"), "{text:?} does not name the holder");
    }
    let took = store.env().now().saturating_sub(before);
    check!(took < MINUTE, "the writes waited for the transaction: {took:?}");
    // What is wrong with a call is told before.
    fails(store.delete(&a, IfAbsent).await, "invalid", "a wrong call on a locked partition")?;
    transactions(store)?.abort(&record.address).await?;
    check_eq!(store.found(&a).await?.etag, etag, "the document after the lock");
    store.put_(&a, number(3)?).await?;
    Ok(())
}

pub(crate) async fn t9_t22_reads_and_other_partitions_are_untouched(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let etag = store.create(&a, number(1)?).await?.etag;
    let token = store.change_token(&scope(P)?).await?;
    let since = store.scan(&partition(P)?, ScanOptions::default()).await?.mark;
    begin(store, "mine", MINUTE).await?;
    check_eq!(store.found(&a).await?.etag, etag, "a get");
    check_eq!(store.ids(P, ScanOptions::default()).await?, ["a"], "a scan");
    check_eq!(store.count(&scope(P)?).await?, 1, "a count");
    check_eq!(store.query(&Scope::All, &Query::default()).await?.documents.len(), 1, "a query");
    check_eq!(shape(&store.told(&scope(P)?, Some(&token), 10).await?.0), [], "the feed");
    check_eq!(store.partitions(None, 10).await?.len(), 1, "the partitions");
    let elsewhere = DocKey::new("q", "a")?;
    store.create(&elsewhere, number(1)?).await?;
    store.delete_(&elsewhere).await?;
    // Checks alone write nothing: they hold or conflict on what is committed.
    let p = partition(P)?;
    store.batch(&p, vec![Op::check(id("a")?, DocPrecondition::IfMatch(etag))]).await?;
    store.batch(&p, vec![Op::Unchanged { since }]).await?;
    let answer = store.batch(&p, vec![Op::check(id("a")?, IfAbsent)]).await;
    fails(answer, "conflict", "a check that does not hold")?;
    Ok(())
}

pub(crate) async fn t2_t3_a_commit_is_applied_as_one_and_releases(on: Trial) -> Checked {
    let store = on.store();
    store.create(&key("a")?, number(1)?).await?;
    store.create(&key("gone")?, number(1)?).await?;
    let token = store.change_token(&scope(P)?).await?;
    let record = begin(store, "mine", MINUTE).await?;
    let mut effects = vec![effect(store, "new", 2).await?, effect(store, "a", 2).await?];
    let gone = store.found(&key("gone")?).await?.etag;
    effects.push(Effect { id: id("gone")?, before: Some(gone), after: None });
    let ids: Vec<_> = effects.iter().map(|e| e.id.as_str().to_owned()).collect();
    store.is_absent(&key("new")?).await?;
    let answer = transactions(store)?.commit(&record.address, commit(store, 0, effects.clone()));
    let (position, _) = answer.await?;
    for effect in &effects {
        let found = store.get(&key(effect.id.as_str())?).await?;
        check_eq!(found, effect.after, "the document of {:?}", effect.id);
    }
    let (told, _) = store.told(&scope(P)?, Some(&token), 10).await?;
    let heard: Vec<_> = told.iter().map(|change| change.key().id.as_str().to_owned()).collect();
    check_eq!(heard, ids, "what the feed tells");
    check!(told.iter().all(|change| change.position() == position), "one commit at {position}");
    let next = store.put_(&key("a")?, number(3)?).await?;
    check!(next.position > position, "the next commit comes before that of the transaction");
    Ok(())
}

pub(crate) async fn t5_an_abort_applies_nothing_and_releases(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let record = begin(store, "mine", MINUTE).await?;
    backend.stage(&record.address, 0, Bytes::from_static(b"piece")).await?;
    let effects = vec![effect(store, "a", 1).await?];
    backend.abort(&record.address).await?;
    backend.abort(&record.address).await?;
    store.is_absent(&key("a")?).await?;
    let answer = backend.commit(&record.address, commit(store, 1, effects)).await;
    fails(answer, "expired", "a commit after an abort")?;
    let answer = backend.stage(&record.address, 1, Bytes::from_static(b"late")).await;
    fails(answer, "expired", "a stage after an abort")?;
    fails(backend.staged(&record.address).await, "expired", "the pieces after an abort")?;
    check_eq!(backend.find(&tx("mine")?).await?.is_none(), true, "whether it is open");
    check_eq!(backend.outcome(&tx("mine")?, None).await?, TxOutcome::Aborted, "its outcome");
    store.is_absent(&key("a")?).await?;
    store.create(&key("a")?, number(2)?).await?;
    Ok(())
}

pub(crate) async fn t7_t11_a_begin_asked_again_is_the_same_transaction(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let first = begin(store, "mine", MINUTE).await?;
    check_eq!(first.lifetime, MINUTE, "the lifetime");
    check_eq!(first.remaining, MINUTE, "what is left of it at the begin");
    let again = begin(store, "mine", MINUTE).await?;
    check_eq!(again.address, first.address, "the transaction asked for again");
    check!(again.remaining <= MINUTE, "more is left than its life: {:?}", again.remaining);
    let found = backend.find(&tx("mine")?).await?;
    let found = found.ok_or_else(|| Failure::new("an open transaction is not found"))?;
    check_eq!(found.address, first.address, "the transaction that is found");
    let other = backend.begin(&partition("q")?, &tx("mine")?, MINUTE).await;
    fails(other, "invalid", "an id that is open in another partition")?;
    check_eq!(backend.outcome(&tx("mine")?, None).await?, TxOutcome::Open, "its outcome");
    check_eq!(backend.find(&tx("other")?).await?.is_none(), true, "whether another is open");
    check_eq!(backend.outcome(&tx("other")?, None).await?, TxOutcome::Forgotten, "its outcome");
    Ok(())
}

pub(crate) async fn t9_one_transaction_at_a_time_in_a_partition(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let first = begin(store, "one", MINUTE).await?;
    let answer = backend.begin(&partition(P)?, &tx("two")?, MINUTE).await;
    fails(answer, "partition_locked", "a second transaction")?;
    backend.begin(&partition("q")?, &tx("three")?, MINUTE).await?;
    backend.abort(&first.address).await?;
    begin(store, "two", MINUTE).await?;
    for round in 0..3 {
        let place = partition(&format!("r{round}"))?;
        let answers = race(16, |racer| {
            let (store, place) = (store.clone(), place.clone());
            async move {
                let id = TxId::new(format!("{round}-{racer}"))?;
                let backend = store.transactions();
                let unsupported = || ifmatch_meta::Error::unsupported("transactions");
                backend.ok_or_else(unsupported)?.begin(&place, &id, MINUTE).await
            }
        })
        .await?;
        let won = answers.iter().filter(|answer| answer.is_ok()).count();
        check_eq!(won, 1, "how many of the racers hold the partition");
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            check_eq!(error.kind(), "partition_locked", "the error of a racer: {error}");
        }
    }
    Ok(())
}

pub(crate) async fn t11_an_id_used_again_is_a_new_incarnation(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let first = begin(store, "mine", MINUTE).await?;
    backend.stage(&first.address, 0, Bytes::from_static(b"old")).await?;
    let old = vec![effect(store, "a", 1).await?];
    backend.abort(&first.address).await?;
    let second = begin(store, "mine", MINUTE).await?;
    check!(second.address.incarnation != first.address.incarnation, "the same incarnation");
    check_eq!(second.staged, 0, "what the new one has staged");
    check_eq!(backend.staged(&second.address).await?.len(), 0, "the pieces of the new one");
    let answer = backend.commit(&first.address, commit(store, 1, old.clone())).await;
    fails(answer, "expired", "a commit of the old incarnation")?;
    let answer = backend.stage(&first.address, 1, Bytes::from_static(b"old")).await;
    fails(answer, "expired", "a stage of the old incarnation")?;
    // The old one's abort is done; it must not end the new one.
    backend.abort(&first.address).await?;
    store.is_absent(&key("a")?).await?;
    let answer = store.put(&key("a")?, number(2)?, Overwrite).await;
    fails(answer, "partition_locked", "a put while the new one is open")?;
    backend.commit(&second.address, commit(store, 0, old)).await?;
    store.holds(&key("a")?, &number(1)?).await?;
    let of_first = backend.outcome(&tx("mine")?, Some(first.address.incarnation)).await?;
    check_eq!(of_first, TxOutcome::Aborted, "the outcome of the old one");
    Ok(())
}

pub(crate) async fn t30_a_commit_asked_again_answers_the_same(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let record = begin(store, "mine", MINUTE).await?;
    let mine = commit(store, 0, vec![effect(store, "a", 1).await?]);
    let (position, _) = backend.commit(&record.address, mine.clone()).await?;
    let etag = store.put_(&key("a")?, number(2)?).await?.etag;
    for _ in 0..2 {
        let (again, _) = backend.commit(&record.address, mine.clone()).await?;
        check_eq!(again, position, "the position of a commit asked again");
    }
    check_eq!(store.found(&key("a")?).await?.etag, etag, "what was written after the commit");
    let outcome = backend.outcome(&tx("mine")?, Some(record.address.incarnation)).await?;
    check_eq!(outcome, TxOutcome::Committed { position, nonce: mine.nonce }, "its outcome");
    let newest = backend.outcome(&tx("mine")?, None).await?;
    check_eq!(newest, outcome, "the outcome of the newest");
    let other = commit(store, 0, mine.effects.clone());
    let answer = backend.commit(&record.address, other).await;
    match answer {
        Err(error) if matches!(error.kind(), "busy" | "expired") => {}
        other => check!(false, "a commit of another handle answers {other:?}"),
    }
    fails(backend.abort(&record.address).await, "expired", "an abort after the commit")?;
    check_eq!(backend.find(&tx("mine")?).await?.is_none(), true, "whether it is open");
    Ok(())
}

pub(crate) async fn t7_pieces_are_staged_once_by_number_and_in_order(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let record = begin(store, "mine", MINUTE).await?;
    let address = &record.address;
    for (number, piece) in (0..).zip([&b"one"[..], b"", b"\0\xff"]) {
        backend.stage(address, number, Bytes::from_static(piece)).await?;
    }
    let answer = backend.stage(address, 1, Bytes::from_static(b"other")).await;
    fails(answer, "busy", "a piece of a number that is there")?;
    let pieces = backend.staged(address).await?;
    check_eq!(pieces, [&b"one"[..], b"", b"\0\xff"], "the pieces");
    let found = backend.find(&tx("mine")?).await?;
    check_eq!(found.map(|record| record.staged), Some(3), "how many pieces are told");
    check_eq!(store.count(&Scope::All).await?, 0, "how many documents a piece makes");
    // Effects that rest on fewer pieces lack what another handle wrote.
    let effects = vec![effect(store, "a", 1).await?];
    let answer = backend.commit(address, commit(store, 2, effects.clone())).await;
    fails(answer, "busy", "a commit that rests on too few pieces")?;
    store.is_absent(&key("a")?).await?;
    backend.commit(address, commit(store, 3, effects)).await?;
    store.holds(&key("a")?, &number(1)?).await
}

pub(crate) async fn a_large_piece_is_kept_whole(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    let record = begin(store, "mine", MINUTE).await?;
    let large: Vec<u8> = (0..4_u32 << 20).map(|n| (n % 251) as u8).collect();
    backend.stage(&record.address, 0, Bytes::from(large.clone())).await?;
    let pieces = backend.staged(&record.address).await?;
    check!(pieces.len() == 1 && pieces[0] == large, "a piece of 4 MiB came back otherwise");
    Ok(())
}

pub(crate) async fn t12_an_effect_on_another_state_is_refused(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    store.create(&key("a")?, number(1)?).await?;
    let stale = effect(store, "a", 9).await?;
    store.put_(&key("a")?, number(2)?).await?;
    let there = store.found(&key("a")?).await?;
    let record = begin(store, "mine", MINUTE).await?;
    let other = effect(store, "b", 1).await?;
    let answer = backend.commit(&record.address, commit(store, 0, vec![other, stale])).await;
    fails(answer, "expired", "an effect on a state that is no more")?;
    check_eq!(store.found(&key("a")?).await?, there, "what is there");
    store.is_absent(&key("b")?).await
}

// need: AuditedTransactions
pub(crate) async fn c14_a_commit_of_a_transaction_is_recorded(on: Trial) -> Checked {
    let (store, backend) = (on.store(), transactions(on.store())?);
    store.create(&key("a")?, number(1)?).await?;
    let record = begin(store, "mine", MINUTE).await?;
    let effects = vec![effect(store, "b", 1).await?, effect(store, "a", 2).await?];
    let (position, _) = backend.commit(&record.address, commit(store, 0, effects.clone())).await?;
    let records = store.audit(&partition(P)?, None, 10).await?;
    check_eq!(records.len(), 3, "how many changes are recorded");
    for (record, effect) in records[1..].iter().zip(&effects) {
        check_eq!(record.id, effect.id, "the document");
        check_eq!(record.at.position, position, "its position");
        check_eq!(record.previous, effect.before, "its tag before");
        check_eq!(record.etag, effect.after.as_ref().map(|d| d.etag), "its tag");
    }
    Ok(())
}
