//! Each kind of fault does what it says, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use ifmatch_core::{
    Attempt, BlobInfo, BlobKey, BlobPrefix, ConditionalBlobStore, Error, Fetched, GetOptions,
    MemoryBlobStore, Operation, Precondition, Result, Simulation, Stored, WriteId,
};
use ifmatch_testkit::suite::{Subject, run_all};
use ifmatch_testkit::{FaultKind, FaultPlan, FaultStore};

fn store(plan: FaultPlan) -> FaultStore {
    FaultStore::new(Arc::new(MemoryBlobStore::new(Simulation::seeded(3).env())), plan)
}

fn key() -> BlobKey {
    BlobKey::new("folder/key").unwrap()
}

/// A store with one blob, written twice.
async fn written() -> (FaultStore, Stored, Stored) {
    let store = store(FaultPlan::seeded(1));
    let first = store.put(&key(), "first".into(), Precondition::IfAbsent).await.unwrap();
    let at = Precondition::IfMatch(first.version.clone());
    let second = store.put(&key(), "second".into(), at).await.unwrap();
    (store, first, second)
}

async fn attempt(store: &FaultStore, condition: &Precondition) -> Attempt<Stored> {
    let write = WriteId::random(store.env());
    store.attempt_put(&key(), "third".into(), condition, write).await
}

