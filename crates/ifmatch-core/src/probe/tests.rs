use super::*;
use crate::env::{Env, Simulation};
use crate::memory::MemoryBlobStore;

#[tokio::test(start_paused = true)]
async fn memory_is_safe_and_the_probe_leaves_nothing_behind() {
    let store = MemoryBlobStore::new(Simulation::seeded(1).env());
    let report = probe(&store).await.unwrap();
    assert_eq!(report.verdict(), Verdict::Safe, "{report:?}");
    let left: Vec<_> =
        store.list(&BlobPrefix::internal("").unwrap(), None).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_gate_that_must_not_ask_does_not_ask() {
    let store = MemoryBlobStore::new(Env::real());
    assert_eq!(ProbeGate::new(ProbePolicy::Never).pass(&store).await.unwrap(), None);
    let gate = ProbeGate::new(ProbePolicy::OnCreate);
    assert_eq!(gate.pass(&store).await.unwrap(), Some(Verdict::Safe));
}
