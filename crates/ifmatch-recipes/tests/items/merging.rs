//! C10: read again, merge, write again.

use std::time::Duration;

use futures::FutureExt as _;
use ifmatch_core::RetryPolicy;
use ifmatch_meta::{Edit, Json, Partition};
use ifmatch_recipes::item::{IfMatch, Item, ItemError, ItemResult};
use serde_json::{Value, json};

use crate::{item, items, p};

fn n(item: Option<&Item>) -> i64 {
    item.map_or(0, |item| item.value().unwrap()["n"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_eight_tasks_count_to_1600() {
    let items = items();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let items = items.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    let add = |found: Option<&Item>| {
                        Ok::<_, ItemError>(Edit::Put(item("a", n(found) + 1)))
                    };
                    items.update_item("a", &p(), RetryPolicy::new(), add).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(n(items.read_item("a", &p()).await.unwrap().as_ref()), 1_600);
}

#[tokio::test]
async fn c10_an_upsert_is_merged_with_what_is_there() {
    let items = items();
    let policy = RetryPolicy::new();
    let base = items.create_item(&p(), &json!({"id": "a", "tags": ["x"]})).await.unwrap();
    let theirs = json!({"id": "a", "tags": ["x", "theirs"]});
    items.replace_item(&p(), &theirs, &base).await.unwrap();

    let mine = json!({"id": "a", "tags": ["x", "mine"]});
    let merge = |mine: &Value, theirs: Option<&Item>| -> ItemResult<Value> {
        let Some(theirs) = theirs else { return Ok(mine.clone()) };
        let mut merged = theirs.value()?;
        for tag in mine["tags"].as_array().unwrap() {
            let tags = merged["tags"].as_array_mut().unwrap();
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        Ok(merged)
    };
    let (merged, replaced) =
        items.upsert_merged(&p(), &mine, Some(base.etag()), policy, merge).await.unwrap();
    assert!(replaced);
    assert_eq!(merged.value().unwrap()["tags"], json!(["x", "theirs", "mine"]));

    // Nothing to merge with: mine is written as it is.
    let never = |_: &Value, _: Option<&Item>| -> ItemResult<Value> { panic!("nobody else wrote") };
    let next = json!({"id": "a", "tags": []});
    let (next, _) =
        items.upsert_merged(&p(), &next, Some(merged.etag()), policy, never).await.unwrap();
    assert_eq!(next.value().unwrap()["tags"], json!([]));
    let other = Partition::new("q").unwrap();
    let (_, replaced) = items.upsert_merged(&other, &mine, None, policy, never).await.unwrap();
    assert!(!replaced);

    // It was deleted: merge decides.
    items.delete_item("a", &p(), IfMatch::Any).await.unwrap();
    let gone = |_: &Value, theirs: Option<&Item>| -> ItemResult<Value> {
        assert!(theirs.is_none());
        Ok(json!({"id": "a", "revived": true}))
    };
    let (back, replaced) =
        items.upsert_merged(&p(), &mine, Some(next.etag()), policy, gone).await.unwrap();
    assert!(!replaced);
    assert_eq!(back.value().unwrap()["revived"], true);
}

#[tokio::test]
async fn an_update_answers_the_item_as_it_is_then() {
    let items = items();
    let policy = RetryPolicy::new();
    let keep = |_: Option<&Item>| Ok::<_, ItemError>(Edit::Keep);
    let delete = |_: Option<&Item>| Ok::<_, ItemError>(Edit::Delete);
    assert_eq!(items.update_item("a", &p(), policy, keep).await.unwrap(), None);
    let created = items.create_item(&p(), &item("a", 1)).await.unwrap();
    assert_eq!(items.update_item("a", &p(), policy, keep).await.unwrap(), Some(created));
    assert_eq!(items.update_item("a", &p(), policy, delete).await.unwrap(), None);
    assert_eq!(items.read_item("a", &p()).await.unwrap(), None);
}

#[tokio::test]
async fn an_update_that_changes_the_id_or_is_refused_applies_nothing() {
    let items = items();
    let created = items.create_item(&p(), &item("a", 1)).await.unwrap();
    let policy = RetryPolicy::new();
    let other = |_: Option<&Item>| Ok::<_, ItemError>(Edit::Put(item("b", 2)));
    let error = items.update_item("a", &p(), policy, other).await.unwrap_err();
    assert_eq!(error.status(), 400);
    let own = |_: Option<&Item>| Err::<Edit<Value>, _>(Box::from("no"));
    let error: Box<dyn std::error::Error + Send + Sync> =
        items.update_item("a", &p(), policy, own).await.unwrap_err();
    assert_eq!(error.to_string(), "no");
    assert_eq!(items.read_item("a", &p()).await.unwrap(), Some(created));
    assert_eq!(items.read_item("b", &p()).await.unwrap(), None);
}

#[tokio::test]
async fn a_policy_that_gives_up_tells_of_the_concurrency() {
    let items = items();
    items.create_item(&p(), &item("a", 1)).await.unwrap();
    let store = items.store().clone();
    let policy = RetryPolicy::new().with_max_attempts(3).with_deadline(Duration::from_secs(5));
    let mut attempts = 0;
    let always_late = |found: Option<&Item>| {
        attempts += 1;
        // Somebody else is faster each time.
        let key = found.unwrap().document().key.clone();
        let body = Json::new(format!(r#"{{"id":"a","n":{attempts}}}"#)).unwrap();
        let put = store.put(&key, body, ifmatch_meta::DocPrecondition::Overwrite);
        put.now_or_never().unwrap().unwrap();
        Ok::<_, ItemError>(Edit::Put(item("a", 100)))
    };
    let error = items.update_item("a", &p(), policy, always_late).await.unwrap_err();
    assert!(matches!(error, ItemError::Concurrency(_)), "{error:?}");
    assert_eq!(attempts, 3);
}
