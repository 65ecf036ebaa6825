//! Values of a type.

use std::sync::Arc;

use futures::TryStreamExt as _;
use ifmatch_core::RetryPolicy;
use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, IfMatch, Overwrite};
use ifmatch_meta::{
    Collection, DocId, DrainOptions, Edit, Entry, Error, ScanOptions, UpdateError, WriteOptions,
};
use serde::{Deserialize, Serialize};

use super::{id, json, key, partition, store};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Task {
    title: String,
    done: bool,
}

fn task(title: &str) -> Task {
    Task { title: title.to_owned(), done: false }
}

fn tasks() -> Collection<Task> {
    Collection::new(Arc::new(store()), partition("tasks"))
}

#[tokio::test]
async fn s15_values_are_put_got_listed_counted_and_deleted() {
    let tasks = tasks().with_options(WriteOptions::default().author("ann"));
    let made = tasks.create(&id("a"), &task("tea")).await.unwrap();
    assert_eq!(tasks.create(&id("a"), &task("x")).await.unwrap_err().kind(), "conflict");
    let entry = tasks.get(&id("a")).await.unwrap().unwrap();
    assert_eq!((&entry.value, entry.etag), (&task("tea"), made.etag));
    assert_eq!(entry.updated_by.as_deref(), Some("ann"));
    assert!(tasks.contains(&id("a")).await.unwrap());
    assert!(!tasks.contains(&id("b")).await.unwrap());
    let many = [task("b"), task("c")];
    let many = ["b", "c"].map(id).into_iter().zip(&many);
    let written = tasks.put_all(many, IfAbsent).await.unwrap();
    assert_eq!(written[0].position, written[1].position);
    let (made, _) = tasks.insert(&task("d")).await.unwrap();
    assert_eq!(tasks.count().await.unwrap(), 4);
    let ids: Vec<DocId> = tasks.ids(ScanOptions::default()).try_collect().await.unwrap();
    assert_eq!(ids, [made.clone(), id("a"), id("b"), id("c")]);
    let some = ScanOptions::default().ids("a"..).descending();
    let some: Vec<Entry<Task>> = tasks.entries(some.limit(1)).try_collect().await.unwrap();
    let titles: Vec<_> = some.iter().map(|entry| entry.value.title.as_str()).collect();
    assert_eq!(titles, ["c", "b", "tea"]);
    tasks.replace(&id("a"), entry.etag, &task("milk")).await.unwrap();
    let late = tasks.replace(&id("a"), entry.etag, &task("x")).await.unwrap_err();
    assert_eq!(late.kind(), "conflict");
    let late = tasks.delete(&id("a"), IfMatch(entry.etag)).await.unwrap_err();
    assert_eq!(late.kind(), "conflict");
    tasks.delete(&id("a"), IfExists).await.unwrap();
    assert!(tasks.get(&id("a")).await.unwrap().is_none());
    let page = tasks.scan(ScanOptions::default().limit(2)).await.unwrap();
    assert!(page.entries.len() == 2 && page.next.is_some() && page.mark.is_some());
}

#[tokio::test]
async fn c10_a_value_is_updated_and_errors_are_told_apart() {
    let tasks = tasks();
    let policy = RetryPolicy::new();
    tasks.create(&id("a"), &task("tea")).await.unwrap();
    let done = |entry: Option<Entry<Task>>| {
        let mut value = entry.unwrap().value;
        value.done = true;
        Ok::<_, std::io::Error>(Edit::Put(value))
    };
    tasks.update(&id("a"), policy, done).await.unwrap();
    assert!(tasks.get(&id("a")).await.unwrap().unwrap().value.done);
    let refused = tasks.update(&id("a"), policy, |_| Err("no")).await.unwrap_err();
    assert!(matches!(refused, UpdateError::Refused("no")));
    let other = key("tasks", "b");
    tasks.store().put(&other, json("[1]"), Overwrite).await.unwrap();
    let error = tasks.update(&id("b"), policy, done).await.unwrap_err();
    assert_eq!(error.store().unwrap().kind(), "invalid");
    let gone = tasks.update(&id("a"), policy, |_| Ok::<_, Error>(Edit::Delete)).await;
    assert_eq!(gone.unwrap().attempts, 1);
    assert!(!tasks.contains(&id("a")).await.unwrap());
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_named_and_stays() {
    let tasks = tasks();
    tasks.store().put(&key("tasks", "odd"), json(r#"{"title":1}"#), IfAbsent).await.unwrap();
    let error = tasks.get(&id("odd")).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert!(error.to_string().contains("tasks/odd"), "{error}");
    let mut saved = Vec::new();
    let drained = tasks.drain(DrainOptions::default(), |page| {
        saved.extend(page);
        async { Ok::<_, Error>(()) }
    });
    assert_eq!(drained.await.unwrap().deleted, 1);
    assert_eq!(saved[0].body.as_str(), r#"{"title":1}"#);
}
