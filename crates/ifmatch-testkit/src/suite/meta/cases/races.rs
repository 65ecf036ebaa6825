//! Clauses 1, 2, 6 and 12 where many act at once.

use std::collections::HashSet;

use ifmatch_meta::{DocPrecondition, Document, ETag, Op, ScanOptions, Scope};

use crate::history;
use crate::suite::Failure;
use crate::suite::meta::race::{race, unexpected, winner};
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, id, key, number, number_of, partition, scope};
use DocPrecondition::{IfAbsent, IfMatch, Overwrite};

/// How many tasks race.
const RACERS: usize = 32;

pub(crate) async fn c5_of_many_writes_with_one_etag_exactly_one_wins(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let mut etag = store.create(&a, number(0)?).await?.etag;
    let mut seen = HashSet::from([etag]);
    for round in 0..10 {
        let answers = race(RACERS, |racer| {
            let (store, a) = (store.clone(), a.clone());
            let body = ifmatch_meta::Json::stored(format!("{{\"n\":{racer}}}"));
            async move { store.put(&a, body, IfMatch(etag)).await }
        })
        .await?;
        let winner = winner(&answers)?;
        let found = store.found(&a).await?;
        let written = answers[winner].as_ref().map(|written| written.etag);
        check_eq!(written.ok(), Some(found.etag), "round {round}: the tag of the winner");
        check_eq!(number_of(&found.body)?, winner as u64, "round {round}: the body");
        for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            // True at a moment inside the call: only the winner wrote meanwhile.
            let current = error.conflict().and_then(|conflict| conflict.current);
            check_eq!(current, Some(found.etag), "round {round}: the tag in a conflict");
        }
        check!(seen.insert(found.etag), "round {round}: {} was there before", found.etag);
        etag = found.etag;
    }
    Ok(())
}

pub(crate) async fn c5_of_many_creators_exactly_one_wins(on: Trial) -> Checked {
    for round in 0..5 {
        let a = key(&format!("d{round}"))?;
        let answers = race(RACERS, |racer| {
            let (store, a) = (on.store().clone(), a.clone());
            let body = ifmatch_meta::Json::stored(format!("{{\"n\":{racer}}}"));
            async move { store.put(&a, body, IfAbsent).await }
        })
        .await?;
        let winner = winner(&answers)? as u64;
        check_eq!(number_of(&on.store().found(&a).await?.body)?, winner, "round {round}: the body");
    }
    Ok(())
}

pub(crate) async fn c5_of_many_deleters_exactly_one_wins(on: Trial) -> Checked {
    for round in 0..5 {
        let a = key(&format!("d{round}"))?;
        let etag = on.store().create(&a, number(1)?).await?.etag;
        let answers = race(RACERS, |_| {
            let (store, a) = (on.store().clone(), a.clone());
            async move { store.delete(&a, IfMatch(etag)).await }
        })
        .await?;
        winner(&answers)?;
        on.store().is_absent(&a).await?;
    }
    Ok(())
}

pub(crate) async fn w10_a_counter_counts_every_increment(on: Trial) -> Checked {
    history::count(on.store(), &partition(P)?, 8, 25).await
}

pub(crate) async fn t3_transfers_by_batches_keep_the_sum(on: Trial) -> Checked {
    history::transfer(on.store(), &partition(P)?, 7, 6, 25).await.map(drop)
}

pub(crate) async fn t3_lists_appended_to_by_batches_are_serializable(on: Trial) -> Checked {
    let what = history::Appending::default();
    history::append(on.store(), &partition(P)?, 11, what).await.map(drop)
}

/// W10, W12, W23: many tasks, each with its own documents and all on shared
/// ones; every error that is told is true, and what is told done is there.
pub(crate) async fn w10_w12_w23_any_number_of_tasks_share_a_store(on: Trial) -> Checked {
    let told = race(60, |task| {
        let store = on.store().clone();
        async move {
            let mut mine: Option<ETag> = None;
            let own = key(&format!("own{task:02}"))?;
            for round in 0..5_u64 {
                let answer = match mine {
                    None => store.put(&own, number(round)?, IfAbsent).await,
                    Some(etag) => store.put(&own, number(round)?, IfMatch(etag)).await,
                };
                mine = Some(answer.map_err(|error| unexpected(&error))?.etag);
                let shared = key(&format!("shared{}", round % 2))?;
                store.put(&shared, number(round)?, Overwrite).await.map_err(|e| unexpected(&e))?;
                store.get(&shared).await.map_err(|error| unexpected(&error))?;
            }
            Ok::<_, Failure>((own, mine))
        }
    })
    .await?;
    for answer in told {
        let (own, etag) = answer?;
        check_eq!(Some(on.store().found(&own).await?.etag), etag, "the last tag of {own}");
    }
    check_eq!(on.store().count(&Scope::All).await?, 62, "how many there are");
    Ok(())
}

pub(crate) async fn whoever_reads_after_a_write_sees_it(on: Trial) -> Checked {
    race(8, |task| {
        let store = on.store().clone();
        async move {
            for round in 0..10_u64 {
                let own = key(&format!("d{task}"))?;
                let etag = store.put_(&own, number(round)?).await?.etag;
                check_eq!(store.found(&own).await?.etag, etag, "the tag read after a put");
                let page = store.scan(&partition(P)?, ScanOptions::default()).await?;
                let there = page.documents.iter().any(|found| found.etag == etag);
                check!(there, "a scan misses what was written before it");
                if round % 3 == 2 {
                    store.delete_(&own).await?;
                    store.is_absent(&own).await?;
                }
            }
            Ok(())
        }
    })
    .await?
    .into_iter()
    .collect()
}

/// Two documents are only ever written together, to the same number: no page,
/// no query and no feed shows one without the other.
pub(crate) async fn a_page_is_one_moment(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let both = |n: u64| -> Checked<Vec<Op>> {
        ["a", "z"].map(|name| Ok(Op::put(id(name)?, number(n)?, Overwrite))).into_iter().collect()
    };
    store.batch(&p, both(0)?).await?;
    let writer = {
        let (store, p) = (store.clone(), p.clone());
        tokio::spawn(async move {
            for n in 1..60 {
                store.batch(&p, both(n)?).await?;
            }
            Ok::<_, Failure>(())
        })
    };
    let same = |found: &[Document], what: &str| -> Checked {
        let numbers: Vec<_> = found.iter().map(|d| number_of(&d.body)).collect::<Checked<_>>()?;
        check!(numbers.len() == 2 && numbers[0] == numbers[1], "{what} shows {numbers:?}");
        Ok(())
    };
    loop {
        let ended = writer.is_finished();
        same(&store.scan(&p, ScanOptions::default()).await?.documents, "a scan")?;
        let down = ScanOptions::default().descending();
        same(&store.scan(&p, down).await?.documents, "a scan downwards")?;
        let page = store.query(&scope(P)?, &ifmatch_meta::Query::default()).await?;
        same(&page.documents, "a query")?;
        let told = store.changes(&scope(P)?, None, 10).await?.changes;
        let told: Vec<_> = told.iter().filter_map(|change| change.document().cloned()).collect();
        same(&told, "the feed")?;
        if ended {
            break;
        }
    }
    writer.await?
}
