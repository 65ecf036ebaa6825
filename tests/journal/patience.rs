//! What takes long, and is waited for.

use std::sync::Arc;
use std::time::Duration;

use ifmatch::{Gated, RetryPolicy};
use ifmatch_journal::kv::{Command, KeyValue};
use ifmatch_journal::{CommitError, Freshness, Journal, Resolution};

use crate::bench::{Bench, quick};
use crate::harness::{Cases, on_paused_clock};
use crate::meddler::Meddler;

pub(crate) fn cases(cases: &mut Cases) {
    on_paused_clock!(cases, "patience", a_probe_may_take_longer_than_a_request);
    on_paused_clock!(cases, "patience", a_call_may_be_shorter_than_a_round_trip);
}

/// At an endpoint of its own a store is probed before the first conditional
/// write of a process. That is many requests, and none of them may take longer
/// than it may: so the first commit of a new process comes about.
async fn a_probe_may_take_longer_than_a_request() {
    let bench = Bench::new(1);
    bench.create(1).await;
    let far = Meddler::far(bench.store(), Duration::from_millis(10));
    let gated = Gated::new(far, ifmatch::ProbePolicy::OnCreate, true);
    // One request takes 20 ms.
    let options = quick().request_timeout(Duration::from_millis(60));
    let journal = Journal::open(Arc::new(gated), KeyValue, options).await.unwrap();
    for _ in 0..100 {
        if journal.commit(Command::add("n", 1)).await.is_ok() {
            return;
        }
    }
    panic!("no commit after {:?}", bench.env.now());
}

/// A call ends at its deadline, a request does not: a handle whose calls are
/// shorter than a round trip still hears what others have committed and what
/// became of its own commits, and does not send to a version that is gone.
async fn a_call_may_be_shorter_than_a_round_trip() {
    let bench = Bench::new(2);
    bench.create(1).await;
    let far = Meddler::far(bench.store(), Duration::from_millis(10));
    let hasty = RetryPolicy::new().with_deadline(Duration::from_millis(5));
    let journal = Journal::open(far, KeyValue, quick().retry(hasty)).await.unwrap();
    let other = Journal::open(bench.store(), KeyValue, quick()).await.unwrap();
    let mut pending = Vec::new();
    for round in 1..=5 {
        other.commit(Command::add("other", 1)).await.unwrap();
        for _ in 0..50 {
            let error = journal.commit(Command::add("mine", 1)).await.unwrap_err();
            let CommitError::Failed(error) = error else { panic!("{error}") };
            pending.extend(error.pending());
        }
        let known = journal.read(Freshness::Cached).await.unwrap();
        assert_eq!(known.state().number("other"), Some(round), "{:?}", bench.env.now());
    }
    let mut landed = 0;
    for commit in pending {
        let resolution = journal.resolve_or_fence(commit).await.unwrap();
        landed += i64::from(resolution == Resolution::Committed);
    }
    let contents = other.read(Freshness::Strong).await.unwrap();
    assert!(landed > 5, "{landed} landed");
    assert_eq!(contents.state().number("mine").unwrap_or_default(), landed);
}
