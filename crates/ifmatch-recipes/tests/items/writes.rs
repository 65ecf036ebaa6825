//! Reading, writing, and what stands in an item.

use std::sync::Arc;

use ifmatch_core::{Simulation, Timestamp};
use ifmatch_meta::{
    AuditOperation, DocKey, DocPrecondition, Json, MemoryMetaStore, MetaStore, Partition,
};
use ifmatch_recipes::item::{IfMatch, Items};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{audited, item, items, p, store};

#[tokio::test]
async fn c1_c2_c3_every_write_answers_a_new_etag() {
    let items = items();
    let created = items.create_item(&p(), &item("a", 1)).await.unwrap();
    let replaced = items.replace_item(&p(), &item("a", 1), &created).await.unwrap();
    let (upserted, _) = items.upsert_item(&p(), &item("a", 1)).await.unwrap();
    let patched = items.patch_item("a", &p(), &json!({}), &upserted).await.unwrap();
    items.delete_item("a", &p(), &patched).await.unwrap();
    let again = items.create_item(&p(), &item("a", 1)).await.unwrap();
    let mut tags: Vec<_> = [created, replaced, upserted, patched, again]
        .map(|item| item.value().unwrap()["_etag"].as_str().unwrap().to_owned())
        .into();
    let newest = items.item_etag("a", &p()).await.unwrap().unwrap();
    assert_eq!(tags[4], newest.to_string());
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 5, "equal bytes have another tag");
}

#[tokio::test]
async fn c4_the_last_writer_wins_where_it_is_asked_for_by_name() {
    let items = items();
    let (first, replaced) = items.upsert_item(&p(), &item("a", 1)).await.unwrap();
    assert!(!replaced);
    items.replace_item(&p(), &item("a", 2), &first).await.unwrap();
    let (last, replaced) = items.upsert_item(&p(), &item("a", 3)).await.unwrap();
    assert!(replaced);
    items.replace_item(&p(), &item("a", 4), IfMatch::Any).await.unwrap();
    items.patch_item("a", &p(), &json!({"m": 5}), IfMatch::Any).await.unwrap();
    let found = items.read_item("a", &p()).await.unwrap().unwrap();
    assert_eq!(
        (&found.value().unwrap()["n"], &found.value().unwrap()["m"]),
        (&json!(4), &json!(5))
    );
    assert_ne!(found.etag(), last.etag());
    items.delete_item("a", &p(), IfMatch::Any).await.unwrap();
    assert_eq!(items.read_item("a", &p()).await.unwrap(), None);
}

#[tokio::test]
async fn c7_reading_gives_the_item_and_its_etag() {
    let items = items();
    assert_eq!(items.read_item("a", &p()).await.unwrap(), None);
    let created = items.create_item(&p(), &item("a", 1)).await.unwrap();
    let found = items.read_item("a", &p()).await.unwrap().unwrap();
    assert_eq!(found, created);
    assert_eq!((found.id(), found.partition()), ("a", &p()));
    let tag = found.value().unwrap()["_etag"].as_str().unwrap().parse().unwrap();
    assert_eq!(found.etag(), tag, "the member is the tag");
}

