//! Counting up: nothing that was acknowledged is lost, nothing is done twice.

use std::time::Duration;

use ifmatch::meta::{BlobMetaStore, DocKey, DocPrecondition, Json, MetaStore, Scope};
use ifmatch::testkit::fault::FaultPlan;

use crate::network::{Network, passes};

/// What a writer heard of its additions.
#[derive(Default)]
struct Heard {
    done: u64,
    unknown: u64,
}

async fn count(store: BlobMetaStore, key: DocKey, times: u64) -> Heard {
    let mut heard = Heard::default();
    let mut left = times;
    while left > 0 {
        let there = match store.get(&key).await {
            Ok(there) => there,
            Err(error) => {
                passes(&error);
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let now = there.as_ref().map_or(0, |at| at.body.value().unwrap().as_u64().unwrap());
        let expected =
            there.map_or(DocPrecondition::IfAbsent, |at| DocPrecondition::IfMatch(at.etag));
        let next = Json::new((now + 1).to_string()).unwrap();
        match store.put(&key, next, expected).await {
            Ok(_) => heard.done += 1,
            Err(error) if error.kind() == "conflict" => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
            Err(error) => {
                passes(&error);
                heard.unknown += u64::from(error.kind() == "outcome_unknown");
            }
        }
        left -= 1;
        tokio::time::sleep(Duration::from_millis(store.env().random_u64() % 50)).await;
    }
    heard
}

async fn run(seed: u64, plan: FaultPlan) -> (u64, u64) {
    let network = Network::new(seed, plan).await;
    let keys: Vec<_> = ["p", "q", "r"].map(|name| DocKey::new(name, "n").unwrap()).to_vec();
    let mut tasks = Vec::new();
    for n in 0..6 {
        let (store, key) = (network.open().await, keys[n % 3].clone());
        tasks.push((n % 3, tokio::spawn(count(store, key, 15))));
    }
    let (mut done, mut unknown) = ([0; 3], [0; 3]);
    for (at, task) in tasks {
        let heard = task.await.unwrap();
        done[at] += heard.done;
        unknown[at] += heard.unknown;
    }
    let settled = network.settled().await;
    for (at, key) in keys.iter().enumerate() {
        let there = settled.get(key).await.unwrap().unwrap();
        let value = there.body.value().unwrap().as_u64().unwrap();
        let range = done[at]..=done[at] + unknown[at];
        assert!(range.contains(&value), "seed {seed}: {key} is {value}, {range:?} expected");
        // The record tells every state, one after the other.
        let record = settled.audit(&key.partition, None, 1_000).await.unwrap();
        assert_eq!(record.len() as u64, value);
        assert!(record.windows(2).all(|pair| pair[1].previous == pair[0].etag));
        assert_eq!(record.last().unwrap().etag, Some(there.etag));
    }
    assert_eq!(settled.count(&Scope::All).await.unwrap(), 3);
    (network.faults(), unknown.iter().sum())
}

#[tokio::test(start_paused = true)]
async fn counters_are_true_behind_a_bad_network() {
    let (mut faults, mut unknown) = (0, 0);
    for seed in 0..6 {
        let (met, open) = run(seed, FaultPlan::network(seed, 0.04)).await;
        (faults, unknown) = (faults + met, unknown + open);
    }
    println!("{faults} faults, {unknown} outcomes unknown");
    assert!(faults > 200);
}

#[tokio::test(start_paused = true)]
async fn counters_are_true_on_a_store_that_shows_old_things() {
    let mut faults = 0;
    for seed in 100..104 {
        faults += run(seed, FaultPlan::stale(seed, 0.08)).await.0;
    }
    assert!(faults > 50);
}
