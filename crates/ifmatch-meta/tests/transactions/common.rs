//! A store, and words for its documents.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, Simulation};
use ifmatch_meta::{
    DocId, DocKey, DocPrecondition, Features, Json, MemoryMetaStore, MemoryOptions, MetaStore,
    Partition, Transaction, TxId, TxOptions,
};

use crate::lossy::Lossy;

pub(crate) fn env() -> Env {
    Simulation::seeded(7).env()
}

/// A store on which transactions may be begun, and what goes wrong with it.
pub(crate) fn store() -> Arc<Lossy> {
    store_by("the store")
}

pub(crate) fn store_by(author: &str) -> Arc<Lossy> {
    let options = MemoryOptions::default()
        .features(Features::none().transactions(true).audit(true))
        .author(author)
        .env(env());
    Arc::new(Lossy::new(MemoryMetaStore::with(options)))
}

pub(crate) fn p() -> Partition {
    Partition::new("p").unwrap()
}

pub(crate) fn id(id: &str) -> DocId {
    DocId::new(id).unwrap()
}

pub(crate) fn key(id: &str) -> DocKey {
    DocKey::new("p", id).unwrap()
}

pub(crate) fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

pub(crate) fn tx_id(id: &str) -> TxId {
    TxId::new(id).unwrap()
}

pub(crate) async fn begin(store: &Arc<Lossy>) -> Transaction {
    begin_with(store, TxOptions::default()).await
}

pub(crate) async fn begin_with(store: &Arc<Lossy>, options: TxOptions) -> Transaction {
    Transaction::begin(Arc::clone(store) as _, &p(), options).await.unwrap()
}

pub(crate) async fn put(tx: &Transaction, name: &str, text: &str) {
    tx.put(&key(name), json(text), DocPrecondition::Overwrite).await.unwrap();
}

/// The body of a document as everybody sees it.
pub(crate) async fn body(store: &dyn MetaStore, name: &str) -> Option<String> {
    store.get(&key(name)).await.unwrap().map(|document| document.body.to_string())
}

/// Whether somebody without the transaction can write.
pub(crate) async fn is_free(store: &dyn MetaStore) -> bool {
    match store.put(&key("elsewhere"), json("0"), DocPrecondition::Overwrite).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), "partition_locked", "{error}");
            false
        }
    }
}

/// Lets time pass.
pub(crate) async fn pass(time: Duration) {
    env().sleep(time).await;
}

/// Lets what runs in the background run.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
