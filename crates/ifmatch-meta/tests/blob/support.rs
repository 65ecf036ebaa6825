//! A blob store whose requests are seen, and stores of documents on it.

use std::sync::Arc;

use ifmatch_core::{
    BlobKey, ConditionalBlobStore, Env, GetOptions, Instrumented, MemoryBlobStore, Operation,
    Precondition, RequestLog, Simulation,
};
use ifmatch_meta::{
    BlobMetaOptions, BlobMetaStore, DocKey, DocPrecondition, Json, MetaStore, Op, Partition,
};

pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) blobs: Arc<dyn ConditionalBlobStore>,
    pub(crate) log: RequestLog,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let env = Simulation::seeded(seed).env();
        let counted = Instrumented::new(Arc::new(MemoryBlobStore::new(env.clone())));
        let log = counted.log().clone();
        Self { env, blobs: Arc::new(counted), log }
    }

    /// Another process, as far as the store can tell.
    pub(crate) async fn open(&self, options: BlobMetaOptions) -> BlobMetaStore {
        BlobMetaStore::open(Arc::clone(&self.blobs), options).await.unwrap()
    }

    pub(crate) async fn store(&self) -> BlobMetaStore {
        self.open(BlobMetaOptions::create()).await
    }

    pub(crate) async fn with_transactions(&self) -> BlobMetaStore {
        self.open(BlobMetaOptions::create().transactions(true)).await
    }

    /// What was asked for since the last call: the operation, and how it ended.
    pub(crate) fn asked(&self) -> Vec<(Operation, &'static str)> {
        self.log.take().into_iter().map(|at| (at.operation, at.outcome)).collect()
    }

    pub(crate) async fn body(&self, key: &str) -> Option<bytes::Bytes> {
        let key = BlobKey::new(key).unwrap();
        let found = self.blobs.get(&key, GetOptions::new()).await.unwrap();
        found.found().map(|blob| blob.body)
    }

    /// What an operator does who copies an old object back.
    pub(crate) async fn put_back(&self, key: &str, body: bytes::Bytes) {
        let key = BlobKey::new(key).unwrap();
        self.blobs.put(&key, body, Precondition::Overwrite).await.unwrap();
    }
}

pub(crate) fn partition(name: &str) -> Partition {
    Partition::internal(name).unwrap()
}

pub(crate) fn key(partition: &str, id: &str) -> DocKey {
    DocKey::internal(partition, id).unwrap()
}

pub(crate) fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

pub(crate) fn put(id: &str, body: &str) -> Op {
    Op::put(key("p", id).id, json(body), DocPrecondition::Overwrite)
}

/// Writes a document, whatever is there.
pub(crate) async fn write(
    store: &dyn MetaStore,
    at: (&str, &str),
    body: &str,
) -> ifmatch_meta::Written {
    let key = key(at.0, at.1);
    store.put(&key, json(body), DocPrecondition::Overwrite).await.unwrap()
}
