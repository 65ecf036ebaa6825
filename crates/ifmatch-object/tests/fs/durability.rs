//! The order of the operations: what is answered is on the disk.

use std::sync::Arc;

use ifmatch_core::{ConditionalBlobStore, Precondition};
use ifmatch_object::fs_seam::{Call, FileOp};

use crate::support::{Recorder, hooked, key, put};

/// Where the last operation of this kind on this path, or below this path and
/// slash, stands.
fn position(ops: &[FileOp], call: Call, path: &str) -> usize {
    let is_there =
        |op: &FileOp| op.path == path || (path.ends_with('/') && op.path.starts_with(path));
    let is_it = |op: &FileOp| op.call == call && is_there(op);
    let last = ops.iter().rposition(is_it);
    last.unwrap_or_else(|| panic!("no {call:?} of {path} in {ops:#?}"))
}

#[tokio::test]
async fn an_answered_put_was_synced_before_and_after_its_rename() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::default());
    let store = hooked(&folder.path().join("new/root"), recorder.clone());
    put(&store, "a/b/c", "body").await.unwrap();
    let ops = recorder.ops();
    let at = |call, path| position(&ops, call, path);

    let renamed = at(Call::Rename, "a.d/b.d/c.o");
    let written = at(Call::Write, ".ifmatch-store/");
    let synced = at(Call::SyncFile, ".ifmatch-store/");
    assert!(written < synced && synced < renamed, "the data before the rename");
    assert!(at(Call::SyncFolder, "a.d/b.d") > renamed, "the rename before the answer");
    for (folder, above) in [("a.d", "."), ("a.d/b.d", "a.d")] {
        let (made, entered) = (at(Call::MakeFolder, folder), at(Call::SyncFolder, above));
        assert!(made < entered && entered < renamed, "the folder {folder} before the rename");
    }
    let parent = folder.path().join("new");
    let root = parent.join("root");
    let made = at(Call::MakeRoot, root.to_str().unwrap());
    assert!(made < at(Call::SyncFolder, parent.to_str().unwrap()), "the root");
    assert!(made < at(Call::SyncFolder, folder.path().to_str().unwrap()), "its parent");
}

#[tokio::test]
async fn an_overwrite_relies_on_no_folder_that_it_has_not_synced() {
    let folder = tempfile::tempdir().unwrap();
    put(&crate::support::quick(folder.path()), "a/b", "not durable").await.unwrap();
    let recorder = Arc::new(Recorder::default());
    put(&hooked(folder.path(), recorder.clone()), "a/b", "durable").await.unwrap();
    let ops = recorder.ops();
    let renamed = position(&ops, Call::Rename, "a.d/b.o");
    assert!(position(&ops, Call::SyncFolder, ".") < renamed);
    assert_eq!(ops[renamed + 1..].iter().map(|op| op.call).next_back(), Some(Call::SyncFolder));
}

#[tokio::test]
async fn an_answered_delete_was_synced_before_its_folders_go() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::default());
    let store = hooked(folder.path(), recorder.clone());
    put(&store, "a/b", "body").await.unwrap();
    recorder.clear();
    store.delete(&key("a/b"), Precondition::Overwrite).await.unwrap();
    let ops = recorder.ops();
    let removed = position(&ops, Call::RemoveFile, "a.d/b.o");
    let synced = position(&ops, Call::SyncFolder, "a.d");
    assert!(removed < synced && synced < position(&ops, Call::RemoveFolder, "a.d"));

    // It is gone, but by somebody who may have died before the sync.
    recorder.clear();
    store.delete(&key("a/b"), Precondition::Overwrite).await.unwrap();
    position(&recorder.ops(), Call::SyncFolder, ".");
}

#[tokio::test]
async fn without_durability_nothing_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::default());
    let options = ifmatch_object::FsOptions::default().durable(false).hook(recorder.clone());
    let env = ifmatch_core::Env::real();
    let store = ifmatch_object::FsBlobStore::new(folder.path(), options, env).unwrap();
    put(&store, "a/b", "body").await.unwrap();
    store.delete(&key("a/b"), Precondition::Overwrite).await.unwrap();
    let is_sync = |op: &FileOp| matches!(op.call, Call::SyncFile | Call::SyncFolder);
    assert!(!recorder.ops().iter().any(is_sync));
}
