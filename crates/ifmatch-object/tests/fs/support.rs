//! What the tests share.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use ifmatch_core::{
    BlobKey, BlobPrefix, ConditionalBlobStore, Env, Error, GetOptions, Precondition, Result, Stored,
};
use ifmatch_object::fs_seam::{Fate, FileHook, FileOp};
use ifmatch_object::{FsBlobStore, FsOptions};
use tempfile::TempDir;

/// A folder of its own and a store below it that does not sync.
pub(crate) fn scratch() -> (TempDir, FsBlobStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = quick(&folder.path().join("root"));
    (folder, store)
}

/// A folder of its own in memory where the machine has one: for what counts
/// processes and tasks, not disks.
pub(crate) fn in_memory() -> TempDir {
    let folder = tempfile::tempdir_in("/dev/shm");
    folder.unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

pub(crate) fn quick(root: &Path) -> FsBlobStore {
    FsBlobStore::new(root, FsOptions::default().durable(false), Env::real()).unwrap()
}

pub(crate) fn durable(root: &Path) -> FsBlobStore {
    FsBlobStore::new(root, FsOptions::default(), Env::real()).unwrap()
}

/// A store with a hook under its file operations.
pub(crate) fn hooked(root: &Path, hook: Arc<dyn FileHook>) -> FsBlobStore {
    FsBlobStore::new(root, FsOptions::default().hook(hook), Env::real()).unwrap()
}

pub(crate) fn key(text: &str) -> BlobKey {
    BlobKey::internal(text).unwrap()
}

pub(crate) async fn put(store: &FsBlobStore, name: &str, body: &str) -> Result<Stored> {
    store.put(&key(name), body.to_owned().into(), Precondition::Overwrite).await
}

/// The body as text, where there is one.
pub(crate) async fn text(store: &FsBlobStore, name: &str) -> Result<Option<String>> {
    let found = store.get(&key(name), GetOptions::new()).await?.found();
    Ok(found.map(|blob| String::from_utf8(blob.body.to_vec()).unwrap()))
}

pub(crate) async fn keys(store: &FsBlobStore, prefix: &str, after: Option<&str>) -> Vec<String> {
    let after = after.map(key);
    let prefix = BlobPrefix::new(prefix).unwrap();
    let listed: Vec<_> = store.list(&prefix, after.as_ref()).try_collect().await.unwrap();
    listed.into_iter().map(|info| String::from(info.key)).collect()
}

#[allow(clippy::needless_pass_by_value)] // Read as it is written.
pub(crate) fn is_corrupt<T>(answer: Result<T>) -> bool {
    matches!(answer, Err(Error::Corrupt { .. }))
}

/// Every path below a folder with what it is; links are not followed.
pub(crate) fn tree(root: &Path) -> BTreeMap<PathBuf, std::fs::Metadata> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().to_path_buf(), metadata);
        }
    }
    found
}

/// The files below a folder that belong to keys.
pub(crate) fn objects(root: &Path) -> Vec<String> {
    tree(root)
        .into_keys()
        .filter(|path| !path.starts_with(".ifmatch-store"))
        .map(|path| path.to_str().unwrap().to_owned())
        .collect()
}

/// What writers left behind unfinished.
pub(crate) fn debris(root: &Path) -> Vec<PathBuf> {
    let is_staged =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"new-"));
    tree(root).into_keys().filter(is_staged).collect()
}

/// Records the operations, and gives the n-th one a fate.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    ops: Mutex<Vec<FileOp>>,
    planned: Mutex<Option<(usize, Fate)>>,
}

impl Recorder {
    pub(crate) fn ops(&self) -> Vec<FileOp> {
        self.ops.lock().unwrap().clone()
    }

    /// Forgets what was recorded; the n-th operation from now on, counted from
    /// 0, meets this fate.
    pub(crate) fn plan(&self, n: usize, fate: Fate) {
        self.ops.lock().unwrap().clear();
        *self.planned.lock().unwrap() = Some((n, fate));
    }

    pub(crate) fn clear(&self) {
        self.ops.lock().unwrap().clear();
        *self.planned.lock().unwrap() = None;
    }
}

impl FileHook for Recorder {
    fn fate(&self, op: &FileOp) -> Fate {
        let mut ops = self.ops.lock().unwrap();
        ops.push(op.clone());
        match *self.planned.lock().unwrap() {
            Some((n, fate)) if n + 1 == ops.len() => fate,
            _ => Fate::Proceed,
        }
    }
}
