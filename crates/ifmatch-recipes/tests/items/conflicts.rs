//! What happens where the ETag does not match.

use std::error::Error as _;

use ifmatch_core::Retry;
use ifmatch_meta::DocPrecondition;
use ifmatch_recipes::item::{DEFAULT_TEXT, IfMatch, ItemError, Items, MissingItem};
use serde_json::{Value, json};

use crate::{item, items, p, store};

/// The error of somebody who came too late.
fn refused<T: std::fmt::Debug>(
    answer: Result<T, ItemError>,
) -> ifmatch_recipes::item::ConcurrencyError {
    let error = answer.unwrap_err();
    assert_eq!((error.status(), error.kind(), error.retry()), (412, "conflict", Retry::Rebase));
    match error {
        ItemError::Concurrency(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn c6_c8_c9_a_stale_etag_is_rejected_and_changes_nothing() {
    let items = items();
    let old = items.create_item(&p(), &item("a", 1)).await.unwrap();
    let new = items.replace_item(&p(), &item("a", 2), &old).await.unwrap();
    for error in [
        refused(items.replace_item(&p(), &item("a", 3), &old).await),
        refused(items.try_upsert(&p(), &item("a", 3), Some(old.etag())).await),
        refused(items.delete_item("a", &p(), &old).await),
        refused(items.patch_item("a", &p(), &json!({"n": 3}), &old).await),
    ] {
        assert_eq!(error.current(), Some(new.etag()));
        assert_eq!(error.conflict().unwrap().expected, DocPrecondition::IfMatch(old.etag()));
    }
    assert_eq!(items.read_item("a", &p()).await.unwrap(), Some(new.clone()));
    items.delete_item("a", &p(), &new).await.unwrap();
}

#[tokio::test]
async fn c13_the_conflict_says_what_is_there() {
    let items = items();
    let old = items.create_item(&p(), &item("a", 1)).await.unwrap();
    items.replace_item(&p(), &item("a", 2), &old).await.unwrap();
    let error = refused(items.try_upsert(&p(), &item("a", 3), Some(old.etag())).await);
    let theirs = error.conflict().unwrap().body.clone().unwrap();
    assert_eq!(theirs.value().unwrap()["n"], 2, "to be shown beside the user's own");
}

#[tokio::test]
async fn c16_try_upsert_says_whether_it_replaced() {
    for missing in [MissingItem::Conflict, MissingItem::Create] {
        let items = items().missing_item(missing);
        let (first, replaced) = items.try_upsert(&p(), &item("a", 1), None).await.unwrap();
        assert!(!replaced);
        let (second, replaced) = items.try_upsert(&p(), &item("a", 2), None).await.unwrap();
        assert!(replaced, "no etag: unconditional");
        let (third, replaced) =
            items.try_upsert(&p(), &item("a", 3), Some(second.etag())).await.unwrap();
        assert!(replaced);
        refused(items.try_upsert(&p(), &item("a", 4), Some(first.etag())).await);
        assert_eq!(items.read_item("a", &p()).await.unwrap(), Some(third));
    }
}

#[tokio::test]
async fn c16_an_item_without_a_text_id_is_an_argument_error() {
    let items = items();
    for bad in [
        json!({}),
        json!({"id": 7}),
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": "ifmatch.x"}),
        json!({"id": ["a"]}),
        json!({"Id": "a"}),
        json!("a"),
        Value::Null,
    ] {
        for answer in [
            items.try_upsert(&p(), &bad, None).await.map(|_| ()),
            items.upsert_item(&p(), &bad).await.map(|_| ()),
            items.create_item(&p(), &bad).await.map(|_| ()),
            items.replace_item(&p(), &bad, IfMatch::Any).await.map(|_| ()),
        ] {
            let error = answer.unwrap_err();
            assert_eq!((error.kind(), error.status()), ("invalid", 400), "{bad}: {error}");
        }
    }
    assert_eq!(items.store().count(&ifmatch_meta::Scope::All).await.unwrap(), 0);
}

#[tokio::test]
async fn c16_an_etag_of_a_missing_item_is_a_conflict_or_creates_it() {
    let strict = items();
    let gone = strict.create_item(&p(), &item("a", 1)).await.unwrap();
    strict.delete_item("a", &p(), &gone).await.unwrap();

    let error = refused(strict.try_upsert(&p(), &item("a", 2), Some(gone.etag())).await);
    assert_eq!(error.current(), None);
    assert_eq!(strict.read_item("a", &p()).await.unwrap(), None);

    let cosmos = strict.clone().missing_item(MissingItem::Create);
    let (created, replaced) =
        cosmos.try_upsert(&p(), &item("a", 2), Some(gone.etag())).await.unwrap();
    assert!(!replaced);
    assert_ne!(created.etag(), gone.etag());
    // Replace and delete are no upserts.
    let other = strict.create_item(&p(), &item("b", 1)).await.unwrap();
    cosmos.delete_item("b", &p(), &other).await.unwrap();
    refused(cosmos.replace_item(&p(), &item("b", 2), &other).await);
    refused(cosmos.delete_item("b", &p(), &other).await);
}

#[tokio::test]
async fn c17_c18_the_conflict_is_a_concurrency_error_with_a_text_and_a_source() {
    let store = store();
    let plain = Items::new(store.clone());
    let told = Items::new(store).conflict_text("Jemand war schneller");
    let old = plain.create_item(&p(), &item("a", 1)).await.unwrap();
    plain.upsert_item(&p(), &item("a", 2)).await.unwrap();
    for (items, text) in [(plain, "Concurrency problem detected"), (told, "Jemand war schneller")] {
        let error = refused(items.try_upsert(&p(), &item("a", 3), Some(old.etag())).await);
        assert_eq!(error.to_string(), text);
        let source = error.source().unwrap().downcast_ref::<ifmatch_meta::Error>().unwrap();
        assert_eq!(source.conflict(), error.conflict());
        assert!(source.to_string().contains(&old.etag().to_string()), "{source}");
        assert_eq!(ItemError::from(error).to_string(), text);
    }
    assert_eq!(DEFAULT_TEXT, "Concurrency problem detected");
}

#[tokio::test]
async fn what_is_there_or_missing_without_an_etag_has_a_status_of_its_own() {
    let items = items();
    let missing = items.replace_item(&p(), &item("a", 1), IfMatch::Any).await.unwrap_err();
    assert_eq!((missing.status(), missing.kind()), (404, "conflict"));
    assert_eq!(items.delete_item("a", &p(), IfMatch::Any).await.unwrap_err().status(), 404);
    let patch = json!({"n": 2});
    let missing = items.patch_item("a", &p(), &patch, IfMatch::Any).await.unwrap_err();
    assert_eq!(missing.status(), 404);
    items.create_item(&p(), &item("a", 1)).await.unwrap();
    let there = items.create_item(&p(), &item("a", 2)).await.unwrap_err();
    assert_eq!((there.status(), there.kind()), (409, "conflict"));
    assert!(matches!(there, ItemError::Store(_)));
}
