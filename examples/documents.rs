//! Documents with ETags on a backend that is chosen by URL.
//!
//! `cargo run --example documents` uses memory; give it another URL for the same
//! elsewhere: `sqlite:meta.db?transactions=on`, `postgres://...`,
//! `file:///srv/meta?transactions=on`, `s3://bucket/prefix?transactions=on`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;

use futures::future::try_join_all;
use ifmatch::meta::query::field;
use ifmatch::meta::{
    DocKey, DocPrecondition, Edit, Json, MetaStore, Partition, Query, Scope, Transaction,
    TxOptions, UpdateError, WriteOptions, transact, update,
};
use ifmatch::{RetryPolicy, open_meta_store};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("memory://documents?transactions=on");
    let store = open_meta_store(url).await?;
    println!("{store}");
    one_winner(&*store).await?;
    eight_counters(&store).await?;
    question(&*store).await?;
    transfer(&*store).await?;
    alone(&store).await?;
    store.close().await?;
    Ok(())
}

/// Two who read one version both write: one of them is told.
async fn one_winner(store: &dyn MetaStore) -> Result<(), Box<dyn Error>> {
    let key = DocKey::new("teams", "a")?;
    let body = |name: &str| Json::of(&json!({ "name": name, "members": 3 }));
    let read = store.put(&key, body("A")?, DocPrecondition::Overwrite).await?.etag;
    store.put(&key, body("B")?, DocPrecondition::IfMatch(read)).await?;
    match store.put(&key, body("C")?, DocPrecondition::IfMatch(read)).await {
        Err(error) => println!("one winner: {error}"),
        Ok(_) => return Err("two winners".into()),
    }
    Ok(())
}

/// Read, change, write, and again where somebody was faster.
async fn eight_counters(store: &Arc<dyn MetaStore>) -> Result<(), Box<dyn Error>> {
    let key = DocKey::new("counters", "n")?;
    store.delete(&key, DocPrecondition::Overwrite).await?;
    let writers = (0..8).map(|_| {
        let (store, key) = (Arc::clone(store), key.clone());
        tokio::spawn(async move {
            for _ in 0..25 {
                let add = |current: Option<&ifmatch::meta::Document>| {
                    let n = match current {
                        Some(document) => document.body.value()?["n"].as_u64().unwrap_or_default(),
                        None => 0,
                    };
                    Ok::<_, ifmatch::meta::Error>(Edit::Put(Json::of(&json!({ "n": n + 1 }))?))
                };
                update(&*store, &key, RetryPolicy::new(), WriteOptions::default(), add).await?;
            }
            Ok::<_, UpdateError<ifmatch::meta::Error>>(())
        })
    });
    for written in try_join_all(writers).await? {
        written?;
    }
    let sum = store.get(&key).await?.ok_or("the counter is gone")?;
    println!("8 writers x 25: {}", sum.body);
    Ok(())
}

/// The same answer on every backend.
async fn question(store: &dyn MetaStore) -> Result<(), Box<dyn Error>> {
    let query = Query::filter(field("/members").gte(2) & field("/name").starts_with("B"));
    let teams = Scope::Partition(Partition::new("teams")?);
    let page = store.query(&teams, &query).await?;
    println!("{} team of 2 or more whose name begins with B", page.documents.len());
    let changes = store.changes(&teams, None, 100).await?;
    println!("the feed tells {} change, and goes on from {}", changes.changes.len(), changes.next);
    Ok(())
}

/// Optimistic: what was read is checked in the one commit that writes.
async fn transfer(store: &dyn MetaStore) -> Result<(), Box<dyn Error>> {
    let bank = Partition::new("bank")?;
    let ids = ["ann", "bob"].map(|name| DocKey::new("bank", name));
    let [ann, bob] = ids;
    let (ann, bob) = (ann?, bob?);
    for key in [&ann, &bob] {
        store.put(key, Json::new("100")?, DocPrecondition::Overwrite).await?;
    }
    let done = transact(store, &bank, RetryPolicy::new(), |draft| {
        let (ann, bob) = (ann.id.clone(), bob.id.clone());
        async move {
            let mut left = 0;
            for (id, change) in [(ann, -30), (bob, 30)] {
                let there = draft.get(&id).await?;
                let amount: i64 = there.map_or(Ok(0), |document| document.body.decode())?;
                left = amount + change;
                let body = Json::of(&left)?;
                draft.put(&id, body, DocPrecondition::IfExists)?;
            }
            Ok::<_, ifmatch::meta::Error>(left)
        }
    });
    println!("bob has {} now", done.await?.value);
    Ok(())
}

/// Pessimistic: nobody else writes to the partition until it is over.
async fn alone(store: &Arc<dyn MetaStore>) -> Result<(), Box<dyn Error>> {
    let bank = Partition::new("bank")?;
    let key = DocKey::new("bank", "ann")?;
    let tx = Transaction::begin(Arc::clone(store), &bank, TxOptions::default()).await?;
    tx.put(&key, Json::new("0")?, DocPrecondition::IfExists).await?;
    match store.put(&key, Json::new("1")?, DocPrecondition::Overwrite).await {
        Err(error) => println!("meanwhile: {error}"),
        Ok(_) => return Err("a locked partition was written".into()),
    }
    tx.commit().await?;
    println!("ann has {}", store.get(&key).await?.ok_or("ann is gone")?.body);
    Ok(())
}
