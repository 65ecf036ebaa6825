use std::sync::Arc;

use bytes::Bytes;
use ifmatch_core::{BlobKey, Instrumented, MemoryBlobStore, Simulation};

use super::*;

fn register(seed: u64) -> (HeadRegister, Instrumented) {
    let store = Instrumented::new(Arc::new(MemoryBlobStore::new(Simulation::seeded(seed).env())));
    (HeadRegister::new(Arc::new(store.clone()), BlobKey::new("head").unwrap()), store)
}

#[tokio::test(start_paused = true)]
async fn a_register_is_created_once_and_swapped_by_its_token() {
    let (register, _) = register(1);
    assert!(matches!(register.read(None).await.unwrap(), Reading::Absent { date: Some(_) }));
    let Swap::Applied { token: first, .. } = register.create("1".into()).await else { panic!() };
    assert!(matches!(register.create("2".into()).await, Swap::Rejected { .. }));
    let swap = register.replace(&first, "2".into()).await;
    let Swap::Applied { token: second, date: Some(_) } = swap else { panic!("{swap:?}") };
    assert!(matches!(register.replace(&first, "3".into()).await, Swap::Rejected { .. }));
    let Reading::Found { body, token, written, .. } = register.read(Some(&first)).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((body, token), (Bytes::from("2"), second));
    assert!(written.is_some());
}

#[tokio::test(start_paused = true)]
async fn every_operation_is_one_request_and_a_fresh_look_has_no_body() {
    let (register, store) = register(2);
    let Swap::Applied { token, .. } = register.create("1".into()).await else { panic!() };
    assert!(matches!(register.read(Some(&token)).await.unwrap(), Reading::Unchanged { .. }));
    let _ = register.replace(&token, "2".into()).await;
    let _ = register.replace(&token, "3".into()).await;
    let requests = store.log().take();
    let outcomes: Vec<_> = requests.iter().map(|request| request.outcome).collect();
    assert_eq!(outcomes, ["applied", "not_modified", "applied", "rejected"]);
    assert_eq!(requests[1].bytes_down, 0);
}
