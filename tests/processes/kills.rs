//! A process that inserts and pushes is killed at random moments, again and
//! again: nothing acknowledged is lost, nothing is published twice, and the
//! copy goes on.

use std::path::Path;
use std::time::Duration;

use ifmatch::meta::{DocKey, DocPrecondition, Json};
use ifmatch::sync::{SyncOptions, SyncedDatabase};
use serde_json::{Value, json};

use crate::worker::{Worker, documents};

const ROUNDS: u64 = 25;

pub(crate) fn run(url: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("copy.db");
    let mut worker = Worker::start(&path, url)?;
    worker.do_(&json!({ "do": "insert", "id": "base" }))?;
    worker.do_(&json!({ "do": "init" }))?;
    drop(worker);

    let mut random = fastrand::Rng::with_seed(7);
    let (mut pushed, mut inserted) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut worker = Worker::start(&path, url)?;
        worker.send(&json!({ "do": "insert_and_push_for_ever", "round": round }))?;
        let lines = worker.lines_until_killed(Duration::from_millis(random.u64(50..600)));
        for line in lines {
            pushed.extend(line["pushed"].as_str().map(str::to_owned));
            inserted.extend(line["inserted"].as_str().map(str::to_owned));
        }
    }
    let mut worker = Worker::start(&path, url)?;
    let last = worker.do_(&json!({ "do": "push" }))?;
    let mut other = Worker::start(&folder.path().join("other.db"), url)?;
    other.do_(&json!({ "do": "clone" }))?;
    let (mine, theirs) =
        (worker.do_(&json!({ "do": "ids" }))?, other.do_(&json!({ "do": "ids" }))?);
    assert_eq!(mine, theirs, "after one more push everybody sees the same: {last}");
    let ids = theirs["ids"].as_array().ok_or("no ids")?;
    println!("{ROUNDS} kills, {} pushes and {} inserts acknowledged", pushed.len(), inserted.len());
    assert!(pushed.len() > 10, "the kills left room for work");
    for id in pushed.iter().chain(&inserted) {
        let wanted = format!("added/{id} ");
        let found = ids.iter().filter(|id| id.as_str().unwrap_or_default().starts_with(&wanted));
        assert_eq!(found.count(), 1, "w13: {id}");
    }
    Ok(())
}

/// The worker's side: says what was inserted and what was pushed, until killed.
pub(crate) async fn insert_and_push_for_ever(
    path: &Path,
    url: &str,
    command: &Value,
) -> Result<Value, Box<dyn std::error::Error>> {
    let copy = SyncedDatabase::open(path, ifmatch::open(url)?, SyncOptions::new()).await?;
    for number in 0_u64.. {
        let id = format!("{}-{number}", command["round"]);
        let documents = documents(path).await?;
        let body = Json::new(json!({ "n": number }).to_string())?;
        let key = DocKey::new("added", &id)?;
        let put = documents.put(&key, body, DocPrecondition::IfAbsent).await;
        documents.close().await?;
        put?;
        println!("{}", json!({ "inserted": id }));
        copy.push().await?;
        println!("{}", json!({ "pushed": id }));
    }
    Ok(Value::Null)
}
