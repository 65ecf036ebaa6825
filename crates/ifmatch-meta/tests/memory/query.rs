//! Queries in memory: what the evaluator says, of one moment.

use ifmatch_meta::DocPrecondition::{IfAbsent, Overwrite};
use ifmatch_meta::query::field;
use ifmatch_meta::{
    AggregateOf, Aggregation, DocKey, Field, Filter, Json, MemoryMetaStore, MetaStore, Op, Query,
    Scope,
};

use super::{id, json, key, partition, store};

async fn filled() -> MemoryMetaStore {
    let store = store();
    for name in ["p", "q", "r"] {
        let put = |n: u32| Op::put(id(&format!("{n:02}")), Json::of(&n).unwrap(), IfAbsent);
        store.batch(&partition(name), (0..40).map(put).collect()).await.unwrap();
    }
    for (partition, id) in [("p", "ifmatch.x"), ("ifmatch.p", "a")] {
        let key = DocKey::internal(partition, id).unwrap();
        store.put(&key, json("7"), IfAbsent).await.unwrap();
    }
    store
}

#[tokio::test]
async fn w17_pages_go_through_all_partitions_or_one_and_leave_ours_out() {
    let store = filled().await;
    for (scope, count) in [(Scope::All, 120), (Scope::Partition(partition("q")), 40)] {
        for sort in [None, Some("-@id"), Some("@id")] {
            let mut query = Query::all().limit(7);
            if let Some(sort) = sort {
                query = query.sort(sort);
            }
            let mut seen = Vec::new();
            loop {
                let page = store.query(&scope, &query).await.unwrap();
                assert_eq!(page.mark.is_some(), scope != Scope::All);
                seen.extend(page.documents.into_iter().map(|document| document.key));
                // Writes in between end no query.
                store.put(&key("q", "05"), json("5"), Overwrite).await.unwrap();
                let Some(next) = page.next else { break };
                query = query.after(next);
            }
            assert_eq!(seen.len(), count, "{sort:?}");
            match sort {
                None => assert!(seen.is_sorted()),
                Some("@id") => assert!(seen.is_sorted_by_key(|key| key.id.clone())),
                _ => assert!(seen.iter().rev().is_sorted_by_key(|key| key.id.clone())),
            }
        }
        assert_eq!(store.count(&scope).await.unwrap(), count as u64);
    }
}

#[tokio::test]
async fn counts_and_groups_are_those_of_the_scope() {
    let store = filled().await;
    let small = field("").lt(10);
    assert_eq!(store.count_where(&Scope::All, &small).await.unwrap(), 30);
    let q = Scope::Partition(partition("q"));
    assert_eq!(store.count_where(&q, &small).await.unwrap(), 10);
    assert_eq!(store.count_where(&q, &Filter::And(Vec::new())).await.unwrap(), 40);
    let sums = Aggregation::of([AggregateOf::Count, AggregateOf::Sum(Field::Body("".into()))])
        .by([Field::Partition]);
    let rows = store.aggregate(&Scope::All, &sums).await.unwrap();
    let expected = ["p", "q", "r"].map(|name| (vec![name.into()], vec![40.into(), 780.into()]));
    let rows: Vec<_> = rows.into_iter().map(|row| (row.by, row.of)).collect();
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn the_mark_of_a_query_holds_until_its_partition_changes() {
    let (store, p) = (filled().await, partition("p"));
    let scope = Scope::Partition(p.clone());
    let mark = store.query(&scope, &Query::all()).await.unwrap().mark.unwrap();
    let ops = vec![Op::Unchanged { since: mark }, Op::put(id("new"), json("1"), IfAbsent)];
    store.batch(&p, ops.clone()).await.unwrap();
    assert_eq!(store.batch(&p, ops).await.unwrap_err().kind(), "conflict");
}
