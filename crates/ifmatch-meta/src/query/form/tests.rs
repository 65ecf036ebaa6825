use serde_json::json;

use crate::query::{AggregateOf, Aggregation, Filter, Query, Sort, field};

#[test]
fn every_filter_reads_back_from_the_json_that_the_documentation_shows() {
    for (filter, json) in [
        (Filter::Everything, json!({})),
        (
            field("/a").exists() & field("/b").is_null(),
            json!({"and": [{"field": "/a", "op": "exists"}, {"field": "/b", "op": "is_null"}]}),
        ),
        (Filter::Or(vec![]), json!({"or": []})),
        (!field("/a").is_na(), json!({"not": {"field": "/a", "op": "is_na"}})),
        (field("/a").gt(1), json!({"field": "/a", "op": "gt", "value": 1})),
        (field("/a").eq(1.0), json!({"field": "/a", "op": "eq", "value": 1.0})),
        (field("@id").starts_with("x"), json!({"field": "@id", "op": "starts_with", "value": "x"})),
        (
            field("").contains(json!({"é": [null]})),
            json!({"field": "", "op": "contains", "value": {"é": [null]}}),
        ),
        (field("/a").one_of([1, 2]), json!({"field": "/a", "op": "in", "values": [1, 2]})),
        (field("/a").none_of(["x"]), json!({"field": "/a", "op": "not_in", "values": ["x"]})),
        (field("/a").regex("^a"), json!({"field": "/a", "op": "regex", "value": "^a"})),
        (
            field("/a").length().gte(3),
            json!({"field": "/a", "op": "length", "is": "gte", "value": 3}),
        ),
        (
            field("/tags").any(field("").eq("x")),
            json!({"field": "/tags", "any": {"field": "", "op": "eq", "value": "x"}}),
        ),
        (
            field("/tags").all(field("/k~0~1").ne(u64::MAX)),
            json!({"field": "/tags", "all": {"field": "/k~0~1", "op": "ne", "value": u64::MAX}}),
        ),
    ] {
        assert_eq!(serde_json::to_value(&filter).unwrap(), json);
        assert_eq!(json.to_string().parse::<Filter>().unwrap(), filter);
        assert_eq!(serde_json::from_value::<Filter>(json).unwrap(), filter);
    }
}

