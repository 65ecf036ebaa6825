//! Stores that may answer reads by what was there a little before: `transact`
//! answers nothing of it.
//!
//! Broken once: one read and no write counted as true at one moment, also where
//! the read was of the past.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ifmatch_core::RetryPolicy;
use ifmatch_meta::{
    BlobMetaOptions, DocPrecondition, Error, MetaStore, ScanOptions, Transacted, transact,
};

use crate::support::{World, json, key, partition, write};

/// A store that has read `a` as 1 and may go on saying so; by now it is 2.
async fn behind() -> (World, ifmatch_meta::BlobMetaStore) {
    let world = World::new(1);
    let options = BlobMetaOptions::create().max_staleness(Duration::from_hours(1));
    let (store, other) = (world.open(options).await, world.store().await);
    write(&other, ("p", "a"), "1").await;
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "1");
    write(&other, ("p", "a"), "2").await;
    let read = store.get(&key("p", "a")).await.unwrap().unwrap();
    assert_eq!(read.body.as_str(), "1", "a plain read may be of the past");
    (world, store)
}

#[tokio::test(start_paused = true)]
async fn t31_what_transact_answers_was_true_during_the_call() {
    let (_world, store) = behind().await;
    let (p, policy) = (partition("p"), RetryPolicy::new);
    let read = transact(&store, &p, policy(), |draft| async move {
        let found = draft.get(&key("p", "a").id).await?;
        Ok::<_, Error>(found.map(|document| document.body.to_string()))
    });
    let read: Transacted<_> = read.await.unwrap();
    assert_eq!((read.value.as_deref(), read.runs), (Some("2"), 2));
    // A page too.
    let (_world, store) = behind().await;
    let scanned = transact(&store, &p, policy(), |draft| async move {
        let page = draft.scan(ScanOptions::default()).await?;
        Ok::<_, Error>(page.documents[0].body.to_string())
    });
    assert_eq!(scanned.await.unwrap().value, "2");
}

#[tokio::test(start_paused = true)]
async fn t31_an_error_of_the_body_rests_on_no_read_of_the_past() {
    let (_world, store) = behind().await;
    let (p, runs) = (partition("p"), AtomicU32::new(0));
    let runs = &runs;
    let read = transact(&store, &p, RetryPolicy::new(), |draft| async move {
        runs.fetch_add(1, Ordering::Relaxed);
        let found = draft.get(&key("p", "a").id).await?.unwrap();
        match found.body.as_str() {
            "1" => Err(Error::invalid("it is 1, which it was before the call")),
            _ => Ok(()),
        }
    });
    read.await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn t31_a_write_rests_on_no_read_of_the_past() {
    let (_world, store) = behind().await;
    let p = partition("p");
    let counted = transact(&store, &p, RetryPolicy::new(), |draft| async move {
        let id = key("p", "a").id;
        let n: u64 = draft.get(&id).await?.unwrap().body.decode()?;
        draft.put(&id, json(&(n + 1).to_string()), DocPrecondition::Overwrite)
    });
    counted.await.unwrap();
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "3");
}
