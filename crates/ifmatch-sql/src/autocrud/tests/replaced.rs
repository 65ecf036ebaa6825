//! A blob that is replaced while it is downloaded.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use ifmatch_core::{
    Attempt, BlobInfo, BlobPrefix, Capabilities, Deleted, Endpoint, Fetched, GetOptions,
    MemoryBlobStore, Precondition, ProbeGate, Result as CoreResult, RetryPolicy, Stored, WriteId,
};

use super::*;

/// Replaces the blob before each get, as long as there is something to replace
/// it with.
#[derive(Debug)]
struct Meddled {
    inner: MemoryBlobStore,
    next: Mutex<Vec<Vec<u8>>>,
}

impl std::fmt::Display for Meddled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ConditionalBlobStore for Meddled {
    async fn get(&self, key: &BlobKey, options: GetOptions) -> CoreResult<Fetched> {
        let next = self.next.lock().unwrap().pop();
        if let Some(next) = next {
            self.inner.put(key, Bytes::from(next), Precondition::Overwrite).await?;
        }
        self.inner.get(key, options).await
    }

    async fn head(&self, key: &BlobKey) -> CoreResult<Option<BlobInfo>> {
        self.inner.head(key).await
    }

    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored> {
        self.inner.attempt_put(key, body, precondition, write).await
    }

    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted> {
        self.inner.attempt_delete(key, precondition).await
    }

    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, CoreResult<BlobInfo>> {
        self.inner.list(prefix, start_after)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn endpoint(&self) -> Endpoint {
        self.inner.endpoint()
    }

    fn env(&self) -> &Env {
        self.inner.env()
    }

    fn retry_policy(&self) -> RetryPolicy {
        self.inner.retry_policy()
    }

    fn probe_gate(&self) -> Option<&ProbeGate> {
        self.inner.probe_gate()
    }
}

fn database(name: &str) -> Vec<u8> {
    let (_folder, path) = made(name);
    std::fs::read(path).unwrap()
}

async fn meddled(next: Vec<Vec<u8>>) -> (Meddled, BlobKey) {
    let (inner, key) = (MemoryBlobStore::new(Env::real()), BlobKey::new("meta.db").unwrap());
    let first = Bytes::from(database("0.7.7-json"));
    inner.put(&key, first, Precondition::IfAbsent).await.unwrap();
    (Meddled { inner, next: Mutex::new(next) }, key)
}

#[tokio::test]
async fn a_blob_that_is_replaced_meanwhile_is_downloaded_anew() {
    let (blobs, key) = meddled(vec![database("0.9.0-json"), database("0.9.0-msgpack")]).await;
    let store = store();
    let report = import_autocrud_blob(&store, &blobs, &key, &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS, ROWS, 0, 0));
    let found = content(&store, "p").await;
    let newest = found["package:0001"].value().unwrap();
    assert_eq!(newest["updated_time"], "2026-02-01T08:59:58.123456+08:00", "the JSON of 0.9.0");
    assert_eq!(newest["rev_status"], "stable");
}

#[tokio::test]
async fn a_blob_that_never_rests_is_a_conflict() {
    let (blobs, key) = meddled(vec![database("0.9.0-json"); 50]).await;
    let failed = import_autocrud_blob(&store(), &blobs, &key, &options()).await.unwrap_err();
    assert_eq!(failed.kind(), "conflict");
    assert!(blobs.next.lock().unwrap().len() > 40, "it gives up");
}
