//! Broken once: an operation that had the state in the very moment in which the
//! idle time ran out ended the watch, and the partition was held to the end of
//! its life.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, Simulation};

use crate::features::Features;
use crate::json::Json;
use crate::key::{DocKey, Partition};
use crate::precondition::DocPrecondition;
use crate::store::MetaStore;
use crate::transaction::{Transaction, TxOptions};
use crate::{MemoryMetaStore, MemoryOptions};

const IDLE: Duration = Duration::from_secs(2);

async fn idling() -> (Arc<MemoryMetaStore>, Env, Transaction) {
    let env = Simulation::seeded(1).env();
    let features = Features::none().transactions(true);
    let options = MemoryOptions::default().features(features).env(env.clone());
    let store = Arc::new(MemoryMetaStore::with(options));
    let (p, options) = (Partition::new("p").unwrap(), TxOptions::default().idle(IDLE));
    let tx = Transaction::begin(store.clone(), &p, options).await.unwrap();
    (store, env, tx)
}

async fn is_free(store: &MemoryMetaStore) -> bool {
    let (key, body) = (DocKey::new("p", "a").unwrap(), Json::new("1").unwrap());
    store.put(&key, body, DocPrecondition::Overwrite).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn whoever_has_the_state_when_the_time_runs_out_does_not_end_the_watch() {
    let (store, env, tx) = idling().await;
    let state = tx.inner.peek().unwrap();
    env.sleep(IDLE * 2).await;
    assert!(!is_free(&store).await, "not in the middle of an operation");
    drop(state);
    env.sleep(super::SOON * 2).await;
    assert!(is_free(&store).await);
    let key = DocKey::new("p", "a").unwrap();
    assert_eq!(tx.get(&key).await.unwrap_err().kind(), "expired");
}

#[tokio::test(start_paused = true)]
async fn an_idle_watch_keeps_neither_the_handle_nor_the_state() {
    let (store, env, tx) = idling().await;
    env.sleep(IDLE / 2).await;
    assert!(tx.inner.peek().is_ok(), "it sleeps without the state");
    let inner = Arc::downgrade(&tx.inner);
    drop(tx);
    assert_eq!(inner.strong_count(), 0, "it sleeps without the handle");
    env.sleep(super::SOON).await;
    assert!(is_free(&store).await);
}
