//! Remotes that are damaged, gone, replaced or rewound: a typed error, and
//! local and remote data as before.

use ifmatch::sync::{Error, SyncedDatabase};

use crate::support::{Place, URL, insert, listing, options, rows};

/// What pull and clone answer, and that they changed nothing.
async fn refused(place: &Place, copy: &SyncedDatabase, kind: &str, what: &str) {
    let before = (rows(copy.path()), listing(place.folder.path()));
    let pulled = copy.pull().await.unwrap_err();
    assert_eq!(pulled.kind(), kind, "{what}: {pulled}");
    let at = place.at("new");
    let cloned = SyncedDatabase::clone_to(&at, place.store.clone(), URL, options()).await;
    let cloned = cloned.unwrap_err();
    assert!([kind, "not_found"].contains(&cloned.kind()), "{what}: {cloned}");
    assert!(!at.exists(), "{what}: no half of a clone");
    let mut after = listing(place.folder.path());
    after.retain(|name| name != "new-ifmatch-lock");
    assert_eq!((rows(copy.path()), after), before, "{what}");
}

#[tokio::test]
async fn w7_a_damaged_head_or_snapshot_is_corrupt_and_changes_nothing() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    for key in ["head".to_owned(), place.snapshot_of(&one).await] {
        let whole = place.body(&key).await.unwrap();
        for length in [0, 1, 8, 12, whole.len() / 2, whole.len() - 1] {
            place.write(&key, whole[..length].to_vec()).await;
            refused(&place, &two, "corrupt", &format!("{key} cut to {length}")).await;
        }
        for step in 0..24 {
            let bit = (whole.len() * 8 - 1) * step / 23;
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            place.write(&key, flipped).await;
            refused(&place, &two, "corrupt", &format!("{key} with bit {bit} flipped")).await;
        }
        place.write(&key, whole).await;
    }
    two.pull().await.unwrap();
    assert_eq!(rows(two.path()), ["a", "first"]);
}

#[tokio::test]
async fn a_missing_snapshot_is_corrupt_and_named() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    let key = place.snapshot_of(&one).await;
    place.remove(&key).await;
    refused(&place, &two, "corrupt", "missing").await;
    assert!(two.pull().await.unwrap_err().to_string().contains(&key));
}

#[tokio::test]
async fn w4_a_deleted_remote_is_reported_and_not_recreated() {
    let place = Place::new();
    let one = place.init("one").await;
    insert(one.path(), "a");
    place.remove("head").await;
    for error in [one.push().await.unwrap_err(), one.pull().await.unwrap_err()] {
        assert!(matches!(error, Error::RemoteGone { .. }), "{error:?}");
    }
    assert!(place.body("head").await.is_none());
    assert_eq!(rows(one.path()), ["a", "first"]);
}

#[tokio::test]
async fn a_rewound_or_replaced_remote_is_reported_and_not_adopted() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    let old = place.body("head").await.unwrap();
    insert(one.path(), "a");
    one.push().await.unwrap();
    two.pull().await.unwrap();
    place.write("head", old).await;
    assert!(matches!(two.pull().await.unwrap_err(), Error::RemoteRewound(_)));
    insert(two.path(), "b");
    assert!(matches!(two.push().await.unwrap_err(), Error::RemoteRewound(_)));
    let other = Place::new();
    other.init("other").await;
    place.write("head", other.body("head").await.unwrap()).await;
    assert!(matches!(two.pull().await.unwrap_err(), Error::RemoteReplaced { .. }));
    assert_eq!(rows(two.path()), ["a", "b", "first"]);
}

#[tokio::test]
async fn a_prefix_that_holds_something_else_is_named_and_left_alone() {
    let place = Place::new();
    let marker = r#"{"kind":"documents","format":1,"register":"head",
        "store":"00000000000000000000000000000000","probes":{}}"#;
    place.write("ifmatch", marker.into()).await;
    crate::support::sql(&place.at("db"), "CREATE TABLE t (x)");
    let refused = SyncedDatabase::init(&place.at("db"), place.store.clone(), URL, options()).await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert!(error.to_string().contains("documents"), "{error}");
    assert!(place.body("head").await.is_none());
}
