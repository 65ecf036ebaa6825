use ifmatch_core::{Simulation, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::json::Json;
use crate::key::{DocKey, Partition};
use crate::scan::Scope;

fn document(partition: &str, id: &str, body: &Value) -> Document {
    Document {
        key: DocKey::internal(partition, id).unwrap(),
        etag: ETag::mint(1, &Simulation::seeded(1).env()),
        body: Json::of(body).unwrap(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        updated_by: None,
    }
}

fn in_order(documents: &[Document]) -> impl Iterator<Item = Result<&Document>> {
    documents.iter().map(Ok)
}

/// Documents whose ids are `a`, `b`, ... with these values of `/v`.
fn values(values: &[Value]) -> Vec<Document> {
    let body =
        |value: &Value| if *value == json!("missing") { json!({}) } else { json!({"v": value}) };
    let name = |at: usize| char::from(b'a' + u8::try_from(at).unwrap()).to_string();
    values.iter().enumerate().map(|(at, value)| document("p", &name(at), &body(value))).collect()
}

fn ids(page: &QueryPage) -> String {
    page.documents.iter().map(|document| document.key.id.as_str()).collect()
}

/// All pages of a query, as ids.
fn pages(query: &Query, documents: &[Document]) -> Vec<String> {
    let (mut pages, mut query) = (Vec::new(), query.clone());
    loop {
        let page = run(&Scope::All, &query, in_order(documents), None).unwrap();
        pages.push(ids(&page));
        // A token outlives the process.
        let Some(next) = page.next else { return pages };
        query = query.after(next.to_string().parse().unwrap());
    }
}

#[test]
fn pages_follow_each_other_in_the_order_of_the_sort() {
    let documents = values(&[
        json!(2),
        json!("missing"),
        json!(1.0),
        json!("x"),
        json!(1),
        json!(null),
        json!(true),
    ]);
    for (sort, expected) in [
        ("/v", "gceadbf"),
        ("-/v", "daceg".to_owned().as_str()),
        ("@id", "abcdefg"),
        ("-@id", "gfedcba"),
    ] {
        let query = Query::all().sort(sort);
        let whole = pages(&query, &documents).concat();
        assert!(whole.starts_with(expected), "{sort}: {whole}");
        if sort == "-/v" {
            assert_eq!(whole, "dacegbf", "missing and null come last in either direction");
        }
        for limit in 1..8 {
            let parts = pages(&query.clone().limit(limit), &documents);
            assert_eq!(parts.concat(), whole, "{sort} {limit}");
            assert!(parts.iter().rev().skip(1).all(|page| page.len() == limit), "{parts:?}");
            assert!(!parts.last().unwrap().is_empty());
        }
    }
    assert_eq!(pages(&Query::all().limit(3), &documents), ["abc", "def", "g"]);
    let two = Query::all().sort("-/none").sort("-/v");
    assert_eq!(pages(&two.limit(4), &documents), ["dace", "gbf"]);
}

#[test]
fn an_offset_is_left_out_once() {
    let documents = values(&[json!(3), json!(1), json!(2), json!(4)]);
    for (query, expected) in [
        (Query::all().offset(1).limit(2), vec!["bc", "d"]),
        (Query::all().sort("/v").offset(1).limit(2), vec!["ca", "d"]),
        (Query::all().sort("/v").offset(4), vec![""]),
        (Query::all().offset(9).limit(1), vec![""]),
        (Query::all().offset(usize::MAX).limit(usize::MAX).sort("/v"), vec![""]),
        (Query::filter(field("/v").gt(1)).sort("-/v").offset(1).limit(1), vec!["a", "c"]),
    ] {
        assert_eq!(pages(&query, &documents), expected, "{query:?}");
    }
}

#[test]
fn a_page_without_a_sort_reads_no_more_than_it_needs() {
    let documents = values(&vec![json!(1); 20]);
    let read = std::cell::Cell::new(0);
    let counted = documents.iter().map(|document| {
        read.set(read.get() + 1);
        Ok(document)
    });
    let page = run(&Scope::All, &Query::all().limit(3), counted, None).unwrap();
    assert_eq!((ids(&page).as_str(), read.get()), ("abc", 4));
}

#[test]
fn a_page_ends_after_four_mebibytes_sorted_or_not() {
    let body = json!({"v": 1, "x": "x".repeat((1 << 20) - 100)});
    let documents: Vec<_> =
        ["a", "b", "c", "d", "e", "f"].map(|id| document("p", id, &body)).into();
    // Just below 1 MiB each: the fifth passes the limit, and is the last.
    for query in [Query::all(), Query::all().sort("/v"), Query::all().sort("/v").offset(0)] {
        assert_eq!(pages(&query, &documents), ["abcde", "f"]);
        let mut collector = query.plan(&Scope::All).unwrap().collector(Given::Unordered);
        for document in documents.iter().rev() {
            assert!(collector.push(document).unwrap().is_continue());
        }
        let page = collector.finish(None).unwrap();
        assert_eq!((ids(&page).as_str(), page.next.is_some()), ("abcde", true));
    }
    assert_eq!(pages(&Query::all().sort("/v").offset(2), &documents), ["cdef"]);
    let fields = Query::all().fields(crate::projection::Projection::new(["/v"]).unwrap());
    let page = run(&Scope::All, &fields, in_order(&documents), None).unwrap();
    assert_eq!((page.documents.len(), page.documents[0].body.as_str()), (5, r#"{"v":1}"#));
}

#[test]
fn names_of_ours_and_other_partitions_are_left_out() {
    let documents = [
        document("ifmatch.x", "a", &json!(1)),
        document("p", "b", &json!(1)),
        document("p", "ifmatch.c", &json!(1)),
        document("q", "d", &json!(1)),
    ];
    let of = |scope: &Scope| {
        let page = run(scope, &Query::all(), in_order(&documents), None).unwrap();
        assert_eq!(
            count(scope, &Filter::Everything, in_order(&documents)).unwrap(),
            page.documents.len() as u64
        );
        let rows = aggregate(scope, &Aggregation::of([AggregateOf::Count]), in_order(&documents));
        assert_eq!(rows.unwrap()[0].of, [json!(page.documents.len())]);
        ids(&page)
    };
    assert_eq!(of(&Scope::All), "bd");
    assert_eq!(of(&Scope::Partition(Partition::new("p").unwrap())), "b");
    assert_eq!(of(&Scope::Partition(Partition::internal("ifmatch.x").unwrap())), "a");
}

#[test]
fn a_token_is_good_for_its_own_query_only() {
    let documents = values(&[json!(1), json!(2), json!(3)]);
    let query = Query::filter(field("/v").gt(0)).sort("/v").limit(1);
    let one = Scope::Partition(Partition::new("p").unwrap());
    let token = run(&Scope::All, &query, in_order(&documents), None).unwrap().next.unwrap();
    let kind = |query: Query, scope: &Scope| query.plan(scope).map_or_else(|e| e.kind(), |_| "ok");
    let fields = crate::projection::Projection::new(["/v"]).unwrap();
    for (other, expected) in [
        (query.clone(), "ok"),
        (query.clone().limit(7).fields(fields), "ok"),
        (query.clone().sort("/w"), "invalid"),
        (Query::filter(query.filter.clone()), "invalid"),
        (Query { filter: field("/v").gt(1), ..query.clone() }, "invalid"),
        (Query { filter: field("/v").gte(0), ..query.clone() }, "invalid"),
        (Query::all().sort("/v"), "invalid"),
        (Query::filter(query.filter.clone()).sort("-/v"), "invalid"),
    ] {
        assert_eq!(kind(other.clone().after(token.clone()), &Scope::All), expected, "{other:?}");
    }
    assert_eq!(kind(query.clone().after(token.clone()), &one), "invalid");
    let both = Query { offset: 1, ..query.after(token) };
    assert_eq!(both.validate().unwrap_err().kind(), "invalid");
}

#[test]
fn a_query_that_makes_no_sense_is_invalid() {
    for query in [
        Query::all().limit(0),
        Query::all().sort("v"),
        Query::all().sort("-@size"),
        (0..9).fold(Query::all(), |query, _| query.sort("/v")),
        Query::filter(field("/v").eq(Value::Null)),
    ] {
        assert_eq!(query.validate().unwrap_err().kind(), "invalid", "{query:?}");
        assert_eq!(query.plan(&Scope::All).unwrap_err().kind(), "invalid");
    }
    let by = |count| Aggregation::default().by(vec![Field::Id; count]);
    for of in [
        by(9),
        by(1).limit(0),
        Aggregation::of(vec![AggregateOf::Count; 33]),
        Aggregation::of([AggregateOf::Sum(Field::Body("v".into()))]),
        by(1).filter(field("v").exists()),
    ] {
        assert_eq!(of.validate().unwrap_err().kind(), "invalid", "{of:?}");
    }
}

#[test]
fn groups_are_by_exact_value_and_in_order() {
    let documents: Vec<_> = [
        json!({"g": 1, "n": 1}),
        json!({"g": 1.0, "n": 2.5}),
        json!({"g": "1", "n": "x"}),
        json!({"g": null, "n": 3}),
        json!({"n": 4}),
        json!({"g": true, "n": null}),
        json!({"g": [1.0]}),
        json!({"g": 9_007_199_254_740_993_u64, "n": -0.0}),
        json!({"g": 9_007_199_254_740_992.0, "n": [2]}),
    ]
    .iter()
    .enumerate()
    .map(|(at, body)| document("p", &at.to_string(), body))
    .collect();
    let n = || Field::Body("/n".into());
    let of = Aggregation::of([
        AggregateOf::Count,
        AggregateOf::Sum(n()),
        AggregateOf::Min(n()),
        AggregateOf::Max(n()),
    ])
    .by([Field::Body("/g".into())]);
    let null = Value::Null;
    let expected = [
        (json!(true), [json!(1), null.clone(), null.clone(), null.clone()]),
        (json!(1), [json!(2), json!(3.5), json!(1), json!(2.5)]),
        (json!(9_007_199_254_740_992_u64), [json!(1), null.clone(), json!([2]), json!([2])]),
        (json!(9_007_199_254_740_993_u64), [json!(1), json!(0), json!(0), json!(0)]),
        (json!("1"), [json!(1), null.clone(), json!("x"), json!("x")]),
        (json!([1]), [json!(1), null.clone(), null.clone(), null.clone()]),
        (null.clone(), [json!(2), json!(7), json!(3), json!(4)]),
    ];
    let rows = aggregate(&Scope::All, &of, in_order(&documents)).unwrap();
    let found: Vec<_> =
        rows.into_iter().map(|row| (row.by[0].clone(), row.of.try_into().unwrap())).collect();
    assert_eq!(found, expected);
    let back = documents.iter().rev().map(Ok);
    assert_eq!(aggregate(&Scope::All, &of, back).unwrap().len(), 7);
    assert!(aggregate(&Scope::All, &of.clone().limit(7), in_order(&documents)).is_ok());
    let few = aggregate(&Scope::All, &of.limit(6), in_order(&documents)).unwrap_err();
    assert_eq!(few.kind(), "too_large");
    let none = Aggregation::of([AggregateOf::Count, AggregateOf::Sum(n())]);
    let rows = aggregate(&Scope::All, &none, in_order(&[])).unwrap();
    assert_eq!(rows, [AggregateRow { by: vec![], of: vec![json!(0), null] }]);
    assert!(aggregate(&Scope::All, &none.by([n()]), in_order(&[])).unwrap().is_empty());
}

#[test]
fn what_the_iterator_says_is_passed_on() {
    let failing = || [Err::<Document, Error>(Error::closed("the store"))];
    assert_eq!(run(&Scope::All, &Query::all(), failing(), None).unwrap_err().kind(), "closed");
    assert_eq!(count(&Scope::All, &Filter::Everything, failing()).unwrap_err().kind(), "closed");
    let of = Aggregation::of([AggregateOf::Count]);
    assert_eq!(aggregate(&Scope::All, &of, failing()).unwrap_err().kind(), "closed");
}
