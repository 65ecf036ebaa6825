//! What the simulator needs of a fault store: late requests that others leave
//! behind, and long runs without a log.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{
    BlobKey, ConditionalBlobStore, Env, GetOptions, MemoryBlobStore, Operation, Precondition,
    Simulation, WriteId,
};
use ifmatch_testkit::{FaultKind, FaultPlan, FaultStore};

fn store(plan: FaultPlan) -> (Env, FaultStore) {
    let env = Simulation::seeded(1).env();
    let memory = MemoryBlobStore::new(env.clone());
    (env, FaultStore::new(Arc::new(memory), plan))
}

fn key(name: &str) -> BlobKey {
    BlobKey::new(name).unwrap()
}

async fn body(store: &FaultStore, name: &str) -> Option<Vec<u8>> {
    let found = store.inner().get(&key(name), GetOptions::new()).await.unwrap().found();
    found.map(|blob| blob.body.to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_posted_put_arrives_late_with_its_condition() {
    let plan = FaultPlan::seeded(1).delays(Duration::from_secs(1)..Duration::from_mins(1));
    let (env, store) = store(plan);
    let post = |name: &str, body: &'static str, precondition| {
        store.post(key(name), body.into(), precondition, WriteId::random(&env));
    };
    post("a", "1", Precondition::IfAbsent);
    assert_eq!((store.under_way(), body(&store, "a").await), (1, None));
    env.sleep(Duration::from_secs(61)).await;
    assert_eq!((store.under_way(), body(&store, "a").await), (0, Some(b"1".to_vec())));
    post("a", "2", Precondition::IfAbsent);
    env.sleep(Duration::from_secs(61)).await;
    assert_eq!(body(&store, "a").await, Some(b"1".to_vec()));
    post("a", "3", Precondition::Overwrite);
    assert_eq!(store.lose_delayed(), 1);
    env.sleep(Duration::from_secs(61)).await;
    assert_eq!(body(&store, "a").await, Some(b"1".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn delays_are_of_every_order_of_magnitude() {
    let hours = Duration::from_millis(1)..Duration::from_hours(4);
    let (env, store) = store(FaultPlan::seeded(1).delays(hours.clone()));
    for number in 0..400 {
        let name = key(&format!("{number}"));
        store.post(name, "body".into(), Precondition::IfAbsent, WriteId::random(&env));
    }
    let mut left = Vec::new();
    for limit in [Duration::from_millis(100), Duration::from_mins(1), hours.end * 2] {
        env.sleep(limit.saturating_sub(env.now())).await;
        left.push(store.under_way());
    }
    assert!(left[0] < 360 && left[1] < left[0] - 60 && left[1] > 60 && left[2] == 0, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_log_faults_happen_and_are_counted_all_the_same() {
    let plan = FaultPlan::network(1, 0.1).rate(FaultKind::StaleRead, 0.2).without_log();
    let (env, store) = store(plan);
    let mut stale = 0;
    for number in 0..400_u32 {
        let bytes = number.to_le_bytes().to_vec();
        let write = WriteId::random(&env);
        store.attempt_put(&key("a"), bytes.into(), &Precondition::Overwrite, write).await;
        let read = store.get(&key("a"), GetOptions::new()).await;
        let read = read.ok().and_then(ifmatch_core::Fetched::found).map(|blob| blob.body.to_vec());
        stale += u32::from(read.is_some() && read != body(&store, "a").await);
    }
    assert!(stale > 10, "{stale}");
    assert!(store.coverage().count(FaultKind::LostAnswer, Operation::Put) > 10);
    assert!(store.truth().is_empty() && store.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_put_without_a_condition_is_never_told_that_one_failed() {
    let (env, store) = store(FaultPlan::seeded(1));
    store.inject(Operation::Put, FaultKind::FalseRejection);
    let put = |precondition: Precondition| {
        let (store, write) = (store.clone(), WriteId::random(&env));
        async move { store.attempt_put(&key("a"), "body".into(), &precondition, write).await }
    };
    let first = put(Precondition::Overwrite).await;
    assert!(matches!(first, ifmatch_core::Attempt::Applied(_)), "{first:?}");
    assert_eq!(store.coverage().count(FaultKind::FalseRejection, Operation::Put), 0);
}
