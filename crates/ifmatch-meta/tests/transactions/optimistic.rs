use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ifmatch_core::RetryPolicy;
use ifmatch_meta::query::field;
use ifmatch_meta::{
    DocPrecondition, Draft, Error, Json, MetaStore, Query, ScanOptions, Scope, Transacted, transact,
};

use crate::common::*;
use crate::lossy::{Fate, Lossy};

fn policy() -> RetryPolicy {
    RetryPolicy::new()
}

async fn number(draft: &Draft<'_>, name: &str) -> Result<i64, Error> {
    draft.get(&id(name)).await?.map_or(Ok(0), |document| document.body.decode())
}

fn set(draft: &Draft<'_>, name: &str, number: i64) -> Result<(), Error> {
    draft.put(&id(name), Json::of(&number)?, DocPrecondition::Overwrite)
}

async fn count_up(store: &Lossy) -> Result<Transacted<i64>, Error> {
    let partition = p();
    let counted = transact(store, &partition, policy(), |draft| async move {
        let next = number(&draft, "n").await? + 1;
        set(&draft, "n", next)?;
        Ok(next)
    });
    counted.await
}

#[tokio::test(start_paused = true)]
async fn t31_increments_of_many_tasks_are_all_there() {
    let store = store();
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            for _ in 0..25 {
                // Late reads, so that others come in between.
                store.next([Fate::Late(Duration::from_millis(1))]);
                count_up(&store).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(body(&*store, "n").await.as_deref(), Some("200"));
    assert_eq!(store.audit(&p(), None, 1_000).await.unwrap().len(), 200);
}

#[tokio::test(start_paused = true)]
async fn t31_one_batch_in_all_and_none_where_nothing_has_to_hold() {
    let store = store();
    let counted = count_up(&store).await.unwrap();
    assert_eq!((counted.value, counted.runs, store.requests()), (1, 1, 2));
    assert!(counted.position.is_some());
    assert_eq!(counted.applied.len(), 1);
    let (partition, sent) = (p(), store.requests());
    let read =
        transact(&*store, &partition, policy(), |draft| async move { number(&draft, "n").await });
    let read: Transacted<i64> = read.await.unwrap();
    assert_eq!((read.value, read.position, store.requests() - sent), (1, None, 1));
}

/// Runs the body, after whose first run somebody else writes `name`.
async fn disturbed(
    store: &Lossy,
    name: &str,
    body: impl AsyncFn(&Draft<'_>) -> Result<(), Error>,
) -> Transacted<()> {
    let (partition, runs) = (p(), AtomicU32::new(0));
    let (runs, body) = (&runs, &body);
    let done = transact(store, &partition, policy(), |draft| async move {
        body(&draft).await?;
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            store.put(&key(name), json("9"), DocPrecondition::Overwrite).await?;
        }
        Ok::<_, Error>(())
    });
    done.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_read_has_to_be_so_at_the_commit_and_nothing_else_does() {
    let store = store();
    let read_and_write = async |draft: &Draft<'_>| {
        number(draft, "read").await?;
        set(draft, "written", 1)
    };
    assert_eq!(disturbed(&store, "read", read_and_write).await.runs, 2, "a missing one too");
    assert_eq!(disturbed(&store, "read", read_and_write).await.runs, 2);
    assert_eq!(disturbed(&store, "other", read_and_write).await.runs, 1);
    assert_eq!(disturbed(&store, "written", read_and_write).await.runs, 1, "a blind write");
    let scan_and_write = async |draft: &Draft<'_>| {
        draft.scan(ScanOptions::default().prefix("x")).await?;
        set(draft, "written", 1)
    };
    assert_eq!(disturbed(&store, "x1", scan_and_write).await.runs, 2, "a phantom");
    let read_two = async |draft: &Draft<'_>| {
        number(draft, "read").await?;
        number(draft, "other").await.map(|_| ())
    };
    assert_eq!(disturbed(&store, "other", read_two).await.runs, 2, "without a write too");
}

