//! C19: what is no conflict of an ETag passes through unchanged.

use std::error::Error as _;
use std::sync::Arc;

use ifmatch_core::Env;
use ifmatch_meta::{Limits, MemoryMetaStore, MemoryOptions, MetaStore};
use ifmatch_recipes::item::{ItemError, Items};
use serde_json::json;

use crate::{item, items, p};

#[tokio::test]
async fn c19_errors_of_the_store_pass_through_unchanged() {
    let limits = Limits::default().document(100);
    let options = MemoryOptions::default().limits(limits).env(Env::real());
    let store = Arc::new(MemoryMetaStore::with(options));
    let items = Items::new(store.clone());
    let large = json!({"id": "a", "text": "x".repeat(100)});
    let too_large = items.try_upsert(&p(), &large, None).await.unwrap_err();
    assert_eq!((too_large.kind(), too_large.status()), ("too_large", 413));

    let etag = items.create_item(&p(), &item("a", 1)).await.unwrap().etag();
    store.close().await.unwrap();
    let closed = store.get(&ifmatch_meta::DocKey::new("p", "a").unwrap()).await.unwrap_err();
    for error in [
        items.read_item("a", &p()).await.unwrap_err(),
        items.item_etag("a", &p()).await.unwrap_err(),
        items.try_upsert(&p(), &item("a", 2), Some(etag)).await.unwrap_err(),
        items.try_upsert(&p(), &item("a", 2), None).await.unwrap_err(),
        items.delete_item("a", &p(), etag).await.unwrap_err(),
    ] {
        let ItemError::Store(inner) = &error else { panic!("{error:?}") };
        assert_eq!((error.kind(), error.status()), ("closed", 503));
        assert_eq!(inner.kind(), closed.kind());
        assert_eq!(error.to_string(), closed.to_string(), "the text is the store's");
        assert_eq!(error.source().is_some(), closed.source().is_some());
    }
}

#[tokio::test]
async fn c19_a_wrong_call_is_an_argument_error_not_a_conflict() {
    let items = items();
    let created = items.create_item(&p(), &item("a", 1)).await.unwrap();
    for patch in [json!({"id": "b"}), json!({"id": null}), json!([1]), json!(null)] {
        let error = items.patch_item("a", &p(), &patch, &created).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), ("invalid", 400), "{patch}");
    }
    let same = json!({"id": "a", "n": 2});
    items.patch_item("a", &p(), &same, &created).await.unwrap();
    let weak = format!("W/{}", created.etag());
    assert_eq!(weak.parse::<ifmatch_meta::ETag>().unwrap_err().kind(), "invalid");
}
