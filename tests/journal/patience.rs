//! What takes long, and is waited for.

use std::sync::Arc;
use std::time::Duration;

use ifmatch::Gated;
use ifmatch_journal::Journal;
use ifmatch_journal::kv::{Command, KeyValue};

use crate::bench::{Bench, quick};
use crate::harness::{Cases, on_paused_clock};
use crate::meddler::Meddler;

pub(crate) fn cases(cases: &mut Cases) {
    on_paused_clock!(cases, "patience", a_probe_may_take_longer_than_a_request);
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
