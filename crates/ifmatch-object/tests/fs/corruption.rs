//! Files that do not verify.

use std::os::unix::fs::FileExt;

use futures::StreamExt;
use ifmatch_core::{
    Attempt, BlobPrefix, ConditionalBlobStore, Env, Error, GetOptions, Precondition, WriteId,
};

use crate::support::{is_corrupt, key, put, scratch, text};

#[tokio::test]
async fn every_flipped_bit_and_every_truncation_of_a_file_is_corrupt_and_never_absent() {
    let (_folder, store) = scratch();
    put(&store, "a", "a body").await.unwrap();
    let path = store.root().join("a.o");
    let whole = std::fs::read(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &flipped).unwrap();
        assert!(is_corrupt(text(&store, "a").await), "bit {bit}");
        // What is no part of the body, a head sees too.
        assert_eq!(is_corrupt(store.head(&key("a")).await), bit / 8 >= 6, "bit {bit}");
    }
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(is_corrupt(text(&store, "a").await), "{length} bytes");
        assert!(is_corrupt(store.head(&key("a")).await), "{length} bytes");
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(text(&store, "a").await.unwrap().as_deref(), Some("a body"));
}

#[tokio::test]
async fn a_range_is_read_of_a_body_that_is_not_whole() {
    let (_folder, store) = scratch();
    put(&store, "a", "0123456789").await.unwrap();
    let file = std::fs::File::options().write(true).open(store.root().join("a.o")).unwrap();
    file.write_all_at(b"x", 0).unwrap();
    assert!(is_corrupt(text(&store, "a").await));
    let part = store.get(&key("a"), GetOptions::new().range(4..6)).await.unwrap();
    assert_eq!(&*part.found().unwrap().body, b"45");
}

#[tokio::test]
async fn only_an_overwrite_and_a_delete_touch_what_does_not_verify() {
    let (_folder, store) = scratch();
    let stored = put(&store, "a", "body").await.unwrap();
    let path = store.root().join("a.o");
    std::fs::write(&path, "junk").unwrap();
    let conditions = [Precondition::IfAbsent, Precondition::IfMatch(stored.version)];
    for condition in &conditions {
        let id = WriteId::random(&Env::real());
        let attempt = store.attempt_put(&key("a"), "new".into(), condition, id).await;
        assert!(matches!(attempt, Attempt::Refused(Error::Corrupt { .. })), "{attempt:?}");
    }
    let deleted = store.delete(&key("a"), conditions[1].clone()).await;
    assert!(is_corrupt(deleted));
    assert!(is_corrupt(store.get(&key("a"), GetOptions::new().range(0..1)).await));
    assert_eq!(std::fs::read(&path).unwrap(), b"junk");

    put(&store, "a", "new").await.unwrap();
    assert_eq!(text(&store, "a").await.unwrap().as_deref(), Some("new"));
    std::fs::write(&path, "junk").unwrap();
    store.delete(&key("a"), Precondition::Overwrite).await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_listing_names_what_does_not_verify_and_goes_on() {
    let (_folder, store) = scratch();
    for name in ["a", "b", "c/d", "e"] {
        put(&store, name, name).await.unwrap();
    }
    std::fs::write(store.root().join("b.o"), "junk").unwrap();
    std::fs::write(store.root().join("d.d"), "a file, no folder").unwrap();
    let listed: Vec<_> = store
        .list(&BlobPrefix::root(), None)
        .map(|info| info.map_or_else(|error| error.kind().to_owned(), |info| info.key.to_string()))
        .collect()
        .await;
    assert_eq!(listed, ["a", "corrupt", "c/d", "corrupt", "e"]);
}

#[tokio::test]
async fn a_file_under_the_name_of_another_key_does_not_verify() {
    let (_folder, store) = scratch();
    put(&store, "a", "body").await.unwrap();
    std::fs::copy(store.root().join("a.o"), store.root().join("b.o")).unwrap();
    assert!(is_corrupt(text(&store, "b").await));
    assert_eq!(text(&store, "a").await.unwrap().as_deref(), Some("body"));
}
