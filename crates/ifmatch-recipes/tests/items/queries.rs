//! Finding items.

use futures::TryStreamExt as _;
use ifmatch_meta::query::field;
use ifmatch_meta::{Partition, Query, Scope};
use ifmatch_recipes::item::Item;

use crate::{item, items, p};

#[tokio::test]
async fn s15_a_query_answers_items_in_pages_or_as_a_stream() {
    let (items, q) = (items(), Partition::new("q").unwrap());
    for n in 0..25 {
        items.create_item(&p(), &item(&format!("{n:02}"), n)).await.unwrap();
    }
    items.create_item(&q, &item("other", 24)).await.unwrap();
    let scope = Scope::Partition(p());
    let query = Query::filter(field("/n").gte(5)).limit(8);

    let page = items.query_items(&scope, &query).await.unwrap();
    assert_eq!(page.items.len(), 8);
    assert!(page.next.is_some());
    assert!(page.items[0].value().unwrap()["_etag"].is_string());

    let all: Vec<Item> = items.query_all(&scope, query.clone()).try_collect().await.unwrap();
    let ids: Vec<_> = all.iter().map(Item::id).collect();
    assert_eq!(ids, (5..25).map(|n| format!("{n:02}")).collect::<Vec<_>>());

    let behind: Vec<Item> =
        items.query_all(&scope, query.clone().offset(18)).try_collect().await.unwrap();
    assert_eq!(behind.len(), 2, "the offset counts once");
    let everywhere: Vec<Item> = items.query_all(&Scope::All, query).try_collect().await.unwrap();
    assert_eq!(everywhere.len(), 21);

    let tag = all[0].etag().to_string();
    let by_tag = Query::filter(field("@etag").eq(tag));
    assert_eq!(items.query_items(&scope, &by_tag).await.unwrap().items, [all[0].clone()]);
}

#[tokio::test]
async fn an_unsupported_query_is_an_error() {
    let query = Query::filter(field("n").gte(5));
    let error = items().query_items(&Scope::All, &query).await.unwrap_err();
    assert_eq!(error.status(), 400);
}
