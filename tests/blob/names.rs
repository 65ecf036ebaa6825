//! Names of transactions that move from partition to partition.

use std::sync::Arc;
use std::time::Duration;

use ifmatch::meta::{BlobMetaOptions, BlobMetaStore, MetaStore, Partition, TxId};
use ifmatch::testkit::fault::{FaultKind, FaultPlan, FaultStore};
use ifmatch::{ConditionalBlobStore, MemoryBlobStore, Simulation};

const LIFE: Duration = Duration::from_mins(1);

/// Whoever moves a name first shuts the old place. One that ended between the two
/// steps left a name that nobody could begin there for days.
#[tokio::test(start_paused = true)]
async fn a_name_can_be_begun_whenever_its_mover_ended() {
    let (p, q) = (Partition::new("p").unwrap(), Partition::new("q").unwrap());
    let name = TxId::new("x").unwrap();
    for after in (0..200).step_by(3).map(Duration::from_millis) {
        let env = Simulation::seeded(1).env();
        let blobs: Arc<dyn ConditionalBlobStore> = Arc::new(MemoryBlobStore::new(env));
        let options = BlobMetaOptions::create().transactions(true);
        let near = BlobMetaStore::open(Arc::clone(&blobs), options.clone()).await.unwrap();
        let near = near.transactions().unwrap();
        let first = near.begin(&p, &name, LIFE).await.unwrap().address;
        near.abort(&first).await.unwrap();
        let plan = FaultPlan::seeded(1).rate(FaultKind::Latency, 1.0);
        let plan = plan.latencies(Duration::from_millis(10)..Duration::from_millis(11));
        let far = FaultStore::new(blobs, plan.without_log());
        let far = BlobMetaStore::open(Arc::new(far), options).await.unwrap();
        let moving = far.transactions().unwrap().begin(&q, &name, LIFE);
        if tokio::time::timeout(after, moving).await.is_ok() {
            return;
        }
        drop(far);
        tokio::time::sleep(LIFE * 3).await;
        let begun = near.begin(&p, &name, LIFE).await;
        assert!(begun.is_ok(), "after {after:?}: {begun:?}");
    }
    panic!("the move never came to its end");
}
