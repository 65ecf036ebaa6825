//! What lies on the disk.

use std::os::unix::fs::MetadataExt;

use ifmatch_core::{BlobPrefix, ConditionalBlobStore, Precondition};

use crate::support::{debris, key, keys, objects, put, scratch, text, tree};

#[tokio::test]
async fn each_key_has_its_own_file() {
    let (_folder, store) = scratch();
    for name in ["a", "A", "a/b", "Ä x", ".ifmatch/probe/p"] {
        put(&store, name, name).await.unwrap();
    }
    let expected = [
        "%41.o",
        "%c3%84%20x.o",
        ".ifmatch.d",
        ".ifmatch.d/probe.d",
        ".ifmatch.d/probe.d/p.o",
        "a.d",
        "a.d/b.o",
        "a.o",
    ];
    assert_eq!(objects(store.root()), expected);
    for name in ["a", "A", "a/b", "Ä x", ".ifmatch/probe/p"] {
        assert_eq!(text(&store, name).await.unwrap().as_deref(), Some(name));
    }
    assert_eq!(std::fs::metadata(store.root().join("a.o")).unwrap().len(), 1 + 128);
}

#[tokio::test]
async fn long_segments_are_cut_and_keys_of_full_length_work() {
    let (_folder, store) = scratch();
    let segment = "É".repeat(100);
    let long = [&*segment, &segment, &segment, &segment, &segment].join("/");
    put(&store, &long, "deep").await.unwrap();
    put(&store, &segment, "flat").await.unwrap();
    assert_eq!(text(&store, &long).await.unwrap().as_deref(), Some("deep"));
    assert_eq!(keys(&store, "", None).await, [segment.clone(), long.clone()]);
    let longest = tree(store.root()).into_keys().map(|path| path.file_name().unwrap().len()).max();
    assert_eq!(longest, Some(202));
    store.delete(&key(&long), Precondition::Overwrite).await.unwrap();
    store.delete(&key(&segment), Precondition::Overwrite).await.unwrap();
    assert!(objects(store.root()).is_empty());
    let deep = vec!["a"; 512].join("/");
    put(&store, &deep, "deepest").await.unwrap();
    assert_eq!(keys(&store, "a/a/a", None).await, [deep]);
}

#[tokio::test]
async fn only_the_owner_may_read_and_enter() {
    let (_folder, store) = scratch();
    put(&store, "a/b", "secret").await.unwrap();
    let mut all = tree(store.root());
    all.insert("the root".into(), store.root().metadata().unwrap());
    for (path, metadata) in all {
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.mode() & 0o777, expected, "{}", path.display());
    }
}

#[tokio::test]
async fn a_delete_takes_the_empty_folders_with_it() {
    let (_folder, store) = scratch();
    put(&store, "a/b/c/d", "1").await.unwrap();
    put(&store, "a/x", "2").await.unwrap();
    store.delete(&key("a/b/c/d"), Precondition::Overwrite).await.unwrap();
    assert_eq!(objects(store.root()), ["a.d", "a.d/x.o"]);
    store.delete(&key("a/x"), Precondition::Overwrite).await.unwrap();
    assert!(objects(store.root()).is_empty());
}

#[tokio::test]
async fn names_outside_the_layout_are_counted_and_not_listed() {
    let (_folder, store) = scratch();
    put(&store, "a/b", "1").await.unwrap();
    for name in ["notes.txt", "a.d/B.o", "a.d/%41%.o", "a.d/%61.o", "x.c", "a.d/lost+found"] {
        std::fs::write(store.root().join(name), "not ours").unwrap();
    }
    std::fs::create_dir_all(store.root().join("Folder.d/inner.d")).unwrap();
    std::fs::create_dir_all(store.root().join("empty.d")).unwrap();
    assert_eq!(keys(&store, "", None).await, ["a/b"]);
    assert_eq!(store.foreign_names().await.unwrap(), 7);
}

#[tokio::test]
async fn reserved_keys_are_listed_only_when_asked_for() {
    let (_folder, store) = scratch();
    put(&store, ".ifmatch/probe/x", "1").await.unwrap();
    put(&store, ".ifmatchless", "2").await.unwrap();
    assert_eq!(keys(&store, "", None).await, [".ifmatchless"]);
    let mut listed = Vec::new();
    for folder in ["", ".ifmatch", ".ifmatch/probe"] {
        use futures::TryStreamExt;
        let prefix = BlobPrefix::internal(folder).unwrap();
        let found: Vec<_> = store.list(&prefix, None).try_collect().await.unwrap();
        listed.push(found.len());
    }
    assert_eq!(listed, [2, 1, 1]);
}

#[tokio::test]
async fn debris_of_a_killed_writer_goes_with_the_next_write_of_its_shard() {
    let (_folder, store) = scratch();
    put(&store, "a", "1").await.unwrap();
    let private = store.root().join(".ifmatch-store");
    let shard = std::fs::read_dir(&private)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    std::fs::write(shard.join("new-0123456789abcdef"), "half a bo").unwrap();
    assert_eq!(debris(store.root()).len(), 1);
    put(&store, "a", "2").await.unwrap();
    assert!(debris(store.root()).is_empty());
    assert!(shard.join("lock").exists());
}
