//! The suite on the stores that need no server, and on stores that are wrong.
#![allow(clippy::unwrap_used, clippy::panic)] // An expectation that fails ends a test.

mod faults;
mod flawed;
mod proof;

use std::sync::Arc;

use ifmatch_core::{BlobKey, ConditionalBlobStore, Env, MemoryBlobStore, Prefixed};
use ifmatch_testkit::suite::Failure;
use ifmatch_testkit::{FaultPlan, FaultStore};

ifmatch_testkit::blob_store_suite!(memory, || async {
    Ok(Arc::new(MemoryBlobStore::new(Env::real())))
});

/// A part of a store is a store.
async fn part() -> Result<Arc<dyn ConditionalBlobStore>, Failure> {
    let whole = Arc::new(MemoryBlobStore::new(Env::real()));
    Ok(Arc::new(Prefixed::new(whole, BlobKey::new("some/folder")?)))
}

ifmatch_testkit::blob_store_suite!(prefixed, part);

/// Slowness and refused connections are no business of a caller's.
async fn mild() -> Result<Arc<FaultStore>, Failure> {
    let memory = Arc::new(MemoryBlobStore::new(Env::real()));
    let mut policy = memory.retry_policy();
    policy.first_pause = std::time::Duration::from_micros(100);
    Ok(Arc::new(FaultStore::new(memory, FaultPlan::mild(7, 0.05)).with_retry_policy(policy)))
}

ifmatch_testkit::blob_store_suite!(mild_faults, mild);
