//! Clause 15, as users meet it: optimistic transactions, and lists as proof.

use std::time::Duration;

use ifmatch_core::RetryPolicy;
use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, Overwrite};
use ifmatch_meta::{Applied, DocKey, Error, Json, ScanOptions, Scope, transact};

use super::transactions::{begin, options};
use crate::history;
use crate::suite::Failure;
use crate::suite::meta::race::race;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, delete, fails, id, key, number, number_of, partition};

// need: Nothing
pub(crate) async fn t31_what_transact_does_is_one_commit(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    store.create(&key("gone")?, number(1)?).await?;
    let done = transact(&**store, &p, RetryPolicy::new(), |draft| async move {
        let (a, b) = (id("a")?, id("b")?);
        let found = draft.get(&a).await?.ok_or_else(|| Failure::new("a is not there"))?;
        let n = number_of(&found.body)?;
        draft.put(&a, number(n + 1)?, Overwrite)?;
        draft.put(&b, number(n)?, IfAbsent)?;
        draft.push(delete("gone", IfExists)?)?;
        Ok::<_, Failure>(n)
    });
    let done = done.await?;
    check_eq!((done.value, done.runs), (1, 1), "what the body answered, and its runs");
    let position = |applied: &Applied| match applied {
        Applied::Written(written) => Some(written.position),
        Applied::Deleted(deleted) => Some(deleted.position),
        _ => None,
    };
    let positions: Vec<_> = done.applied.iter().filter_map(position).collect();
    check!(positions.iter().all(|at| Some(*at) == done.position), "{positions:?}");
    store.holds(&key("a")?, &number(2)?).await?;
    store.holds(&key("b")?, &number(1)?).await?;
    store.is_absent(&key("gone")?).await?;
    let failed = transact(&**store, &p, RetryPolicy::new(), |draft| async move {
        draft.put(&id("a")?, number(9)?, Overwrite)?;
        Err::<(), _>(Failure::new("the body's own error"))
    });
    let failed = failed.await.map(drop);
    check!(failed.is_err_and(|e| e.to_string() == "the body's own error"), "another error");
    store.holds(&key("a")?, &number(2)?).await
}

// need: Nothing
pub(crate) async fn t31_transact_runs_again_until_nobody_interferes(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    race(8, |racer| {
        let (store, p) = (store.clone(), p.clone());
        async move {
            for _ in 0..10 {
                let done = transact(&*store, &p, RetryPolicy::new(), |draft| async move {
                    let counter = id("counter")?;
                    let n = match draft.get(&counter).await? {
                        Some(found) => number_of(&found.body)?,
                        None => 0,
                    };
                    // By scan, so that every writer of the partition interferes.
                    let page = draft.scan(ScanOptions::default()).await?;
                    let found = page.documents.len() as u64;
                    draft.put(&counter, number(n + 1)?, Overwrite)?;
                    draft.put(&id(&format!("d{racer}-{n:03}"))?, number(found)?, IfAbsent)?;
                    Ok::<_, Failure>(n)
                });
                done.await?;
            }
            Ok::<_, Failure>(())
        }
    })
    .await?
    .into_iter()
    .collect::<Checked<Vec<_>>>()?;
    store.holds(&key("counter")?, &number(80)?).await?;
    let page = store.scan(&p, ScanOptions::default().prefix("d")).await?;
    let mut seen: Vec<_> =
        page.documents.iter().map(|d| number_of(&d.body)).collect::<Checked<_>>()?;
    seen.sort_unstable();
    // Each saw all that were committed before it: none, the counter and one, ...
    let expected: Vec<_> = (0..80).map(|n| if n == 0 { 0 } else { n + 1 }).collect();
    check_eq!(seen, expected, "what each run that counted has seen");
    check_eq!(store.count(&Scope::All).await?, 81, "how many there are");
    Ok(())
}

pub(crate) async fn t31_transact_waits_for_an_open_transaction(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let tx = begin(store, options()).await?;
    tx.put(&key("a")?, number(1)?, IfAbsent).await?;
    let counted = transact(&**store, &p, RetryPolicy::new(), |draft| async move {
        let found = draft.get(&id("a")?).await?;
        draft.put(&id("b")?, Json::of(&found.is_some())?, Overwrite)?;
        Ok::<_, Failure>(())
    });
    let held = async {
        store.env().sleep(Duration::from_millis(50)).await;
        tx.commit().await
    };
    let (ran, committed) = futures::join!(counted, held);
    ran?;
    committed?;
    let found = store.found(&key("b")?).await?;
    check_eq!(found.body.as_str(), "true", "whether the body saw the commit");
    let hopeless = begin(store, options()).await?;
    let short = RetryPolicy::new().with_deadline(Duration::from_millis(100));
    let answer = transact(&**store, &p, short, |draft| async move {
        draft.put(&DocKey::new(P, "b")?.id, Json::stored("1"), Overwrite)?;
        Ok::<_, Error>(())
    });
    fails(answer.await.map(drop), "partition_locked", "a lock beyond the deadline")?;
    hopeless.abort().await?;
    Ok(())
}

// need: Nothing
pub(crate) async fn t31_lists_appended_to_by_transact_are_serializable(on: Trial) -> Checked {
    let what = history::Appending::default().by(history::By::Transact);
    history::append(on.store(), &partition(P)?, 13, what).await.map(drop)
}

pub(crate) async fn t9_lists_appended_to_by_transactions_are_serializable(on: Trial) -> Checked {
    let what = history::Appending::default().by(history::By::Transactions).sized(4, 12);
    history::append(on.store(), &partition(P)?, 17, what).await.map(drop)
}
