//! Marks: a partition is as it was read.

use ifmatch_meta::{DocPrecondition, Mark, MetaStore, Op, Query, ScanOptions, Scope};

use crate::suite::Failure;
use crate::suite::meta::race::{race, winner};
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, delete, fails, key, number, partition, put, scope};
use DocPrecondition::{IfAbsent, IfExists, Overwrite};

async fn mark(store: &dyn MetaStore) -> Checked<Mark> {
    Ok(store.scan(&partition(P)?, ScanOptions::default().limit(1)).await?.mark)
}

fn unchanged(since: &Mark) -> Op {
    Op::Unchanged { since: since.clone() }
}

pub(crate) async fn t31_an_unchanged_partition_lets_a_batch_pass(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    let since = mark(&**store).await?;
    let printed: Mark = since.to_string().parse()?;
    // What happens elsewhere does not matter.
    store.create(&ifmatch_meta::DocKey::new("q", "a")?, number(1)?).await?;
    store.batch(&p, vec![unchanged(&since)]).await?;
    store.batch(&p, vec![unchanged(&printed), put("b", 1, IfAbsent)?]).await?;
    store.holds(&key("b")?, &number(1)?).await
}

pub(crate) async fn t31_whatever_changes_in_a_partition_fails_the_batch(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    store.create(&key("b")?, number(1)?).await?;
    for round in 0..5 {
        let since = mark(&**store).await?;
        match round {
            0 => store.put_(&key("a")?, number(1)?).await.map(|_| ())?,
            1 => store.delete_(&key("a")?).await.map(|_| ())?,
            2 => store.create(&key("c")?, number(1)?).await.map(|_| ())?,
            3 => {
                // Back to the same documents is a change all the same.
                store.create(&key("x")?, number(1)?).await?;
                store.delete_(&key("x")?).await?;
            }
            _ => store.batch(&p, vec![put("b", 2, IfExists)?]).await.map(|_| ())?,
        }
        for first in [vec![unchanged(&since)], vec![put("d", 1, Overwrite)?, unchanged(&since)]] {
            let place = first.len() - 1;
            let answer = store.batch(&p, first).await;
            let error = fails(answer, "conflict", &format!("round {round}: a stale mark"))?;
            check_eq!(error.operation_index(), Some(place), "which operation failed");
            check!(error.conflict().is_none(), "a changed partition is no document's conflict");
            check_eq!(error.retry(), ifmatch_core::Retry::Rebase, "what to do about it");
        }
        store.is_absent(&key("d")?).await?;
        let now = mark(&**store).await?;
        store.batch(&p, vec![unchanged(&now)]).await?;
    }
    Ok(())
}

pub(crate) async fn t31_a_mark_of_a_partition_that_never_was_guards_its_first_document(
    on: Trial,
) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let since = mark(&**store).await?;
    store.batch(&p, vec![unchanged(&since)]).await?;
    let mut batches = Vec::new();
    for n in 0..8 {
        batches.push(vec![unchanged(&since), put(&format!("d{n}"), n, IfAbsent)?]);
    }
    let answers = race(batches.len(), |number| {
        let (store, p, ops) = (store.clone(), p.clone(), batches[number].clone());
        async move { store.batch(&p, ops).await }
    })
    .await?;
    winner(&answers)?;
    check_eq!(store.count(&Scope::All).await?, 1, "how many were first");
    fails(store.batch(&p, vec![unchanged(&since)]).await, "conflict", "a stale mark")?;
    Ok(())
}

pub(crate) async fn t31_a_query_of_one_partition_has_a_mark(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    let of_all = store.query(&Scope::All, &Query::default()).await?;
    check_eq!(of_all.mark, None, "the mark of all partitions");
    let page = store.query(&scope(P)?, &Query::default()).await?;
    let since = page.mark.ok_or_else(|| Failure::new("a query of one partition without a mark"))?;
    store.batch(&p, vec![unchanged(&since), delete("a", IfExists)?]).await?;
    fails(store.batch(&p, vec![unchanged(&since)]).await, "conflict", "a stale mark")?;
    Ok(())
}

pub(crate) async fn a_mark_of_no_store_is_refused(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    for text in ["x", "0", "-1", "99999999999999999999", "';--", "1:2:3", "c1.0"] {
        let since: Mark = text.parse()?;
        let ops = vec![unchanged(&since), put("b", 1, Overwrite)?];
        match store.batch(&p, ops).await {
            Err(error) if matches!(error.kind(), "invalid" | "conflict") => {}
            other => check!(false, "a batch since mark {text:?} answers {other:?}"),
        }
        store.is_absent(&key("b")?).await?;
    }
    for text in ["", "a b", "ä", &"x".repeat(Mark::LONGEST + 1)] {
        fails(text.parse::<Mark>(), "invalid", &format!("mark {text:.10?}"))?;
    }
    Ok(())
}
