//! Transactions behind a bad network: the sum stays, outcomes are true.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use ifmatch::meta::{
    BlobMetaStore, DocKey, DocPrecondition, Document, ETag, Effect, Json, MetaStore, Nonce, Op,
    Partition, Result, ScanOptions, TxAddress, TxBackend, TxCommit, TxId, TxOutcome,
};
use ifmatch::testkit::fault::FaultPlan;

use crate::network::{Network, passes};

const ACCOUNTS: u64 = 4;
const LIFE: Duration = Duration::from_mins(1);

fn bank() -> Partition {
    Partition::new("bank").unwrap()
}

fn account(n: u64) -> DocKey {
    DocKey::new("bank", format!("a{n}")).unwrap()
}

async fn again<T, F: Future<Output = Result<T>>>(mut call: impl FnMut() -> F) -> T {
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => passes(&error),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How a transfer ended, as its owner heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    Committed(u64),
    Over,
}

async fn transfer(store: &BlobMetaStore, id: &TxId, from: u64, to: u64) -> (TxAddress, Ended) {
    let began = store.env().now();
    // Whatever is not known of a begin, asking again with the same id tells.
    let bank = bank();
    let tx = again(|| store.begin(&bank, id, LIFE)).await.address;
    let mut effects = Vec::new();
    for (n, change) in [(from, -1), (to, 1)] {
        let key = account(n);
        let before = again(|| store.get(&key)).await.unwrap();
        let sum = before.body.value().unwrap().as_i64().unwrap() + change;
        let document = Document {
            etag: ETag::mint(1, store.env()),
            body: Json::new(sum.to_string()).unwrap(),
            ..before.clone()
        };
        effects.push(Effect { id: key.id, before: Some(before.etag), after: Some(document) });
    }
    let commit = TxCommit { nonce: Nonce::draw(store.env()), staged: 0, effects };
    loop {
        if store.env().now().saturating_sub(began) >= LIFE {
            break; // Its owner sends nothing any more.
        }
        match store.commit(&tx, commit.clone()).await {
            Ok((position, _)) => return (tx, Ended::Committed(position)),
            Err(error) if error.kind() == "expired" => return (tx, Ended::Over),
            Err(error) => passes(&error),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // What became of it is told in the end, at the latest after its life.
    loop {
        let incarnation = Some(tx.incarnation);
        match again(|| store.outcome(id, incarnation)).await {
            TxOutcome::Committed { position, nonce } => {
                assert_eq!(nonce, commit.nonce);
                return (tx, Ended::Committed(position));
            }
            TxOutcome::Aborted => return (tx, Ended::Over),
            TxOutcome::Open => tokio::time::sleep(Duration::from_secs(5)).await,
            other => panic!("{other:?}"),
        }
    }
}

async fn run(seed: u64) -> (u64, usize, usize) {
    let network = Network::new(seed, FaultPlan::network(seed, 0.05)).await;
    let first = network.open().await;
    let ops: Vec<_> = (0..ACCOUNTS)
        .map(|n| Op::put(account(n).id, Json::new("100").unwrap(), DocPrecondition::Overwrite))
        .collect();
    let all = bank();
    again(|| first.batch(&all, ops.clone())).await;
    let mut tasks = Vec::new();
    for n in 0..3_u64 {
        let store = network.open().await;
        tasks.push(tokio::spawn(async move {
            let mut ended = Vec::new();
            for round in 0..5 {
                let id = TxId::new(format!("t{n}-{round}")).unwrap();
                let (from, to) = ((n + round) % ACCOUNTS, (n + round * 2 + 1) % ACCOUNTS);
                if from != to {
                    ended.push((id.clone(), transfer(&store, &id, from, to).await));
                }
            }
            ended
        }));
    }
    let mut heard = BTreeMap::new();
    for task in tasks {
        heard.extend(task.await.unwrap());
    }
    tokio::time::sleep(LIFE * 3).await;
    let settled = network.settled().await;
    let page = settled.scan(&bank(), ScanOptions::default()).await.unwrap();
    let sum: i64 = page.documents.iter().map(|at| at.body.value().unwrap().as_i64().unwrap()).sum();
    assert_eq!(sum, 100 * i64::try_from(ACCOUNTS).unwrap(), "seed {seed}");
    let mut committed = 0;
    for (id, (tx, ended)) in &heard {
        let outcome = settled.outcome(id, Some(tx.incarnation)).await.unwrap();
        match (outcome, ended) {
            (TxOutcome::Committed { position, .. }, Ended::Committed(at)) => {
                assert_eq!(position, *at);
                committed += 1;
            }
            (TxOutcome::Aborted, Ended::Over) => {}
            other => panic!("seed {seed}: {id}: {other:?}"),
        }
    }
    // Nothing else was written: two changes for each that committed.
    let record = settled.audit(&bank(), None, 1_000).await.unwrap();
    let moved = record.iter().filter(|at| at.previous.is_some()).count();
    assert!(moved >= committed * 2, "seed {seed}");
    (network.faults(), committed, heard.len())
}

#[tokio::test(start_paused = true)]
async fn transfers_are_whole_and_their_outcomes_true_behind_a_bad_network() {
    let (mut faults, mut committed, mut all) = (0, 0, 0);
    for seed in 0..6 {
        let (met, done, tried) = run(seed).await;
        (faults, committed, all) = (faults + met, committed + done, all + tried);
    }
    println!("{faults} faults, {committed} of {all} transfers committed");
    assert!(faults > 50 && committed * 2 > all);
}
