//! Eight processes that insert and push, or reload and try again.

use std::path::Path;

use ifmatch::meta::{DocKey, DocPrecondition, Json};
use ifmatch::sync::{Error as SyncError, SyncOptions, SyncedDatabase};
use serde_json::{Value, json};

use crate::worker::{Worker, documents};

const PROCESSES: usize = 8;
const INSERTS: usize = 20;

pub(crate) fn run(url: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let at = |name: &str| folder.path().join(name);
    let mut first = Worker::start(&at("first.db"), url)?;
    first.do_(&json!({ "do": "insert", "id": "base" }))?;
    first.do_(&json!({ "do": "init" }))?;

    let mut workers = Vec::new();
    for number in 0..PROCESSES {
        let mut worker = Worker::start(&at(&format!("{number}.db")), url)?;
        worker.do_(&json!({ "do": "clone" }))?;
        workers.push(worker);
    }
    for (number, worker) in workers.iter_mut().enumerate() {
        worker.send(&json!({ "do": "insert_and_push", "name": number, "inserts": INSERTS }))?;
    }
    let mut conflicts = 0;
    for worker in &mut workers {
        let answer = worker.answer()?;
        assert_eq!(answer["pushed"], INSERTS, "{answer}");
        conflicts += answer["conflicts"].as_u64().unwrap_or_default();
    }

    first.do_(&json!({ "do": "pull" }))?;
    let ids = first.do_(&json!({ "do": "ids" }))?;
    let ids = ids["ids"].as_array().ok_or("no ids")?;
    let survived = ids.len() - 1;
    println!("{survived} of {} inserts survived {conflicts} conflicts", PROCESSES * INSERTS);
    assert_eq!(survived, PROCESSES * INSERTS);
    for (number, insert) in (0..PROCESSES).flat_map(|n| (0..INSERTS).map(move |i| (n, i))) {
        let wanted = format!("added/{number}-{insert} ");
        let found = ids.iter().filter(|id| id.as_str().unwrap_or_default().starts_with(&wanted));
        assert_eq!(found.count(), 1, "{wanted}");
    }
    Ok(())
}

/// The worker's side: each insert is pushed, or reloaded and made again.
pub(crate) async fn insert_and_push(
    path: &Path,
    url: &str,
    command: &Value,
) -> Result<Value, Box<dyn std::error::Error>> {
    let store = ifmatch::open(url)?;
    let copy = SyncedDatabase::open(path, store, SyncOptions::new()).await?;
    let (name, inserts) = (&command["name"], command["inserts"].as_u64().unwrap_or_default());
    let mut conflicts = 0;
    for insert in 0..inserts {
        loop {
            let documents = documents(path).await?;
            let key = DocKey::new("added", format!("{name}-{insert}"))?;
            let body = Json::new(json!({ "from": name }).to_string())?;
            let put = documents.put(&key, body, DocPrecondition::IfAbsent).await;
            documents.close().await?;
            put?;
            match copy.push().await {
                Ok(_) => break,
                Err(SyncError::Conflict(_)) => {
                    conflicts += 1;
                    if let Some(saved) = copy.reload().await?.saved {
                        std::fs::remove_file(saved)?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(json!({ "pushed": inserts, "conflicts": conflicts }))
}
