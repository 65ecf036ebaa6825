//! Tasks that increment one number.

use std::sync::Arc;

use ifmatch_meta::{DocId, DocKey, DocPrecondition, Document, Json, MetaStore, Partition};
use serde_json::json;

use crate::suite::Failure;

/// `tasks` increment one number `each` times, by reading it and writing it back
/// at the tag that was read.
///
/// The document says how often each task came through, so that a task whose
/// write has an unknown outcome reads whether it did.
///
/// # Errors
/// A lost increment, or an error that is neither a conflict nor an unknown
/// outcome.
pub async fn count(
    store: &Arc<dyn MetaStore>,
    partition: &Partition,
    tasks: usize,
    each: u64,
) -> Result<(), Failure> {
    let key = DocKey { partition: partition.clone(), id: DocId::new("counter")? };
    let running: Vec<_> = (0..tasks)
        .map(|task| tokio::spawn(increment(store.clone(), key.clone(), task, each)))
        .collect();
    for task in running {
        task.await??;
    }
    let found = store.get(&key).await?;
    let (sum, done) = read(found.as_ref())?;
    let expected = tasks as u64 * each;
    if sum != expected || done.values().any(|times| *times != each) {
        return Err(Failure::new(format!("{expected} increments count {sum}: {done:?}")));
    }
    Ok(())
}

type Done = std::collections::BTreeMap<String, u64>;

fn read(found: Option<&Document>) -> Result<(u64, Done), Failure> {
    let Some(found) = found else { return Ok((0, Done::new())) };
    let value = found.body.value()?;
    let sum = value["sum"].as_u64().ok_or_else(|| Failure::new("the counter is no number"))?;
    Ok((sum, serde_json::from_value(value["done"].clone())?))
}

async fn increment(
    store: Arc<dyn MetaStore>,
    key: DocKey,
    task: usize,
    each: u64,
) -> Result<(), Failure> {
    let name = task.to_string();
    loop {
        let found = store.get(&key).await?;
        let (sum, mut done) = read(found.as_ref())?;
        let times = done.entry(name.clone()).or_insert(0);
        if *times == each {
            return Ok(());
        }
        *times += 1;
        let body = Json::of(&json!({ "sum": sum + 1, "done": done }))?;
        let pre =
            found.map_or(DocPrecondition::IfAbsent, |found| DocPrecondition::IfMatch(found.etag));
        // Others come in between, also where nothing waits.
        tokio::task::yield_now().await;
        match store.put(&key, body, pre).await {
            Err(error) if !matches!(error.kind(), "conflict" | "outcome_unknown") => {
                return Err(Failure::from(error).during("an increment"));
            }
            _ => {}
        }
    }
}
