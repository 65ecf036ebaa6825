//! Databases that lie in a blob store.

use bytes::Bytes;
use ifmatch_core::{BlobKey, ConditionalBlobStore, MemoryBlobStore, Precondition};

use super::*;

fn key() -> BlobKey {
    BlobKey::new("backups/meta.db").unwrap()
}

async fn blobs(body: Vec<u8>) -> MemoryBlobStore {
    let blobs = MemoryBlobStore::new(Env::real());
    blobs.put(&key(), Bytes::from(body), Precondition::IfAbsent).await.unwrap();
    blobs
}

#[tokio::test]
async fn s16_a_blob_is_imported_and_leaves_no_file() {
    let scratch = tempfile::tempdir().unwrap();
    let options = options().scratch(scratch.path());
    for name in MADE {
        let (_folder, path) = made(name);
        let (blobs, store) = (blobs(std::fs::read(&path).unwrap()).await, store());
        let report = import_autocrud_blob(&store, &blobs, &key(), &options).await.unwrap();
        assert_eq!(counts(&report), (ROWS, ROWS, 0, 0), "{name}");
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_blob_of_many_parts_is_put_together() {
    let (_folder, path) = made("0.9.0-json");
    let connection = Connection::open(&path).unwrap();
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) \
               INSERT INTO resource_meta (resource_id, data, created_time, updated_time, \
               created_by, updated_by, is_deleted) \
               SELECT 'large ' || i, '{\"a\":\"' || hex(randomblob(250000)) || '\"}', 0, 0, '', '', 0 \
               FROM n";
    connection.execute(sql, []).unwrap();
    drop(connection);
    let body = std::fs::read(&path).unwrap();
    assert!(body.len() > 2 * (8 << 20));
    let (blobs, store) = (blobs(body).await, store());
    let report = import_autocrud_blob(&store, &blobs, &key(), &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS + 40, ROWS + 40, 0, 0));
}

#[tokio::test]
async fn a_missing_a_broken_and_a_large_blob_are_refused() {
    let store = store();
    let (_folder, path) = made("0.9.0-json");
    let whole = std::fs::read(&path).unwrap();
    let small = options().max_file_bytes(1_000);
    let empty = MemoryBlobStore::new(Env::real());
    for (blobs, options, kind) in [
        (empty, options(), "not_found"),
        (blobs(Vec::new()).await, options(), "corrupt"),
        (blobs(whole[..whole.len() / 2].to_vec()).await, options(), "corrupt"),
        (blobs(whole).await, small, "too_large"),
    ] {
        let failed = import_autocrud_blob(&store, &blobs, &key(), &options).await.unwrap_err();
        assert_eq!(failed.kind(), kind, "{}", failed.error);
    }
    assert!(content(&store, "p").await.is_empty());
}
