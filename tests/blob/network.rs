//! Stores of documents on one blob store, each behind a network of its own.

use std::sync::Arc;
use std::time::Duration;

use ifmatch::meta::{BlobMetaOptions, BlobMetaStore, Error};
use ifmatch::testkit::fault::{FaultPlan, FaultStore};
use ifmatch::{ConditionalBlobStore, MemoryBlobStore, RetryPolicy, Simulation};

/// What all share.
pub(crate) struct Network {
    blobs: Arc<dyn ConditionalBlobStore>,
    faults: FaultStore,
}

impl Network {
    pub(crate) async fn new(seed: u64, plan: FaultPlan) -> Self {
        let env = Simulation::seeded(seed).env();
        let blobs: Arc<dyn ConditionalBlobStore> = Arc::new(MemoryBlobStore::new(env.clone()));
        let plan = plan.delays(Duration::from_millis(1)..Duration::from_secs(20)).without_log();
        // The place is made, and the store probed, in good times.
        BlobMetaStore::open(Arc::clone(&blobs), BlobMetaOptions::create()).await.unwrap();
        let faults = FaultStore::new(Arc::clone(&blobs), plan);
        Self { blobs, faults }
    }

    /// A process behind the network.
    pub(crate) async fn open(&self) -> BlobMetaStore {
        let options = BlobMetaOptions::create().transactions(true).audit(true);
        // So little patience that outcomes stay open.
        let retry = RetryPolicy::new().with_deadline(Duration::from_secs(1));
        let options = options.open_partitions(2).retry(retry);
        loop {
            let store = Arc::new(self.faults.clone());
            match BlobMetaStore::open(store, options.clone()).await {
                Ok(store) => return store,
                Err(error) => passes(&error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A process beside the store, after everything that was under way has
    /// arrived.
    pub(crate) async fn settled(&self) -> BlobMetaStore {
        self.faults.set_quiet(true);
        self.faults.deliver_delayed().await;
        let options = BlobMetaOptions::create().transactions(true).audit(true);
        BlobMetaStore::open(Arc::clone(&self.blobs), options).await.unwrap()
    }

    pub(crate) fn faults(&self) -> u64 {
        self.faults.coverage().total()
    }
}

/// What a network may make of a call.
pub(crate) fn passes(error: &Error) {
    let kinds = ["unavailable", "outcome_unknown", "denied", "partition_locked"];
    assert!(kinds.contains(&error.kind()), "{error}: {error:?}");
}
