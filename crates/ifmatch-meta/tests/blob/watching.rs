//! Watchers of a partition where nothing happens.

use std::time::Duration;

use futures::{StreamExt as _, poll};
use ifmatch_core::Operation;
use ifmatch_meta::{BlobMetaOptions, MetaStore, Scope, TxBackend, watch};

use crate::support::{World, key, partition, write};
use crate::transactions::{begin, putting};

const POLL: Duration = Duration::from_secs(2);
const PACE: Duration = Duration::from_secs(10);

/// A watcher that has been told everything there is so far, on a store that
/// looks every [`POLL`].
#[tokio::test(start_paused = true)]
async fn an_idle_watcher_costs_a_look_at_a_time_and_hears_what_came_while_it_slept() {
    let world = World::new(1);
    let store = world.open(BlobMetaOptions::create().poll(POLL)).await;
    let other = world.with_transactions().await;
    write(&other, ("p", "a"), "1").await;
    let scope = Scope::Partition(partition("p"));
    let mut pages = watch(&store, scope, None, PACE);
    assert_eq!(pages.next().await.unwrap().unwrap().changes.len(), 1);
    world.asked();
    // An hour of silence, and then it sleeps.
    let silence = Duration::from_hours(1) + POLL / 2;
    assert!(tokio::time::timeout(silence, pages.next()).await.is_err());
    let asked = world.asked();
    assert!(asked.iter().all(|at| *at == (Operation::Get, "not_modified")), "{:?}", asked.first());
    let most = silence.as_secs() / POLL.as_secs() + silence.as_secs() / PACE.as_secs() + 1;
    assert!(asked.len() as u64 <= most, "{} requests in {silence:?}", asked.len());
    // It holds nobody up, and sleeps on while others write.
    let mut next = Box::pin(pages.next());
    assert!(poll!(&mut next).is_pending());
    let tx = begin(&other, "tx").await;
    other.commit(&tx, putting(&other, "b", "1").await).await.unwrap();
    write(&other, ("p", "c"), "1").await;
    let written = world.env.now();
    let page = tokio::time::timeout(PACE * 3, next).await.expect("what came while it slept");
    let page = page.unwrap().unwrap();
    let ids: Vec<_> = page.changes.iter().map(|change| change.key().clone()).collect();
    assert_eq!(ids, [key("p", "b"), key("p", "c")]);
    assert!(world.env.now().saturating_sub(written) <= POLL);
    // What came before it slept at all, too: between its look and its sleep.
    drop(pages);
    let since = Some(page.next);
    write(&other, ("p", "d"), "1").await;
    let mut pages = watch(&store, Scope::Partition(partition("p")), since, PACE);
    let page = pages.next().await.unwrap().unwrap();
    assert_eq!(page.changes[0].key(), &key("p", "d"));
    store.close().await.unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap_err().kind(), "closed");
    assert!(pages.next().await.is_none());
}
