use std::sync::Arc;

use ifmatch_core::{Instrumented, MemoryBlobStore, Simulation};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_verdict_on_record_is_not_asked_again() {
    let store = MemoryBlobStore::new(Simulation::seeded(1).env());
    let id = JournalId::random(store.env());
    let verdict = Marker::ensure(&store, Kind::Database, id).await.unwrap();
    assert_eq!(verdict, Some(Verdict::Safe));
    let log = Instrumented::new(Arc::new(store.clone()));
    assert_eq!(Marker::ensure(&log, Kind::Database, id).await.unwrap(), verdict);
    assert_eq!(log.log().totals().requests, 1);
}

#[tokio::test(start_paused = true)]
async fn another_kind_under_a_prefix_is_named_and_left_alone() {
    let store = MemoryBlobStore::new(Simulation::seeded(2).env());
    let id = JournalId::random(store.env());
    Marker::ensure(&store, Kind::Documents, id).await.unwrap();
    let error = Marker::ensure(&store, Kind::Database, id).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert!(error.to_string().contains("documents"), "{error}");
    let key = BlobKey::new("ifmatch").unwrap();
    store.put(&key, "not json".into(), Precondition::Overwrite).await.unwrap();
    assert_eq!(Marker::ensure(&store, Kind::Database, id).await.unwrap_err().kind(), "corrupt");
}

#[tokio::test(start_paused = true)]
async fn a_flipped_bit_never_makes_a_marker_say_something_else() {
    let store = MemoryBlobStore::new(Simulation::seeded(3).env());
    let id = JournalId::random(store.env());
    Marker::ensure(&store, Kind::Database, id).await.unwrap();
    let key = BlobKey::new("ifmatch").unwrap();
    let right = store.get(&key, GetOptions::new()).await.unwrap().found().unwrap().body;
    for bit in 0..right.len() * 8 {
        let mut flipped = right.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match Marker::check(&flipped, Kind::Database) {
            Ok(marker) => assert_eq!(marker.store, id, "bit {bit}"),
            Err(error) => assert!(matches!(error.kind(), "corrupt" | "unsupported"), "bit {bit}"),
        }
    }
}