#[test]
fn what_is_no_filter_is_told_by_name() {
    for (text, expected) in [
        (r#"{"field":"/a","op":"near","value":1}"#, "/a near: no such operator"),
        (r#"{"field":"/a","op":"gt","value":1,"or":[]}"#, "/a gt: unknown member \"or\""),
        (r#"{"field":"/a","op":"gt"}"#, "/a gt: no \"value\""),
        (r#"{"field":"/a","op":"in","value":[1]}"#, "/a in: no \"values\""),
        (r#"{"field":"/a","op":"in","values":"abc"}"#, "/a in: values: \"abc\" is no list"),
        (r#"{"field":"/a","op":"regex","value":1}"#, "/a regex: 1 is no pattern"),
        (r#"{"field":"/a","op":"regex","value":"("}"#, "/a regex: "),
        (
            r#"{"field":"/a","op":"length","is":"contains","value":1}"#,
            "/a length: is: \"contains\"",
        ),
        (r#"{"field":"/a","op":"length","is":"gt","value":-1}"#, "/a length: -1 is no length"),
        (r#"{"field":"/a","op":"exists","value":1}"#, "/a exists: unknown member \"value\""),
        (r#"{"field":"/a","op":"eq","value":null}"#, "/a eq: null equals nothing"),
        (r#"{"field":"/a"}"#, "/a: no \"op\""),
        (r#"{"field":"/a","op":1}"#, "/a: op: 1 is no text"),
        (r#"{"field":1,"op":"eq"}"#, "field: 1 is no text"),
        (r#"{"field":"a","op":"exists"}"#, "a exists: neither a JSON pointer"),
        (r#"{"field":"/l","any":[]}"#, "a list is no object"),
        (r#"{"field":"/l","any":{},"all":{}}"#, "/l any: unknown member \"all\""),
        (r#"{"and":[],"or":[]}"#, "and: unknown member \"or\""),
        (r#"{"and":{}}"#, "and: an object is no list"),
        (r#"{"nor":[]}"#, "everything: unknown member \"nor\""),
        (r#"{"not":[]}"#, "a list is no object"),
        ("[]", "a list is no object"),
        ("null", "null is no object"),
        (r#"{"field":"/a","field":"/b","op":"exists"}"#, "\"field\" is there twice"),
        (r#"{"field":"/a","op":"exists"} x"#, "trailing characters"),
        (r#"{"field":"/a""#, "EOF"),
        ("", "EOF"),
    ] {
        let error = text.parse::<Filter>().unwrap_err();
        assert_eq!(error.kind(), "invalid", "{text}");
        assert!(error.to_string().contains(expected), "{text}: {error}");
        let other = serde_json::from_str::<Filter>(text).unwrap_err();
        assert!(text.ends_with('x') || other.to_string().contains(expected), "{text}: {other}");
    }
}

#[test]
fn w21_filters_of_any_size_are_refused_at_once_and_by_type() {
    let many = |count: usize| {
        let one = r#"{"field":"/a","op":"eq","value":1}"#;
        format!("{{\"or\":[{}]}}", vec![one; count].join(","))
    };
    assert!(many(999).parse::<Filter>().is_ok());
    assert_eq!(many(10_000).parse::<Filter>().unwrap_err().kind(), "too_large");
    assert_eq!(many(1_000_000).parse::<Filter>().unwrap_err().kind(), "invalid");
    let deep = |depth: usize, open: &str, close: &str| {
        format!("{}{{}}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in
        [("{\"not\":", "}"), ("{\"and\":[", "]}"), ("{\"field\":\"/a\",\"any\":", "}")]
    {
        assert!(deep(62, open, close).parse::<Filter>().is_ok());
        for depth in [64, 128, 10_000, 1_000_000] {
            let error = deep(depth, open, close).parse::<Filter>().unwrap_err();
            assert_eq!(error.kind(), "invalid");
        }
        assert!(serde_json::from_str::<Filter>(&deep(10_000, open, close)).is_err());
    }
    let constant =
        format!("{{\"field\":\"/a\",\"op\":\"eq\",\"value\":{}}}", deep(10_000, "[", "]"));
    assert_eq!(constant.parse::<Filter>().unwrap_err().kind(), "invalid");
}

#[test]
fn queries_and_aggregations_have_a_json_form() {
    let text = json!({
        "filter": {"field": "/a", "op": "gt", "value": 1}, "sort": ["-/a", "@updated_at"],
        "limit": 5, "offset": 2, "fields": ["/a"],
    });
    let query: Query = serde_json::from_value(text.clone()).unwrap();
    let fields = crate::projection::Projection::new(["/a"]).unwrap();
    let same = Query::filter(field("/a").gt(1)).sort("-/a").sort("@updated_at").limit(5).offset(2);
    assert_eq!(query, same.fields(fields));
    assert_eq!(serde_json::to_value(&query).unwrap(), text);
    assert_eq!(serde_json::from_str::<Query>("{}").unwrap(), Query::all());
    for text in [
        r#"{"where":{}}"#,
        r#"{"sort":["a"]}"#,
        r#"{"sort":["--/a"]}"#,
        r#"{"filter":{"x":1}}"#,
        r#"{"after":"x"}"#,
        r#"{"fields":["a"]}"#,
    ] {
        assert!(serde_json::from_str::<Query>(text).is_err(), "{text}");
    }
    let text = json!({
        "filter": {}, "by": ["/g"], "of": ["count", {"sum": "/a"}, {"min": "/a"}, {"max": "@id"}],
        "limit": 3,
    });
    let of: Aggregation = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(of.of[1], AggregateOf::Sum("/a".parse().unwrap()));
    assert_eq!(serde_json::to_value(&of).unwrap(), text);
    assert!(serde_json::from_value::<Aggregation>(json!({"of": [{"avg": "/a"}]})).is_err());
    assert!(serde_json::from_value::<Aggregation>(json!({"of": [{"sum": "a"}]})).is_err());
}

#[test]
fn a_sort_is_its_field_and_a_minus_where_it_descends() {
    for text in ["/a", "-/a", "@updated_at", "-@id", "", "-", "/-", "-/é~1"] {
        assert_eq!(text.parse::<Sort>().unwrap().to_string(), text);
    }
    for text in ["a", "+/a", "--/a", "@size", "/a~"] {
        assert_eq!(text.parse::<Sort>().unwrap_err().kind(), "invalid", "{text}");
    }
}
