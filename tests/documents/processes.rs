//! Several processes on one store, killed ones among them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ifmatch::meta::{DocKey, MetaStore, Partition, ScanOptions, Scope};
use ifmatch::testkit::suite::meta::Wanted;
use ifmatch::{Env, OpenMetaOptions};
use serde_json::json;

use crate::backends::{Backend, Roots};
use crate::harness::{Cases, RUNTIME};
use crate::worker::Worker;

const PROCESSES: u64 = 8;
const ROUNDS: u64 = 25;
const KILLS: u64 = 12;

pub(crate) fn add(cases: &mut Cases, backend: &Backend, roots: &Arc<Roots>) {
    let Some(url) = backend.url else { return };
    for (name, body) in [
        ("c5_eight_processes_lose_no_increment", many as fn(&str)),
        ("w6_a_killed_process_leaves_nothing_half_done", kills as fn(&str)),
    ] {
        let name = format!("{}::processes::{name}", backend.name);
        let place = Wanted::fresh(&Env::real()).place().to_owned();
        crate::backends::note(&place);
        match (url(roots, &place), &backend.subject) {
            (Some(url), Ok(_)) => cases.add(name, move || async move {
                tokio::task::spawn_blocking(move || body(&url)).await.unwrap();
            }),
            (_, missing) => cases.ignore(name, missing.as_ref().err().copied().unwrap_or("URL")),
        }
    }
}

fn open(url: &str) -> Arc<dyn MetaStore> {
    RUNTIME.block_on(OpenMetaOptions::new().transactions(true).open(url)).unwrap()
}

fn ids(store: &Arc<dyn MetaStore>, partition: &str) -> BTreeSet<String> {
    RUNTIME.block_on(async {
        let (p, mut options) = (Partition::new(partition).unwrap(), ScanOptions::default());
        let mut ids = BTreeSet::new();
        loop {
            let page = store.scan(&p, options.clone()).await.unwrap();
            ids.extend(page.documents.iter().map(|found| found.key.id.as_str().to_owned()));
            let Some(token) = page.next else { return ids };
            options = options.after(token);
        }
    })
}

fn many(url: &str) {
    let store = open(url);
    let mut workers: Vec<_> = (0..PROCESSES).map(|_| Worker::start(url)).collect();
    for (task, worker) in workers.iter_mut().enumerate() {
        worker.send(&json!({ "do": "count", "rounds": ROUNDS, "task": task }));
    }
    let mut conflicts = 0;
    for worker in &mut workers {
        let answer = worker.answer();
        assert_eq!(answer["done"], ROUNDS, "{answer}");
        conflicts += answer["conflicts"].as_u64().unwrap();
    }
    let key = DocKey::new("p", "counter").unwrap();
    let found = RUNTIME.block_on(store.get(&key)).unwrap().unwrap();
    println!("{PROCESSES} processes: {} after {conflicts} conflicts", found.body);
    assert_eq!(found.body.value().unwrap()["sum"], PROCESSES * ROUNDS);
    assert_eq!(ids(&store, "p").len() as u64, PROCESSES * ROUNDS + 1);
    RUNTIME.block_on(store.close()).unwrap();
}

fn kills(url: &str) {
    let store = open(url);
    let mut random = fastrand::Rng::with_seed(11);
    let mut said = [BTreeSet::new(), BTreeSet::new()];
    for round in 0..KILLS {
        let mut worker = Worker::start(url);
        worker.send(&json!({ "do": "work_for_ever", "round": round }));
        let life = Duration::from_millis(random.u64(150..900));
        for line in worker.lines_until_killed(life) {
            assert!(line["error"].is_null(), "a worker failed: {line}");
            for (said, partition) in said.iter_mut().zip(["p", "q"]) {
                said.extend(line[partition].as_str().map(str::to_owned));
            }
        }
    }
    let counts: Vec<_> = said.iter().map(BTreeSet::len).collect();
    println!("{KILLS} kills, {counts:?} pairs acknowledged by batches and transactions");
    assert!(counts.iter().all(|count| *count > 10), "the kills left no room for work: {counts:?}");
    for (said, partition) in said.iter().zip(["p", "q"]) {
        let ids = ids(&store, partition);
        for pair in said {
            let both = ["a", "b"].map(|side| ids.contains(&format!("{side}-{pair}")));
            assert_eq!(both, [true, true], "{pair} was acknowledged");
        }
        for id in &ids {
            let other = if let Some(rest) = id.strip_prefix('a') {
                format!("b{rest}")
            } else {
                id.replacen('b', "a", 1)
            };
            assert!(ids.contains(&other), "{id} is there without {other}");
        }
        let counted = RUNTIME
            .block_on(store.count(&Scope::Partition(Partition::new(partition).unwrap())))
            .unwrap();
        assert_eq!(counted, ids.len() as u64);
    }
    RUNTIME.block_on(store.close()).unwrap();
}
