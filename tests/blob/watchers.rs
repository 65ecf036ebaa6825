//! A reader of the feed behind a bad network hears of everything.

use std::collections::BTreeMap;
use std::time::Duration;

use ifmatch::meta::{
    BlobMetaStore, Change, ChangeToken, DocKey, DocPrecondition, Json, MetaStore, ScanOptions,
    Scope,
};
use ifmatch::testkit::fault::FaultPlan;

use crate::network::{Network, passes};

async fn write(store: BlobMetaStore, n: usize) {
    for round in 0..30 {
        let key = DocKey::new(["p", "q"][round % 2], format!("d{}", (n + round) % 7)).unwrap();
        let written = if round % 5 == 4 {
            store.delete(&key, DocPrecondition::Overwrite).await.map(drop)
        } else {
            let body = Json::new(format!("[{n},{round}]")).unwrap();
            store.put(&key, body, DocPrecondition::Overwrite).await.map(drop)
        };
        if let Err(error) = written {
            passes(&error);
        }
        tokio::time::sleep(Duration::from_millis(store.env().random_u64() % 100)).await;
    }
}

type Documents = BTreeMap<String, String>;

async fn read(store: &BlobMetaStore, token: &mut Option<ChangeToken>, known: &mut Documents) {
    loop {
        let page = match store.changes(&Scope::All, token.as_ref(), 4).await {
            Ok(page) => page,
            Err(error) => return passes(&error),
        };
        for change in page.changes {
            let name = change.key().to_string();
            match change {
                Change::Written { document, .. } => {
                    known.insert(name, document.body.as_str().to_owned())
                }
                Change::Deleted { .. } => known.remove(&name),
            };
        }
        *token = Some(page.next);
        if !page.more {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_ends_with_what_is_there_behind_a_bad_network() {
    let mut faults = 0;
    for seed in 0..5 {
        let network = Network::new(seed, FaultPlan::network(seed, 0.04)).await;
        let mut tasks = Vec::new();
        for n in 0..3 {
            tasks.push(tokio::spawn(write(network.open().await, n)));
        }
        let (reader, mut token, mut known) = (network.open().await, None, Documents::new());
        while tasks.iter().any(|task| !task.is_finished()) {
            read(&reader, &mut token, &mut known).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        let settled = network.settled().await;
        read(&settled, &mut token, &mut known).await;
        let mut there = Documents::new();
        for name in settled.partitions(None, 9).await.unwrap() {
            let page = settled.scan(&name, ScanOptions::default()).await.unwrap();
            there.extend(
                page.documents
                    .into_iter()
                    .map(|document| (document.key.to_string(), document.body.as_str().to_owned())),
            );
        }
        assert_eq!(known, there, "seed {seed}");
        faults += network.faults();
    }
    assert!(faults > 50);
}
