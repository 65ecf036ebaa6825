//! Handles, tasks and operators that get in each other's way.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ifmatch_core::{
    Attempt, ConditionalBlobStore, Error, GetOptions, Precondition, Version, WriteId,
};
use ifmatch_object::FsBlobStore;
use ifmatch_object::fs_seam::{Call, Fate, FileHook, FileOp};

use crate::support::{debris, durable, hooked, in_memory, key, objects, put, quick, scratch, text};

/// Adds one by compare-and-swap.
async fn increment(store: &FsBlobStore, name: &str) {
    let key = key(name);
    loop {
        let Some(blob) = store.get(&key, GetOptions::new()).await.unwrap().found() else {
            panic!("the counter is gone")
        };
        let value: u64 = std::str::from_utf8(&blob.body).unwrap().parse().unwrap();
        let condition = Precondition::IfMatch(blob.info.version);
        match store.put(&key, (value + 1).to_string().into(), condition).await {
            Ok(_) => return,
            Err(Error::Conflict(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn count(stores: Vec<FsBlobStore>, times: usize) {
    let tasks: Vec<_> = stores
        .into_iter()
        .map(|store| {
            tokio::spawn(async move {
                for _ in 0..times {
                    increment(&store, "n").await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_handles_in_one_process_exclude_each_other() {
    let folder = in_memory();
    let (one, two) = (quick(folder.path()), quick(folder.path()));
    put(&one, "n", "0").await.unwrap();
    let handles = [&one, &two, &one, &two, &one, &two].map(Clone::clone).into();
    count(handles, 100).await;
    assert_eq!(text(&two, "n").await.unwrap().as_deref(), Some("600"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_while_an_operator_removes_locks_and_staging() {
    let folder = in_memory();
    let (one, two) = (quick(folder.path()), quick(folder.path()));
    put(&one, "n", "0").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let operator = std::thread::spawn({
        let (private, stop) = (folder.path().join(".ifmatch-store"), stop.clone());
        move || {
            while !stop.load(Ordering::Relaxed) {
                let _ = std::fs::remove_dir_all(&private);
            }
        }
    });
    count(vec![one.clone(), two.clone(), one.clone(), two.clone()], 50).await;
    stop.store(true, Ordering::Relaxed);
    operator.join().unwrap();
    assert_eq!(text(&one, "n").await.unwrap().as_deref(), Some("200"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn creators_and_deleters_of_one_folder_never_fail() {
    let folder = in_memory();
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let store = if n == 0 { durable(folder.path()) } else { quick(folder.path()) };
            tokio::spawn(async move {
                for round in 0..200 {
                    let key = key(&format!("a/{}/b/{n}", round % 2));
                    let stored = store.put(&key, "1".into(), Precondition::IfAbsent).await.unwrap();
                    assert!(store.head(&key).await.unwrap().is_some(), "{key} is gone");
                    store.delete(&key, Precondition::IfMatch(stored.version)).await.unwrap();
                    assert!(store.head(&key).await.unwrap().is_none());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(objects(folder.path()).is_empty(), "{:?}", objects(folder.path()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_sees_one_version_whole() {
    let (_folder, store) = scratch();
    put(&store, "a", "0").await.unwrap();
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 1..400_usize {
                let digit = char::from(b'0' + u8::try_from(round % 10).unwrap());
                let body = digit.to_string().repeat(round % 10 * 3_000 + 1);
                put(&store, "a", &body).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let body = text(&store, "a").await.unwrap().unwrap();
        let digit = body.chars().next().unwrap();
        assert!(body.chars().all(|c| c == digit));
        assert_eq!(body.len(), digit.to_digit(10).unwrap() as usize * 3_000 + 1);
    }
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_dropped_happens_whole_or_not_at_all() {
    let (_folder, store) = scratch();
    let key = key("a/b");
    let mut versions = std::collections::BTreeSet::new();
    for round in 0..100_u32 {
        let body = format!("{round} {}", "x".repeat(round as usize * 100));
        {
            let write = store.put(&key, body.into(), Precondition::Overwrite);
            let mut write = std::pin::pin!(write);
            for _ in 0..=round % 4 {
                if futures::poll!(write.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        if round % 2 == 0 {
            // Another write of the key has its turn when the dropped one ends.
            let stale = Precondition::IfMatch(Version::from_etag("stale"));
            assert!(store.delete(&key, stale).await.is_err());
        }
        if let Some(body) = text(&store, "a/b").await.unwrap() {
            let (number, padding) = body.split_once(' ').unwrap();
            assert_eq!(padding.len(), number.parse::<usize>().unwrap() * 100);
            versions.insert(number.to_owned());
        }
    }
    assert!(!versions.is_empty(), "no dropped write ever happened");
    put(&store, "a/b", "last").await.unwrap();
    assert_eq!(text(&store, "a/b").await.unwrap().as_deref(), Some("last"));
    assert!(debris(store.root()).is_empty());
}

#[tokio::test]
async fn a_write_in_a_root_that_was_removed_creates_it_anew() {
    let (_folder, store) = scratch();
    put(&store, "a/b", "1").await.unwrap();
    std::fs::remove_dir_all(store.root()).unwrap();
    assert_eq!(text(&store, "a/b").await.unwrap(), None);
    put(&store, "a/b", "2").await.unwrap();
    assert_eq!(text(&store, "a/b").await.unwrap().as_deref(), Some("2"));
}

#[test]
fn a_runtime_that_ends_makes_no_answer_up() {
    let (_folder, store) = scratch();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { put(&store, "a", "1").await.unwrap() });
    runtime.shutdown_background();
    let anew = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = anew.block_on(async { text(&store, "a").await.unwrap() });
    assert_eq!(read.as_deref(), Some("1"));
}

/// Does something of its own just before an operation, once.
struct Meddler {
    call: Call,
    path: &'static str,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Meddler {
    fn before(call: Call, path: &'static str, act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self { call, path, act: Mutex::new(Some(Box::new(act))) })
    }
}

impl std::fmt::Debug for Meddler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meddler({} of {})", self.call, self.path)
    }
}

impl FileHook for Meddler {
    fn fate(&self, op: &FileOp) -> Fate {
        let is_it = op.call == self.call && op.path.contains(self.path);
        if let Some(act) = self.act.lock().unwrap().take_if(|_| is_it) {
            act();
        }
        Fate::Proceed
    }
}

/// Writes from a thread of its own, while the caller is in the middle of a
/// file operation.
fn write_meanwhile(root: PathBuf) {
    let write = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { put(&quick(&root), "a/b", "theirs").await.unwrap() });
    };
    std::thread::spawn(write).join().unwrap();
}

#[tokio::test]
async fn a_writer_whose_lock_file_is_removed_meets_the_conflict() {
    // Before it has staged its body, and after.
    for (call, path) in [(Call::CreateFile, "new-"), (Call::Lock, "rename.lock")] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let stored = put(&quick(&root), "a/b", "old").await.unwrap();
        let meddler = Meddler::before(call, path, {
            let root = root.clone();
            move || {
                for path in crate::support::tree(&root).into_keys() {
                    if path.ends_with("lock") {
                        std::fs::remove_file(root.join(path)).unwrap();
                    }
                }
                write_meanwhile(root);
            }
        });
        let store = hooked(&root, meddler);
        let condition = Precondition::IfMatch(stored.version);
        let error = store.put(&key("a/b"), "mine".into(), condition).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
        assert_eq!(text(&store, "a/b").await.unwrap().as_deref(), Some("theirs"));
    }
}

#[tokio::test]
async fn a_folder_that_is_removed_before_the_rename_is_made_again() {
    for emptied in ["a.d/b.d", "a.d"] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_path_buf();
        let meddler = Meddler::before(Call::Rename, "c.o", {
            let root = root.clone();
            move || {
                std::fs::remove_dir(root.join("a.d/b.d")).unwrap();
                if emptied == "a.d" {
                    std::fs::remove_dir(root.join("a.d")).unwrap();
                }
            }
        });
        let store = hooked(&root, meddler);
        let id = WriteId::from_bytes([1; 16]);
        let attempt =
            store.attempt_put(&key("a/b/c"), "body".into(), &Precondition::IfAbsent, id).await;
        assert!(matches!(attempt, Attempt::Applied(_)), "{attempt:?}");
        assert_eq!(text(&store, "a/b/c").await.unwrap().as_deref(), Some("body"));
    }
}