#[tokio::test]
async fn system_members_are_added_and_never_stored() {
    let simulation = Simulation::seeded(1);
    let store = Arc::new(MemoryMetaStore::new(simulation.env()));
    let items = Items::new(store.clone());
    let sent = json!({
        "id": "a", "n": 1, "_etag": "\"mine\"", "_ts": 7, "_rid": "r", "_self": "s",
        "_attachments": "attachments/", "_mine": true,
    });
    let created = items.create_item(&p(), &sent).await.unwrap();
    assert_eq!(created.document().body.as_str(), r#"{"_mine":true,"id":"a","n":1}"#);
    let value = created.value().unwrap();
    assert_eq!(value["_ts"], store.env().wall_clock().as_micros().div_euclid(1_000_000));
    assert_eq!(value.as_object().unwrap().len(), 5);
    assert_eq!(serde_json::to_value(&created).unwrap(), value);
    // What was read can be written as it is.
    let replaced = items.replace_item(&p(), &created, &created).await.unwrap();
    assert_eq!(replaced.document().body, created.document().body);
    let patched = items.patch_item("a", &p(), &json!({"_ts": 1, "n": 2}), &replaced).await;
    assert_eq!(patched.unwrap().document().body.as_str(), r#"{"_mine":true,"id":"a","n":2}"#);
}

#[tokio::test]
async fn the_second_of_a_time_is_rounded_down() {
    let env = Simulation::seeded(1).env();
    for (micros, second) in [(0, 0), (999_999, 0), (1_000_000, 1), (-1, -1)] {
        let document = ifmatch_meta::Document {
            key: DocKey::new("p", "a").unwrap(),
            etag: ifmatch_meta::ETag::mint(1, &env),
            body: Json::new("{}").unwrap(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::from_micros(micros),
            updated_by: None,
        };
        assert_eq!(ifmatch_recipes::item::Item::from(document).ts(), second);
    }
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Team {
    id: String,
    name: String,
    #[serde(rename = "_etag", skip_serializing_if = "Option::is_none")]
    etag: Option<ifmatch_meta::ETag>,
}

#[tokio::test]
async fn a_type_of_yours_may_carry_its_etag() {
    let items = items();
    let team = Team { id: "a".into(), name: "A".into(), etag: None };
    let created: Team = items.create_item(&p(), &team).await.unwrap().decode().unwrap();
    let tag = created.etag.unwrap();
    assert_eq!(items.item_etag("a", &p()).await.unwrap(), Some(tag));
    let renamed = Team { name: "B".into(), ..created };
    let (stored, replaced) = items.try_upsert(&p(), &renamed, renamed.etag).await.unwrap();
    assert!(replaced);
    assert_eq!(stored.decode::<Team>().unwrap().name, "B");
    assert_eq!(stored.decode::<Vec<u8>>().unwrap_err().kind(), "invalid");
}

#[tokio::test]
async fn c11_c14_the_record_says_who_changed_what_when() {
    let store = audited();
    let (ann, bob) =
        (Items::new(store.clone()).author("ann"), Items::new(store.clone()).author("bob"));
    let created = ann.create_item(&p(), &item("a", 1)).await.unwrap();
    let replaced = bob.replace_item(&p(), &item("a", 2), &created).await.unwrap();
    ann.delete_item("a", &p(), &replaced).await.unwrap();
    let record = store.audit(&p(), None, 10).await.unwrap();
    let told: Vec<_> = record
        .iter()
        .map(|r| (r.author.as_deref().unwrap(), r.operation, r.previous, r.etag))
        .collect();
    assert_eq!(
        told,
        [
            ("ann", AuditOperation::Created, None, Some(created.etag())),
            ("bob", AuditOperation::Replaced, Some(created.etag()), Some(replaced.etag())),
            ("ann", AuditOperation::Deleted, Some(replaced.etag()), None),
        ]
    );
    assert!(record.windows(2).all(|pair| pair[0].time <= pair[1].time && pair[0].at < pair[1].at));
    assert_eq!(replaced.document().updated_by.as_deref(), Some("bob"));
}

#[tokio::test]
async fn c12_an_id_is_one_of_its_partition() {
    let (items, q) = (items(), Partition::new("q").unwrap());
    let here = items.create_item(&p(), &item("a", 1)).await.unwrap();
    let there = items.create_item(&q, &item("a", 2)).await.unwrap();
    assert_ne!(here.etag(), there.etag());
    items.delete_item("a", &q, &there).await.unwrap();
    assert_eq!(items.read_item("a", &p()).await.unwrap(), Some(here));
    assert_eq!(items.read_item("a", &q).await.unwrap(), None);
}

#[tokio::test]
async fn c15_the_etag_of_no_item_is_none() {
    let items = items();
    assert_eq!(items.item_etag("", &p()).await.unwrap(), None);
    assert_eq!(items.item_etag("a", &p()).await.unwrap(), None);
    let created = items.create_item(&p(), &item("a", 1)).await.unwrap();
    assert_eq!(items.item_etag("a", &p()).await.unwrap(), Some(created.etag()));
    items.delete_item("a", &p(), &created).await.unwrap();
    assert_eq!(items.item_etag("a", &p()).await.unwrap(), None);
    assert_eq!(items.item_etag("nul\0", &p()).await.unwrap_err().kind(), "invalid");
}

#[tokio::test]
async fn what_others_put_and_is_no_object_comes_as_it_is() {
    let store = store();
    let key = DocKey::new("p", "a").unwrap();
    store.put(&key, Json::new("[1]").unwrap(), DocPrecondition::IfAbsent).await.unwrap();
    let found = Items::new(store).read_item("a", &p()).await.unwrap().unwrap();
    assert_eq!(found.value().unwrap(), json!([1]));
}
