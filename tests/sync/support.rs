//! Working copies and how they are changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use ifmatch::sync::{SyncOptions, SyncedDatabase};
use ifmatch::{
    BlobKey, BlobPrefix, ConditionalBlobStore, Env, GetOptions, MemoryBlobStore, Precondition,
};
use rusqlite::Connection;
use tempfile::TempDir;

/// A folder with working copies of one shared database.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) store: Arc<dyn ConditionalBlobStore>,
}

pub(crate) const URL: &str = "memory://shared";

pub(crate) fn options() -> SyncOptions {
    SyncOptions::new().wait(std::time::Duration::from_millis(200))
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryBlobStore::new(Env::real())))
    }

    pub(crate) fn over(store: Arc<dyn ConditionalBlobStore>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), store }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Shares a new database with one row.
    pub(crate) async fn init(&self, name: &str) -> SyncedDatabase {
        let path = self.at(name);
        sql(&path, "CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('first')");
        SyncedDatabase::init(&path, self.store.clone(), URL, options()).await.unwrap().0
    }

    pub(crate) async fn copy(&self, name: &str) -> SyncedDatabase {
        let path = self.at(name);
        SyncedDatabase::clone_to(&path, self.store.clone(), URL, options()).await.unwrap().0
    }

    /// A copy, as its next process opens it.
    pub(crate) async fn reopen(&self, name: &str) -> SyncedDatabase {
        SyncedDatabase::open(&self.at(name), self.store.clone(), options()).await.unwrap()
    }

    /// The names below a folder of the store.
    pub(crate) async fn keys(&self, folder: &str) -> Vec<String> {
        let prefix = BlobPrefix::new(folder).unwrap();
        let found: Vec<_> = self.store.list(&prefix, None).try_collect().await.unwrap();
        found.into_iter().map(|info| info.key.to_string()).collect()
    }

    /// What lies under `key`.
    pub(crate) async fn body(&self, key: &str) -> Option<Vec<u8>> {
        let fetched =
            self.store.get(&BlobKey::new(key).unwrap(), GetOptions::default()).await.unwrap();
        fetched.found().map(|blob| blob.body.to_vec())
    }

    pub(crate) async fn write(&self, key: &str, body: Vec<u8>) {
        let key = BlobKey::new(key).unwrap();
        self.store.put(&key, body.into(), Precondition::Overwrite).await.unwrap();
    }

    pub(crate) async fn remove(&self, key: &str) {
        self.store.delete(&BlobKey::new(key).unwrap(), Precondition::Overwrite).await.unwrap();
    }

    /// The newest snapshot's key.
    pub(crate) async fn snapshot_of(&self, copy: &SyncedDatabase) -> String {
        format!("snapshots/{}", copy.local_version().await.unwrap().unwrap())
    }
}

pub(crate) fn sql(path: &Path, statements: &str) {
    Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

pub(crate) fn insert(path: &Path, value: &str) {
    Connection::open(path).unwrap().execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
}

/// The rows of a copy, in order.
pub(crate) fn rows(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT x FROM t ORDER BY x").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Everything in the folder, to show that nothing was left or changed.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}
