use serde_json::json;

use super::*;
use crate::query::field;

fn error(filter: &Filter) -> (&'static str, String) {
    let error = filter.validate().unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn what_makes_no_sense_is_told_by_field_and_operator() {
    let length = Filter::Length {
        field: Field::Body("/a".into()),
        comparison: Comparison::Contains,
        value: 1,
    };
    for (filter, start) in [
        (field("/a").gt(json!(null)), "/a gt: null equals nothing"),
        (field("/a").eq(json!(null)), "/a eq: null"),
        (field("/a").one_of([json!(1), json!(null)]), "/a in: null"),
        (field("/a").none_of([json!(null)]), "/a not_in: null"),
        (field("/a").starts_with(1), "/a starts_with: the value must be a text"),
        (field("/a").ends_with(json!([])), "/a ends_with: the value"),
        (field("/a").regex("("), "/a regex: "),
        (field("/a").regex("a{1000}{1000}"), "/a regex: a pattern that is too complex"),
        (field("/a").regex("x".repeat(1_001)), "/a regex: a pattern longer"),
        (field("/a").regex("(?=x)"), "/a regex: "),
        (field("a").exists(), "a exists: neither"),
        (field("/a~2").exists(), "/a~2 exists: neither"),
        (field("@size").exists(), "@size exists: neither"),
        (field("/l").any(field("@id").eq("x")), "@id eq: an element"),
        (field("@id").any(field("/a").any(field("@id").eq("x"))), "@id eq: an element"),
        (field("/l").all(field("l").eq("x")), "l eq: neither"),
        (field("/a").eq("\0"), "/a eq: U+0000"),
        (field("/a").eq(json!({"\0": 1})), "/a eq: U+0000"),
        (length, "/a length: no comparison of lengths: contains"),
    ] {
        let (kind, text) = error(&filter);
        assert_eq!(kind, "invalid", "{text}");
        assert!(text.contains(&format!("filter: {start}")), "{text}");
        assert!(!text.contains('\n'), "{text}");
        let inside = field("/b").exists() & !(Filter::Or(vec![filter]));
        assert_eq!(error(&inside).1, text);
    }
    assert_eq!(error(&field("/a\0").exists()).0, "invalid");
}

#[test]
fn filters_beyond_the_caps_are_refused_at_once() {
    let nested = |depth: usize| {
        (1..depth).fold(field("/a").exists(), |inner, _| Filter::Not(Box::new(inner)))
    };
    assert!(nested(64).validate().is_ok());
    assert_eq!(error(&nested(65)).0, "invalid");
    assert_eq!(error(&nested(10_000)).0, "invalid");
    let wide = |count: usize| Filter::Or(vec![field("/a").eq(1); count - 1]);
    assert!(wide(1_000).validate().is_ok());
    assert_eq!(error(&wide(1_001)).0, "too_large");
    assert_eq!(error(&wide(100_000)).0, "too_large");
    assert!(field("/a").one_of(0..999).validate().is_ok());
    assert_eq!(error(&field("/a").one_of(0..1_000)).0, "too_large");
    assert_eq!(error(&field("/a").eq("x".repeat(1 << 20))).0, "too_large");
    assert_eq!(error(&field("/x".repeat(1 << 20)).exists()).0, "too_large");
    assert_eq!(error(&Filter::Or(vec![field("/a").regex("a"); 33])).0, "too_large");
    let deep = (0..129).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(error(&field("/a").eq(deep)).0, "invalid");
}

#[test]
fn a_deep_filter_of_all_kinds_is_refused_and_dropped() {
    let deep = (0..10_000).fold(field("/a").exists(), |inner, at| match at % 3 {
        0 => Filter::Not(Box::new(inner)),
        1 => Filter::And(vec![inner]),
        _ => field("/l").any(inner),
    });
    let query = crate::query::Query::filter(deep);
    assert_eq!(query.validate().unwrap_err().kind(), "invalid");
}