#[tokio::test(start_paused = true)]
async fn a_draft_sees_its_own_writes() {
    let store = store();
    store.put(&key("a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    store.put(&key("b"), json(r#"{"x":1}"#), DocPrecondition::IfAbsent).await.unwrap();
    let partition = p();
    let done = transact(&*store, &partition, policy(), |draft| async move {
        draft.author("ann");
        draft.delete(&id("a"), DocPrecondition::IfExists)?;
        draft.patch(&id("b"), json(r#"{"y":2}"#), DocPrecondition::IfExists)?;
        set(&draft, "c", 3)?;
        assert_eq!(draft.get(&id("a")).await?, None);
        let page = draft.scan(ScanOptions::default().descending()).await?;
        let seen: Vec<_> = page.documents.iter().map(|d| d.body.to_string()).collect();
        assert_eq!(seen, ["3", r#"{"x":1,"y":2}"#]);
        draft.put(&id("a"), json("4"), DocPrecondition::IfAbsent)?;
        Ok::<_, Error>(draft.get(&id("a")).await?.unwrap().body.to_string())
    });
    let done = done.await.unwrap();
    assert_eq!((done.value.as_str(), done.applied.len(), done.runs), ("4", 4, 1));
    let stored = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!(
        (Some(stored.etag), stored.updated_by.as_deref()),
        (done.applied[3].etag(), Some("ann"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_condition_of_the_body_itself_is_its_answer() {
    let store = store();
    store.put(&key("a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    let (partition, runs) = (p(), AtomicU32::new(0));
    let runs = &runs;
    let done = transact(&*store, &partition, policy(), |draft| async move {
        runs.fetch_add(1, Ordering::Relaxed);
        number(&draft, "b").await?;
        set(&draft, "b", 1)?;
        draft.put(&id("a"), json("2"), DocPrecondition::IfAbsent)
    });
    let error: Error = done.await.unwrap_err();
    assert_eq!((error.kind(), error.operation_index()), ("conflict", Some(1)));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(body(&*store, "b").await, None);
}

#[derive(Debug, PartialEq)]
enum Refusal {
    NotEnough,
    Store(&'static str),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(error.kind())
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_body_counts_only_if_what_it_read_was_true() {
    let store = store();
    for name in ["a", "b"] {
        store.put(&key(name), json("50"), DocPrecondition::IfAbsent).await.unwrap();
    }
    let (partition, runs) = (p(), AtomicU32::new(0));
    let (runs, theirs) = (&runs, &store);
    let done = transact(&**theirs, &partition, policy(), |draft| async move {
        let a = number(&draft, "a").await?;
        if runs.fetch_add(1, Ordering::Relaxed) == 0 {
            // 50 go from b to a, and this run sees them nowhere.
            let to = |name: &str, n: &str| {
                ifmatch_meta::Op::put(id(name), json(n), DocPrecondition::Overwrite)
            };
            theirs.batch(&p(), vec![to("a", "100"), to("b", "0")]).await?;
        }
        let b = number(&draft, "b").await?;
        if a + b < 100 { Err(Refusal::NotEnough) } else { Ok(a + b) }
    });
    let done = done.await.unwrap();
    assert_eq!((done.value, done.runs), (100, 2));
    let refused = transact(&**theirs, &partition, policy(), |draft| async move {
        let sum = number(&draft, "a").await? + number(&draft, "b").await?;
        if sum < 101 { Err(Refusal::NotEnough) } else { Ok(()) }
    });
    assert_eq!(refused.await.unwrap_err(), Refusal::NotEnough);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_told_and_never_run_again() {
    let store = store();
    for fate in [Fate::AnswerLost, Fate::Lost] {
        store.next([Fate::Done, fate]);
        assert_eq!(count_up(&store).await.unwrap_err().kind(), "outcome_unknown");
    }
    assert_eq!(
        body(&*store, "n").await.as_deref(),
        Some("1"),
        "only what was lost on the way back"
    );
    store.next([Fate::Refused, Fate::Done, Fate::Refused]);
    assert_eq!(count_up(&store).await.unwrap().runs, 3);
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_lock_as_long_as_its_policy_allows() {
    let store = store();
    let tx = begin(&store).await;
    put(&tx, "n", "40").await;
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { count_up(&store).await }
    });
    pass(Duration::from_secs(5)).await;
    tx.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().value, 41);
    let _tx = begin(&store).await;
    let started = store.env().now();
    assert_eq!(count_up(&store).await.unwrap_err().kind(), "partition_locked");
    let waited = store.env().now().saturating_sub(started);
    assert!(waited <= Duration::from_secs(30) && waited > Duration::from_secs(20), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn no_write_skew() {
    // Each of two takes what is there from its own, if both together have enough.
    for round in 0..20 {
        let store = store();
        for name in ["a", "b"] {
            store.put(&key(name), json("60"), DocPrecondition::IfAbsent).await.unwrap();
        }
        let take = |own: &'static str| {
            let store = store.clone();
            async move {
                let partition = p();
                let taken = transact(&*store, &partition, policy(), |draft| async move {
                    let sum = number(&draft, "a").await? + number(&draft, "b").await?;
                    pass(Duration::from_millis(round)).await;
                    if sum >= 100 {
                        let own_sum = number(&draft, own).await?;
                        set(&draft, own, own_sum - 100)?;
                    }
                    Ok::<_, Error>(())
                });
                taken.await.unwrap();
            }
        };
        futures::future::join(take("a"), take("b")).await;
        let mut sum = 0;
        for name in ["a", "b"] {
            sum += body(&*store, name).await.unwrap().parse::<i64>().unwrap();
        }
        assert_eq!(sum, 20);
    }
}

#[tokio::test(start_paused = true)]
async fn a_draft_that_outlives_its_run_can_do_nothing() {
    let store = store();
    let (partition, kept) = (p(), std::sync::Mutex::new(None));
    let kept = &kept;
    let done = transact(&*store, &partition, policy(), |draft| async move {
        *kept.lock().unwrap() = Some(draft.clone());
        Ok::<_, Error>(())
    });
    done.await.unwrap();
    let draft = kept.lock().unwrap().take().unwrap();
    assert_eq!(set(&draft, "a", 1).unwrap_err().kind(), "closed");
    assert_eq!(draft.get(&id("a")).await.unwrap_err().kind(), "closed");
    assert_eq!(store.count(&Scope::All).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_query_counts_as_read_and_comes_before_writes() {
    let store = store();
    let ones = || Query::filter(field("/n").eq(1));
    let query_and_write = async |draft: &Draft<'_>| {
        let found = draft.query(&ones()).await?.documents.len();
        draft.put(&id("found"), Json::of(&found)?, DocPrecondition::Overwrite)?;
        let late = draft.query(&ones()).await;
        assert_eq!(late.unwrap_err().kind(), "invalid");
        Ok(())
    };
    let found = disturbed(&store, "any", query_and_write).await;
    assert_eq!(found.runs, 2);
}
