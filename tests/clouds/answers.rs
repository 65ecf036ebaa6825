//! What `object_store` was measured to answer to a first attempt that fails,
//! row by row, and the true answers in its place.
//!
//! Each row runs under all three preconditions on all three clouds. The number
//! and order of the requests is exact: a failure costs one read-back, and what
//! was not applied is sent again.

use std::time::Duration;

use ifmatch::testkit::cloud::Operation::{Head, Put};
use ifmatch::testkit::cloud::{Ending, Fault, Operation};
use ifmatch::{Precondition, RetryPolicy, WriteId, put_resolved};

use crate::fixture::{CLOUDS, Cloud, QUICK, World, names, preconditions};
use crate::harness::Cases;

/// One row of the table.
struct Row {
    claim: &'static str,
    faults: &'static [Fault],
    requests: &'static [Operation],
    ends: Ends,
    timeout: &'static str,
}

/// How a write ends.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Committed,
    Unknown,
}

/// Attempts of a write whose every attempt fails.
const ATTEMPTS: u32 = 3;

const PATIENT: &str = "&timeout=60s";

/// A 409 of S3 (`ConditionalRequestConflict`), GCS and Azure.
const CONFLICT: Fault = before(Ending::Status { code: 409, retry_after: None });

const fn after(ending: Ending) -> Fault {
    Fault::AfterApply(ending)
}

const fn before(ending: Ending) -> Fault {
    Fault::BeforeApply(ending)
}

const fn status(code: u16) -> Ending {
    Ending::Status { code, retry_after: None }
}

/// The write was applied and its answer lost: one request and one read-back.
const fn lost(claim: &'static str, faults: &'static [Fault]) -> Row {
    let (requests, timeout) = (&[Put, Head] as &[_], PATIENT);
    Row { claim, faults, requests, ends: Ends::Committed, timeout }
}

/// The write was not applied: it is sent again.
const fn resent(claim: &'static str, faults: &'static [Fault]) -> Row {
    Row { requests: &[Put, Head, Put], ..lost(claim, faults) }
}

const ROWS: [Row; 13] = [
    lost("w1_applied_then_closed_is_committed", &[after(Ending::Close)]),
    lost("w1_applied_then_half_a_status_line_is_committed", &[after(Ending::HalfStatusLine)]),
    lost("w1_applied_then_reset_is_committed", &[after(Ending::Reset)]),
    Row {
        timeout: "&timeout=1500ms",
        ..lost(
            "w1_applied_then_stalled_is_committed",
            &[after(Ending::Stall(Duration::from_mins(10)))],
        )
    },
    lost("w1_applied_then_500_is_committed", &[after(status(500))]),
    lost("w1_applied_then_503_is_committed", &[after(status(503))]),
    lost("w1_applied_then_408_is_committed", &[after(status(408))]),
    resent("not_applied_and_500_is_sent_again", &[before(status(500))]),
    resent("not_applied_and_429_is_sent_again", &[before(status(429))]),
    resent("closed_before_it_was_applied_is_sent_again", &[before(Ending::Close)]),
    resent("w3_one_409_is_no_conflict", &[CONFLICT]),
    Row {
        requests: &[Put, Head, Put, Head, Put],
        ..lost("w3_409_for_a_while_is_no_conflict", &[CONFLICT, CONFLICT])
    },
    Row {
        requests: &[Put, Head, Put, Head, Put, Head],
        ends: Ends::Unknown,
        ..lost("409_for_ever_is_unknown_and_no_conflict", &[CONFLICT, CONFLICT, CONFLICT])
    },
];

pub(crate) fn cases(cases: &mut Cases) {
    for cloud in CLOUDS {
        for row in &ROWS {
            cases.add(format!("{cloud}::{}", row.claim), move || check(cloud, row));
        }
    }
}

async fn check(cloud: Cloud, row: &'static Row) {
    let world = World::start(cloud).await;
    let policy: RetryPolicy = QUICK.with_max_attempts(ATTEMPTS);
    let store = world.store_with(row.timeout, policy);
    for (key, precondition) in preconditions(&world.store()).await {
        world.server.clear_log();
        world.script(Put, row.faults);
        let write = WriteId::random(&ifmatch::Env::real());
        let answer =
            put_resolved(&store, &key, "mine".into(), precondition.clone(), Some(write)).await;
        let context = format!("{cloud}, {}, {precondition}", row.claim);
        assert_eq!(world.requests(), row.requests, "{context}");
        let applied = world.applied(&key, write);
        match (row.ends, answer) {
            (Ends::Committed, Ok(stored)) => {
                assert_eq!(applied.len(), 1, "{context}: applied once");
                let version = applied[0].version.as_ref().unwrap();
                assert!(names(cloud, &stored.version, version), "{context}: {stored:?}");
                assert_eq!(stored.version.written_by(), Some(write), "{context}");
                assert!(stored.date.is_some(), "{context}: the store's clock");
            }
            (Ends::Unknown, Err(error)) => {
                assert_eq!(error.kind(), "outcome_unknown", "{context}: {error}");
                assert!(applied.is_empty(), "{context}");
            }
            (_, answer) => panic!("{context}: {answer:?}"),
        }
        // Whoever reads now finds what the answer said.
        let body = world.server.object(key.as_str()).map(|object| object.body);
        let wanted = match (row.ends, &precondition) {
            (Ends::Committed, _) => Some("mine"),
            (Ends::Unknown, Precondition::IfAbsent) => None,
            (Ends::Unknown, _) => Some("first"),
        };
        assert_eq!(body.as_deref(), wanted.map(str::as_bytes), "{context}");
    }
}
