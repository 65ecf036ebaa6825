//! Bodies of `transact` that go on after a read that failed.
//!
//! Broken once: a body that read again with success had run for nothing, and one
//! that made something of a read that failed for good was taken at its word.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ifmatch_core::RetryPolicy;
use ifmatch_meta::query::field;
use ifmatch_meta::{
    DocPrecondition, Draft, Error, Json, MetaStore, Query, ScanOptions, Transacted, transact,
};

use crate::common::*;
use crate::lossy::{Fate, Lossy};

/// A store with one document.
async fn with_a() -> std::sync::Arc<Lossy> {
    let store = store();
    store.put(&key("a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    store
}

/// Runs the body after the reads of its first run were given these fates.
async fn with_fates<T>(
    store: &Lossy,
    fates: impl IntoIterator<Item = Fate>,
    body: impl AsyncFn(&Draft<'_>) -> Result<T, Error>,
) -> Result<Transacted<T>, Error> {
    let (partition, body) = (p(), &body);
    store.next(fates);
    let policy = RetryPolicy::new().with_deadline(Duration::from_secs(2));
    transact(store, &partition, policy, |draft| async move { body(&draft).await }).await
}

/// What is there, or what the body makes of not knowing it.
async fn or_none(draft: &Draft<'_>) -> Result<String, Error> {
    let read = draft.get(&id("a")).await;
    let value = read.map_or_else(|_| "none".into(), |found| found.unwrap().body.to_string());
    draft.put(&id("copy"), Json::of(&value)?, DocPrecondition::Overwrite)?;
    Ok(value)
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_asked_again_with_success_did_not_fail() {
    let store = with_a().await;
    for failed in [Fate::Refused, Fate::Broken] {
        let done = with_fates(&store, [failed], async |draft| {
            assert!(draft.get(&id("a")).await.is_err());
            or_none(draft).await
        });
        let done = done.await.unwrap();
        assert_eq!((done.value.as_str(), done.runs), ("1", 1), "{failed:?}");
        let done = with_fates(&store, [failed], async |draft| {
            let all = ScanOptions::default;
            assert!(draft.scan(all()).await.is_err());
            Ok(draft.scan(all()).await?.documents.len())
        });
        assert_eq!(done.await.unwrap().runs, 1, "{failed:?}");
        let done = with_fates(&store, [failed], async |draft| {
            let ones = Query::filter(field("/n").eq(1));
            assert!(draft.query(&ones).await.is_err());
            Ok(draft.query(&ones).await?.documents.len())
        });
        assert_eq!(done.await.unwrap().runs, 1, "{failed:?}");
    }
    // Another read is not this one.
    let done = with_fates(&store, [Fate::Refused], async |draft| {
        let page = draft.scan(ScanOptions::default().prefix("x")).await.is_ok();
        Ok((page, draft.scan(ScanOptions::default()).await?.documents.len()))
    });
    let done = done.await.unwrap();
    assert_eq!((done.value.0, done.runs), (true, 2));
}

#[tokio::test(start_paused = true)]
async fn what_was_made_of_a_failure_that_passes_does_not_count() {
    let store = with_a().await;
    let done = with_fates(&store, [Fate::Refused], or_none).await.unwrap();
    assert_eq!((done.value.as_str(), done.runs), ("1", 2));
    assert_eq!(body(&*store, "copy").await.as_deref(), Some("\"1\""));
    // Nor an error of the body.
    let done = with_fates(&store, [Fate::Refused], async |draft| match draft.get(&id("a")).await {
        Ok(found) => Ok(found.is_some()),
        Err(_) => Err(Error::invalid("the body's own")),
    });
    assert!(done.await.unwrap().value);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_never_passes_is_answered_and_nothing_applied() {
    let store = with_a().await;
    let outage = std::iter::repeat_n(Fate::Refused, 1_000);
    let error = with_fates(&store, outage, or_none).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    let (runs, counted) = (AtomicU32::new(0), async |draft: &Draft<'_>| or_none(draft).await);
    let runs = &runs;
    let done = with_fates(&store, [Fate::Broken], async |draft| {
        runs.fetch_add(1, Ordering::Relaxed);
        counted(draft).await
    });
    assert_eq!(done.await.unwrap_err().kind(), "corrupt");
    assert_eq!(runs.load(Ordering::Relaxed), 1, "running it again changes nothing");
    assert_eq!(body(&*store, "copy").await, None);
    // What the body says about it itself is its answer.
    let done = with_fates(&store, [Fate::Broken], async |draft| {
        let read = draft.get(&id("a")).await;
        read.map(drop).map_err(|_| Error::invalid("the body's own"))
    });
    assert_eq!(done.await.unwrap_err().kind(), "invalid");
}

#[tokio::test(start_paused = true)]
async fn a_body_may_say_that_it_does_without_what_failed() {
    let store = with_a().await;
    for failed in [Fate::Refused, Fate::Broken] {
        let done = with_fates(&store, [failed], async |draft| {
            let value = or_none(draft).await;
            draft.disregard_failures();
            value
        });
        let done = done.await.unwrap();
        assert_eq!((done.value.as_str(), done.runs), ("none", 1), "{failed:?}");
        assert_eq!(body(&*store, "copy").await.as_deref(), Some("\"none\""));
    }
    // Only of those so far.
    let done = with_fates(&store, [Fate::Refused], async |draft| {
        draft.disregard_failures();
        or_none(draft).await
    });
    assert_eq!(done.await.unwrap().runs, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_wrong_in_itself_is_no_read() {
    let store = with_a().await;
    let done = with_fates(&store, [], async |draft| {
        let page = draft.scan(ScanOptions::default()).await?;
        let token = ifmatch_meta::ScanToken::new(ifmatch_meta::Direction::Ascending, id("a"));
        let wrong = draft.scan(ScanOptions::default().descending().after(token)).await;
        assert_eq!(wrong.unwrap_err().kind(), "invalid");
        Ok(page.documents.len())
    });
    let done = done.await.unwrap();
    assert_eq!((done.value, done.runs), (1, 1), "{done:?}");
}