/// How an attempt to update ends under this fault, and how often it is applied
/// before and after late requests arrive.
async fn fate(kind: FaultKind) -> (&'static str, usize, usize) {
    let (store, _, second) = written().await;
    store.inject(Operation::Put, kind);
    let before = store.truth().len();
    let end = match attempt(&store, &Precondition::IfMatch(second.version)).await {
        Attempt::Applied(_) => "applied",
        Attempt::Rejected { .. } => "rejected",
        Attempt::Refused(_) => "refused",
        _ => "unknown",
    };
    let at_once = store.truth().len() - before;
    store.deliver_delayed().await;
    assert_eq!(store.coverage().count(kind, Operation::Put), 1, "{kind}");
    (end, at_once, store.truth().len() - before)
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_a_write_applies_it_as_often_as_it_says() {
    for (kind, end, at_once, in_the_end) in [
        (FaultKind::LostAnswer, "unknown", 1, 1),
        (FaultKind::LostRequest, "unknown", 0, 0),
        (FaultKind::Delayed, "unknown", 0, 1),
        (FaultKind::Duplicated, "rejected", 1, 1),
        (FaultKind::DuplicatedLater, "applied", 1, 1),
        (FaultKind::ThrottledBefore, "unknown", 0, 0),
        (FaultKind::ThrottledAfter, "unknown", 1, 1),
        (FaultKind::ServerErrorBefore, "unknown", 0, 0),
        (FaultKind::ServerErrorAfter, "unknown", 1, 1),
        (FaultKind::Contended, "unknown", 0, 0),
        (FaultKind::FalseRejection, "rejected", 0, 0),
        (FaultKind::Unreachable, "refused", 0, 0),
        (FaultKind::Outage, "refused", 0, 0),
        (FaultKind::Denied, "refused", 0, 0),
        (FaultKind::Latency, "applied", 1, 1),
    ] {
        assert_eq!(fate(kind).await, (end, at_once, in_the_end), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_request_keeps_its_condition() {
    let (store, _, second) = written().await;
    store.inject(Operation::Put, FaultKind::Delayed);
    let at = Precondition::IfMatch(second.version);
    attempt(&store, &at).await;
    store.put(&key(), "foreign".into(), at).await.unwrap();
    assert_eq!((store.under_way(), store.deliver_delayed().await), (1, 1));
    let Fetched::Found(blob) = store.get(&key(), GetOptions::new()).await.unwrap() else {
        panic!("the blob is gone")
    };
    assert_eq!(&blob.body[..], b"foreign");
}

#[tokio::test(start_paused = true)]
async fn a_late_request_arrives_hours_later_by_itself() {
    let hours = Duration::from_hours(2)..Duration::from_hours(3);
    let store = store(FaultPlan::seeded(1).delays(hours).next(Operation::Put, FaultKind::Delayed));
    attempt(&store, &Precondition::IfAbsent).await;
    store.env().sleep(Duration::from_hours(1)).await;
    assert!(store.head(&key()).await.unwrap().is_none());
    store.env().sleep(Duration::from_hours(3)).await;
    assert!(store.head(&key()).await.unwrap().is_some());
    assert_eq!(store.under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_told_how_long_to_wait() {
    let (store, ..) = written().await;
    store.inject(Operation::Head, FaultKind::ThrottledBefore);
    let error = store.head(&key()).await.unwrap_err();
    let Error::Unavailable { retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after, Some(Duration::from_millis(200)));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_for_every_call_and_ends() {
    let (store, ..) = written().await;
    store.inject(Operation::Get, FaultKind::Outage);
    assert!(store.get(&key(), GetOptions::new()).await.is_err());
    assert!(store.head(&key()).await.is_err());
    assert!(matches!(attempt(&store, &Precondition::Overwrite).await, Attempt::Refused(_)));
    store.env().sleep(Duration::from_secs(5)).await;
    assert!(store.head(&key()).await.is_ok());
}

async fn list(store: &FaultStore) -> Result<Vec<BlobInfo>> {
    store.list(&BlobPrefix::root(), None).try_collect().await
}

#[tokio::test(start_paused = true)]
async fn stale_reads_answer_what_was_there_before() {
    let (store, first, second) = written().await;
    for operation in [Operation::Get, Operation::Head] {
        store.inject(operation, FaultKind::StaleRead);
    }
    let get = store.get(&key(), GetOptions::new()).await.unwrap().found().unwrap();
    assert_eq!((&get.body[..], get.info.version), (&b"first"[..], first.version.clone()));
    assert_eq!(store.head(&key()).await.unwrap().unwrap().version, first.version);
    assert_eq!(store.head(&key()).await.unwrap().unwrap().version, second.version);
    store.inject(Operation::Get, FaultKind::StaleRead);
    let options = GetOptions::new().if_match(second.version.clone()).range(0..2);
    let error = store.get(&key(), options).await.unwrap_err();
    assert_eq!(error.kind(), "conflict");
    store.inject(Operation::Head, FaultKind::StaleAbsent);
    assert!(store.head(&key()).await.unwrap().is_none());
    store.inject(Operation::List, FaultKind::StaleList);
    assert_eq!(list(&store).await.unwrap()[0].version, first.version);
    assert_eq!(list(&store).await.unwrap()[0].version, second.version);
}

#[tokio::test(start_paused = true)]
async fn a_stale_listing_forgets_creates_and_remembers_deletes() {
    let (store, ..) = written().await;
    store.delete(&key(), Precondition::Overwrite).await.unwrap();
    let other = BlobKey::new("other").unwrap();
    store.put(&other, "new".into(), Precondition::IfAbsent).await.unwrap();
    store.inject(Operation::List, FaultKind::StaleList);
    let stale = list(&store).await.unwrap();
    assert_eq!(stale.iter().map(|info| &info.key).collect::<Vec<_>>(), [&key()]);
    store.inject(Operation::List, FaultKind::CutList);
    assert_eq!(list(&store).await.unwrap_err().kind(), "unavailable");
}

#[tokio::test(start_paused = true)]
async fn bodies_are_damaged_in_the_way_that_is_named() {
    let (store, ..) = written().await;
    let get = async |kind, options: GetOptions| {
        store.inject(Operation::Get, kind);
        store.get(&key(), options).await.unwrap().found().unwrap().body
    };
    let cut = get(FaultKind::TruncatedBody, GetOptions::new()).await;
    assert!(cut.len() < 6 && b"second".starts_with(&cut[..]), "{cut:?}");
    let flipped = get(FaultKind::FlippedBit, GetOptions::new()).await;
    let bits: u32 = flipped.iter().zip(b"second").map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!((flipped.len(), bits), (6, 1));
    let short = get(FaultKind::ShortRange, GetOptions::new().range(1..5)).await;
    assert!(short.len() < 4 && b"econ".starts_with(&short[..]), "{short:?}");
    // What cannot happen does not happen, and is not counted.
    let whole = get(FaultKind::ShortRange, GetOptions::new()).await;
    assert_eq!(&whole[..], b"second");
    assert_eq!(store.coverage().count(FaultKind::ShortRange, Operation::Get), 1);
}

#[tokio::test(start_paused = true)]
async fn the_coverage_is_a_table_that_names_what_is_missing() {
    let store = store(FaultPlan::seeded(1).rate(FaultKind::Denied, 1.0));
    assert_eq!(
        store.put(&key(), "x".into(), Precondition::Overwrite).await.unwrap_err().kind(),
        "denied"
    );
    let coverage = store.coverage();
    assert_eq!(coverage.count(FaultKind::Denied, Operation::Put), 1);
    assert_eq!(coverage.missing().len(), 4);
    let table = coverage.to_string();
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows[0], "fault                    put  delete     get    head    list");
    assert_eq!(rows[1], "denied                     1       0       0       0       0");
    store.set_quiet(true);
    assert!(store.put(&key(), "x".into(), Precondition::Overwrite).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn lost_answers_never_make_a_case_of_the_suite_hear_a_lie() {
    let kinds = [FaultKind::LostAnswer, FaultKind::LostRequest, FaultKind::ServerErrorAfter];
    let store = store(FaultPlan::seeded(9).rates(kinds, 0.1));
    let report = run_all(&Subject::from(Arc::new(store))).await;
    println!("{report}");
    for (case, failure) in report.failed() {
        let text = failure.to_string();
        assert!(
            text.contains("outcome unknown") || case.name().contains("names_the_write"),
            "{text}"
        );
    }
    assert!(report.passed().len() > 60, "{report}");
}
