//! The record of changes (C11, C14).

use ifmatch_meta::{
    AuditOperation, AuditRecord, DocPrecondition, Op, Transaction, TxOptions, WriteOptions,
};
use serde_json::json;

use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, delete, fails, id, key, number, partition, put};
use AuditOperation::{Created, Deleted, Replaced};
use DocPrecondition::{IfAbsent, IfExists, Overwrite};

fn done(records: &[AuditRecord]) -> Vec<(&str, AuditOperation)> {
    records.iter().map(|record| (record.id.as_str(), record.operation)).collect()
}

pub(crate) async fn c11_c14_every_change_is_recorded_with_who_and_what(on: Trial) -> Checked {
    let (store, p, a) = (on.store(), partition(P)?, key("a")?);
    let by = |name: &str| WriteOptions::default().author(name);
    let before = store.env().wall_clock();
    let first = store.put_with(&a, number(1)?, IfAbsent, by("x")).await?;
    let second = store.put_with(&a, number(2)?, IfExists, by("y")).await?;
    let third = store.patch(&a, body(&json!({}))?, Overwrite, WriteOptions::default()).await?;
    let gone = store.delete_with(&a, Overwrite, by("z")).await?;
    let fourth = store.create(&a, number(3)?).await?;
    let records = store.audit(&p, None, 100).await?;
    let operations = [Created, Replaced, Replaced, Deleted, Created];
    let etags = [
        (None, Some(first.etag)),
        (Some(first.etag), Some(second.etag)),
        (Some(second.etag), Some(third.etag)),
        (Some(third.etag), None),
        (None, Some(fourth.etag)),
    ];
    let authors = [Some("x"), Some("y"), None, Some("z"), None];
    let positions =
        [first.position, second.position, third.position, gone.position, fourth.position];
    check_eq!(records.len(), 5, "how many changes are recorded");
    for (n, record) in records.iter().enumerate() {
        check_eq!(record.id, a.id, "the document of record {n}");
        check_eq!(record.operation, operations[n], "the operation of record {n}");
        check_eq!((record.previous, record.etag), etags[n], "the tags of record {n}");
        check_eq!(record.author.as_deref(), authors[n], "the author of record {n}");
        check_eq!((record.at.position, record.at.ordinal), (positions[n], 0), "its place");
        check!(record.time >= before, "the time of record {n}");
    }
    Ok(())
}

pub(crate) async fn c14_a_batch_is_recorded_by_its_net_effects(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    store.create(&key("b")?, number(1)?).await?;
    let ops = vec![
        put("c", 1, IfAbsent)?,
        delete("a", IfExists)?,
        put("x", 1, IfAbsent)?,
        delete("x", IfExists)?,
        Op::check(id("b")?, IfExists),
        put("b", 2, IfExists)?,
        put("b", 3, IfExists)?,
        delete("none", Overwrite)?,
    ];
    store.batch(&p, ops).await?;
    let records = store.audit(&p, None, 100).await?;
    let expected =
        [("a", Created), ("b", Created), ("c", Created), ("a", Deleted), ("b", Replaced)];
    check_eq!(done(&records), expected, "what is recorded");
    let batch = &records[2..];
    let places: Vec<_> = batch.iter().map(|record| record.at.ordinal).collect();
    check_eq!(places, [0, 1, 2], "the ordinals of a batch");
    check!(batch.iter().all(|r| r.at.position == batch[0].at.position), "one commit");
    check_eq!(batch[2].previous, records[1].etag, "the tag before, of what was there");
    Ok(())
}

pub(crate) async fn c14_the_record_is_read_in_pages(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let mut whole = Vec::new();
    for n in 0..3 {
        let names = ["a", "b", "c"];
        let ops = names.iter().map(|name| put(name, n, Overwrite)).collect::<Checked<Vec<_>>>()?;
        store.batch(&p, ops).await?;
        whole.extend(names);
    }
    store.create(&ifmatch_meta::DocKey::new("q", "a")?, number(1)?).await?;
    for limit in [1, 2, 4, 9, 10] {
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = store.audit(&p, after, limit).await?;
            check!(page.len() <= limit, "a page of {}, the limit is {limit}", page.len());
            after = page.last().map(|record| record.at).or(after);
            let last = page.len() < limit;
            read.extend(page);
            if last {
                break;
            }
        }
        let ids: Vec<_> = read.iter().map(|record| record.id.as_str()).collect();
        check_eq!(ids, whole, "pages of {limit}");
        check!(read.windows(2).all(|pair| pair[0].at < pair[1].at), "the places do not grow");
    }
    check_eq!(store.audit(&partition("never")?, None, 10).await?, [], "a record of nothing");
    Ok(())
}

