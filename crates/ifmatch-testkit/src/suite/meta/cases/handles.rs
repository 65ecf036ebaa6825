//! Clauses 3 and 12: handles, their words, and callers that leave.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use futures::future::poll_fn;
use ifmatch_meta::{
    Aggregation, DocPrecondition, ETag, Filter, Op, Query, ScanOptions, Scope, WriteOptions,
};

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, fails, id, key, number, partition, put, scope};
use DocPrecondition::{IfAbsent, IfExists, IfMatch, Overwrite};

pub(crate) async fn a_handle_says_what_it_was_opened_with(on: Trial) -> Checked {
    let features = on.store().features();
    check!(!features.transactions, "opened without transactions, it says they are there");
    check!(!features.audit, "opened without a record, it says it keeps one");
    let limits = on.store().limits();
    check!(limits.document > 0 && limits.batch_operations > 0, "limits of nothing: {limits:?}");
    check!(limits.batch_bytes >= limits.document, "no batch holds a document: {limits:?}");
    let shown = on.store().to_string();
    check!(!shown.is_empty() && !shown.contains('\n'), "the name {shown:?} is no line");
    Ok(())
}

pub(crate) async fn no_secret_is_printed(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.create(&a, number(1)?).await?;
    let mut texts = vec![store.to_string(), format!("{store:?}")];
    if let Err(error) = store.put(&a, number(1)?, IfAbsent).await {
        texts.push(format!("{error} {error:?}"));
    }
    store.close().await?;
    if let Err(error) = store.get(&a).await {
        texts.push(format!("{error} {error:?}"));
    }
    check!(texts.len() == 4, "a conflict and a closed store answer no error");
    for text in texts {
        check!(!on.leaks(&text), "a secret in {text:?}");
    }
    Ok(())
}

pub(crate) async fn a_closed_store_answers_closed(on: Trial) -> Checked {
    let (store, a, p) = (on.store(), key("a")?, partition(P)?);
    store.create(&a, number(1)?).await?;
    let token = store.change_token(&scope(P)?).await?;
    store.close().await?;
    store.close().await?;
    let options = WriteOptions::default;
    fails(store.get(&a).await, "closed", "a get")?;
    fails(store.put(&a, number(2)?, Overwrite).await, "closed", "a put")?;
    fails(store.delete(&a, Overwrite).await, "closed", "a delete")?;
    fails(store.patch(&a, number(2)?, Overwrite, options()).await, "closed", "a patch")?;
    fails(store.insert(&p, number(2)?, options()).await, "closed", "an insert")?;
    fails(store.batch(&p, vec![put("b", 1, IfAbsent)?]).await, "closed", "a batch")?;
    fails(store.scan(&p, ScanOptions::default()).await, "closed", "a scan")?;
    fails(store.partitions(None, 10).await, "closed", "the partitions")?;
    fails(store.count(&Scope::All).await, "closed", "a count")?;
    fails(store.query(&Scope::All, &Query::default()).await, "closed", "a query")?;
    fails(store.aggregate(&Scope::All, &Aggregation::default()).await, "closed", "an aggregate")?;
    fails(store.changes(&scope(P)?, Some(&token), 1).await, "closed", "the feed")?;
    fails(store.change_token(&scope(P)?).await, "closed", "a token")?;
    let a_while = std::time::Duration::from_millis(20);
    store.wait_for_change(&scope(P)?, &token, a_while).await;
    Ok(())
}

pub(crate) async fn what_was_written_outlives_the_handle(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let mine = WriteOptions::default().author("me");
    store.put_with(&a, number(1)?, IfAbsent, mine).await?;
    store.create(&key("b")?, number(1)?).await?;
    let deleted = store.delete_(&key("b")?).await?;
    let there = store.found(&a).await?;
    store.close().await?;
    let again = on.again(on.wanted()).await?;
    check_eq!(again.found(&a).await?, there, "the document after a reopen");
    again.is_absent(&key("b")?).await?;
    check_eq!(again.count(&Scope::All).await?, 1, "how many there are");
    let next = again.replace(&a, number(2)?, there.etag).await?;
    check!(next.position > deleted.position, "positions begin anew after a reopen");
    let stale = again.replace(&a, number(3)?, there.etag).await;
    fails(stale, "conflict", "a stale tag of before the reopen")?;
    let recreated = again.create(&key("b")?, number(1)?).await?;
    check!(recreated.etag != there.etag, "a tag is used again after a reopen");
    Ok(())
}

