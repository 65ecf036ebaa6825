//! Items in the manner of Cosmos DB: two people edit one order, one of them is
//! told, the other merges, and the record says who changed what.
//!
//! `cargo run --example items`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;

use ifmatch::RetryPolicy;
use ifmatch::meta::{Features, MemoryMetaStore, MemoryOptions, MetaStore, Partition};
use ifmatch::recipes::item::{Item, ItemError, ItemResult, Items};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In memory; the same on SQLite, PostgreSQL and object stores.
    let audited = MemoryOptions::default().features(Features::none().audit(true));
    let store: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::with(audited));
    let (ann, bob) = (Items::new(store.clone()).author("ann"), Items::new(store).author("bob"));
    let customer = Partition::new("customer-7")?;

    let order = json!({"id": "order-1", "lines": ["tea"], "note": ""});
    let created = ann.create_item(&customer, &order).await?;
    println!("Ann creates   {}", created.value()?);

    // Both read it; Ann is faster.
    let etag = ann.item_etag("order-1", &customer).await?;
    let anns = json!({"id": "order-1", "lines": ["tea", "milk"], "note": ""});
    let (changed, replaced) = ann.try_upsert(&customer, &anns, etag).await?;
    println!("Ann changes   {} (replaced: {replaced})", changed.value()?);

    let bobs = json!({"id": "order-1", "lines": ["tea", "sugar"], "note": "please hurry"});
    match bob.try_upsert(&customer, &bobs, etag).await {
        Err(ItemError::Concurrency(conflict)) => {
            println!("Bob is told   {conflict}: it is at {:?} now", conflict.current());
        }
        other => return Err(format!("Bob's change must conflict, but: {other:?}").into()),
    }

    // Bob merges instead: the lines of both.
    let policy = RetryPolicy::new();
    let (merged, _) = bob.upsert_merged(&customer, &bobs, etag, policy, both).await?;
    println!("Bob merges    {}", merged.value()?);
    if merged.value()?["lines"] != json!(["tea", "milk", "sugar"]) {
        return Err("nothing may be lost".into());
    }

    println!("Who changed what:");
    for change in bob.store().audit(&customer, None, 100).await? {
        let author = change.author.as_deref().unwrap_or("somebody");
        println!("  {} {author} {:?} {}", change.time, change.operation, change.id);
    }
    Ok(())
}

/// Mine, with the lines of theirs before my own new ones.
fn both(mine: &Value, theirs: Option<&Item>) -> ItemResult<Value> {
    let mut merged = mine.clone();
    let Some(theirs) = theirs else { return Ok(merged) };
    let mut lines = theirs.value()?["lines"].as_array().cloned().unwrap_or_default();
    for line in mine["lines"].as_array().into_iter().flatten() {
        if !lines.contains(line) {
            lines.push(line.clone());
        }
    }
    merged["lines"] = Value::Array(lines);
    Ok(merged)
}