pub(crate) async fn c14_what_failed_is_not_recorded(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    fails(store.put(&key("a")?, number(2)?, IfAbsent).await, "conflict", "a second create")?;
    let ops = vec![put("b", 1, IfAbsent)?, put("a", 1, IfAbsent)?];
    fails(store.batch(&p, ops).await, "conflict", "a batch that fails")?;
    store.delete_(&key("none")?).await?;
    check_eq!(done(&store.audit(&p, None, 10).await?), [("a", Created)], "what is recorded");
    Ok(())
}

pub(crate) async fn c14_without_the_option_there_is_no_record(on: Trial) -> Checked {
    check!(!on.store().features().audit, "a store opened without a record says it keeps one");
    on.store().create(&key("a")?, number(1)?).await?;
    let answer = on.store().audit(&partition(P)?, None, 10).await;
    fails(answer, "unsupported", "a record that nobody keeps")?;
    Ok(())
}

pub(crate) async fn c14_the_chain_of_tags_has_no_gap_under_concurrency(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    super::super::race::race(6, |writer| {
        let store = store.clone();
        async move {
            for round in 0..10_u64 {
                let name = key(&format!("d{}", round % 3))?;
                if (round + writer as u64).is_multiple_of(4) {
                    store.delete_(&name).await?;
                } else {
                    store.put_(&name, number(round)?).await?;
                }
            }
            Ok::<_, crate::suite::Failure>(())
        }
    })
    .await?
    .into_iter()
    .collect::<Checked<Vec<_>>>()?;
    let records = store.audit(&p, None, 1_000).await?;
    let mut now = std::collections::BTreeMap::new();
    for record in &records {
        let before = now.insert(record.id.clone(), record.etag).flatten();
        check_eq!(record.previous, before, "the tag before {:?} of {}", record.at, record.id);
    }
    for (id, etag) in now {
        let found = store.get(&key(id.as_str())?).await?.map(|found| found.etag);
        check_eq!(found, etag, "the last tag of {id}");
    }
    Ok(())
}

/// Whichever way it was written: alone, in a batch, or in a transaction that
/// commits later.
// need: AuditedTransactions
pub(crate) async fn c14_a_record_has_the_time_of_its_document(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let pause = || store.env().sleep(std::time::Duration::from_millis(5));
    store.create(&key("alone")?, number(1)?).await?;
    pause().await;
    store.batch(&p, vec![put("one", 1, IfAbsent)?, put("two", 1, IfAbsent)?]).await?;
    pause().await;
    let tx = Transaction::begin(store.clone(), &p, TxOptions::default()).await?;
    for name in ["early", "late", "one"] {
        tx.put(&key(name)?, number(2)?, Overwrite).await?;
        pause().await;
    }
    tx.delete(&key("two")?, IfExists).await?;
    let before = store.env().wall_clock();
    tx.commit().await?;
    let records = store.audit(&p, None, 100).await?;
    check_eq!(records.len(), 7, "how many changes are recorded");
    let newest = |name: &str| records.iter().rev().find(|record| record.id.as_str() == name);
    for name in ["alone", "early", "late", "one"] {
        let document = store.found(&key(name)?).await?;
        let record = newest(name).ok_or_else(|| Failure::new(format!("no record of {name}")))?;
        check_eq!(record.etag, Some(document.etag), "the tag in the record of {name}");
        check_eq!(record.time, document.updated_at, "the time in the record of {name}");
        check!(record.time <= before, "{name} was written before the commit");
    }
    let times = ["early", "late"].map(|name| newest(name).map(|record| record.time));
    check!(times[0] < times[1], "the times of two writes in one transaction: {times:?}");
    Ok(())
}