pub(crate) async fn two_handles_see_each_others_writes_at_once(on: Trial) -> Checked {
    let (one, a) = (on.store().clone(), key("a")?);
    let two = on.again(on.wanted()).await?;
    let mut etag = one.create(&a, number(0)?).await?.etag;
    for n in 1..10 {
        let (reader, writer) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        check_eq!(reader.found(&a).await?.etag, etag, "the tag that the other reads");
        let stale = etag;
        etag = writer.replace(&a, number(n)?, etag).await?.etag;
        // A cache of the other handle must not decide.
        let answer = reader.replace(&a, number(99)?, stale).await;
        let error = fails(answer, "conflict", "a stale write of the other handle")?;
        let said = error.conflict().and_then(|conflict| conflict.current);
        check_eq!(said, Some(etag), "the tag in the other's conflict");
        check_eq!(reader.count(&scope(P)?).await?, 1, "the count of the other");
        check_eq!(reader.ids(P, ScanOptions::default()).await?, ["a"], "the scan of the other");
    }
    two.delete_(&a).await?;
    one.is_absent(&a).await?;
    check_eq!(one.partitions(None, 10).await?, [], "the partitions of the other");
    Ok(())
}

pub(crate) async fn c5_two_handles_with_one_etag_have_one_winner(on: Trial) -> Checked {
    let (one, a) = (on.store().clone(), key("a")?);
    let two = on.again(on.wanted()).await?;
    let mut etag = one.create(&a, number(0)?).await?.etag;
    for round in 0..20 {
        let answers = crate::suite::meta::race::race(8, |racer| {
            let store = if racer % 2 == 0 { one.clone() } else { two.clone() };
            let (a, body) = (a.clone(), ifmatch_meta::Json::stored(format!("{racer}")));
            async move { store.put(&a, body, IfMatch(etag)).await }
        })
        .await?;
        let winner = crate::suite::meta::race::winner(&answers)?;
        let found = two.found(&a).await?;
        check_eq!(found.body.as_str(), winner.to_string(), "round {round}: the body");
        etag = found.etag;
    }
    Ok(())
}

/// Polls a future so many times, then drops it; its answer if it was done.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let mut answer = None;
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                answer = Some(output);
            }
            Poll::Ready(())
        })
        .await;
        if answer.is_some() {
            return answer;
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Whatever is dropped at whatever poll: the store goes on, and each write is
/// there as a whole or not at all.
pub(crate) async fn w6_a_dropped_call_leaves_nothing_half_done(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    for polls in (0..8).chain([12, 20, 40]) {
        let names = [format!("x{polls:02}"), format!("y{polls:02}")];
        let ops = vec![put(&names[0], 1, IfAbsent)?, put(&names[1], 1, IfAbsent)?];
        let answered = polled(store.batch(&p, ops), polls).await;
        let _ = polled(store.get(&key(&names[0])?), polls).await;
        let _ = polled(store.scan(&p, ScanOptions::default()), polls).await;
        let _ = polled(store.query(&scope(P)?, &Query::default()), polls).await;
        let _ = polled(store.changes(&scope(P)?, None, 10), polls).await;
        let _ = polled(store.count_where(&Scope::All, &Filter::Everything), polls).await;
        let own = key(&format!("z{polls:02}"))?;
        let _ = polled(store.put(&own, number(1)?, IfAbsent), polls).await;
        let _ = polled(store.delete(&own, Overwrite), polls).await;
        // Others go on at once, and what they are told is true.
        let after = key("after")?;
        let etag = store.put_(&after, number(polls as u64)?).await?.etag;
        check_eq!(store.found(&after).await?.etag, etag, "the tag of a write after {polls} polls");
        // A dropped write may come a little later.
        let mut both = (None, None);
        for _ in 0..50 {
            let page = store.scan(&p, ScanOptions::default()).await?;
            let tag = |name: &str| -> Option<ETag> {
                let is_it = |d: &&ifmatch_meta::Document| d.key.id.as_str() == name;
                page.documents.iter().find(is_it).map(|d| d.etag)
            };
            both = (tag(&names[0]), tag(&names[1]));
            check_eq!(both.0.is_some(), both.1.is_some(), "half of a batch after {polls} polls");
            if both.0.is_some() || answered.is_none() {
                break;
            }
        }
        if let Some(applied) = answered {
            let applied = applied?;
            check_eq!(both, (applied[0].etag(), applied[1].etag()), "what was answered");
        }
    }
    let ops = vec![Op::check(id("after")?, IfExists), put("end", 1, IfAbsent)?];
    store.batch(&p, ops).await?;
    Ok(())
}
