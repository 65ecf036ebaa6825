use ifmatch_core::{Simulation, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::etag::ETag;
use crate::json::Json;
use crate::key::DocKey;
use crate::query::{FieldExpr, field};

fn document(body: &Value) -> Document {
    Document {
        key: DocKey::new("p%", "a_1").unwrap(),
        etag: ETag::mint(1, &Simulation::seeded(1).env()),
        body: Json::of(body).unwrap(),
        created_at: Timestamp::from_micros(1_700_000_000_000_000),
        updated_at: Timestamp::from_micros(1_700_000_001_000_000),
        updated_by: None,
    }
}

fn truth(filter: &Filter, body: &Value) -> Option<bool> {
    filter.prepare().unwrap().evaluate(&document(body)).unwrap()
}

const T: Option<bool> = Some(true);
const F: Option<bool> = Some(false);
const U: Option<bool> = None;

#[test]
fn s15_comparisons_of_one_type_are_true_or_false_and_of_two_unknown() {
    let order = [Comparison::Eq, Comparison::Ne, Comparison::Gt, Comparison::Gte];
    for (value, constant, [eq, ne, gt, gte]) in [
        (json!(1), json!(1.0), [T, F, F, T]),
        (json!(-0.0), json!(0), [T, F, F, T]),
        (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), [F, T, T, T]),
        (json!(u64::MAX), json!(18_446_744_073_709_551_616.0), [F, T, F, F]),
        (json!(i64::MIN), json!(-9_223_372_036_854_775_808.0), [T, F, F, T]),
        (json!(0.1), json!(0), [F, T, T, T]),
        (json!(-0.1), json!(0), [F, T, F, F]),
        (json!(1e300), json!(u64::MAX), [F, T, T, T]),
        (json!(-1e300), json!(i64::MIN), [F, T, F, F]),
        (json!(5e-324), json!(0.0), [F, T, T, T]),
        (json!("b"), json!("B"), [F, T, T, T]),
        (json!("\u{1f600}"), json!("\u{ffff}"), [F, T, T, T]),
        (json!("é"), json!("e\u{301}"), [F, T, T, T]),
        (json!(""), json!(""), [T, F, F, T]),
        (json!(true), json!(false), [F, T, T, T]),
        (json!([1, null]), json!([1.0, null]), [T, F, U, U]),
        (json!([1]), json!([2]), [F, T, U, U]),
        (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1.0}), [T, F, U, U]),
        (json!(1), json!(true), [U; 4]),
        (json!(5), json!("5"), [U; 4]),
        (json!([]), json!({}), [U; 4]),
        (json!(null), json!(1), [U; 4]),
    ] {
        for (comparison, expected) in order.into_iter().zip([eq, ne, gt, gte]) {
            let filter = field("/x").compare(comparison, constant.clone());
            assert_eq!(truth(&filter, &json!({ "x": value })), expected, "{value} {filter:?}");
            let not = truth(&!filter, &json!({ "x": value }));
            assert_eq!(not, expected.map(|truth| !truth));
        }
        let less = |filter| truth(&filter, &json!({ "x": value }));
        assert_eq!(less(field("/x").lt(constant.clone())), gte.map(|truth| !truth), "{value}");
        assert_eq!(less(field("/x").lte(constant.clone())), gt.map(|truth| !truth), "{value}");
        assert_eq!(truth(&field("/y").eq(constant), &json!({})), U);
    }
}

#[test]
fn w17_texts_have_no_wildcards_and_keep_their_case() {
    for (filter, expected) in [
        (field("/t").contains("app"), F),
        (field("/t").contains("pple%"), T),
        (field("/t").contains("_"), F),
        (field("/t").contains(""), T),
        (field("/t").contains(1), U),
        (field("/t").starts_with("A"), T),
        (field("/t").starts_with("A_"), F),
        (field("/t").ends_with("%x"), T),
        (field("/t").ends_with("x\\"), F),
        (field("/n").contains("1"), U),
        (field("/n").starts_with("1"), U),
        (field("/l").contains("c1"), F),
        (field("/l").contains("c10"), T),
        (field("/l").contains(json!([1.0])), T),
        (field("/l").starts_with("c"), U),
        (field("/t").regex("^A.*%"), T),
        (field("/t").regex("^a"), F),
        (field("/t").regex("(?i)^a"), T),
        (field("/n").regex("."), U),
        (field("/none").regex("."), U),
        (field("/t").length().eq(7), T),
        (field("/u").length().eq(3), T),
        (field("/l").length().lt(2), F),
        (field("/n").length().eq(1), U),
        (field("/o").length().eq(0), U),
    ] {
        let body =
            json!({"t": "Apple%x", "n": 1, "l": ["c10", [1]], "u": "e\u{301}\u{1f600}", "o": {}});
        assert_eq!(truth(&filter, &body), expected, "{filter:?}");
    }
}

#[test]
fn presence_is_never_unknown() {
    let body = json!({"a": null, "b": 0, "": {"": 1}});
    let ask = |make: fn(FieldExpr) -> Filter, at: &str| truth(&make(field(at)), &body);
    for (at, exists, is_null, is_na) in [
        ("/a", T, T, T),
        ("/b", T, F, F),
        ("/c", F, F, T),
        ("/b/c", F, F, T),
        ("//", T, F, F),
        ("", T, F, F),
        ("@id", T, F, F),
        ("@updated_by", F, F, T),
    ] {
        let all = [FieldExpr::exists, FieldExpr::is_null, FieldExpr::is_na].map(|op| ask(op, at));
        assert_eq!(all, [exists, is_null, is_na], "{at}");
    }
}

#[test]
fn one_of_is_kleenes_or_of_equalities() {
    for (value, values, expected) in [
        (json!(1), vec![json!(2), json!(1.0)], T),
        (json!(1), vec![json!("1"), json!(1)], T),
        (json!(1), vec![json!(2), json!(3)], F),
        (json!(1), vec![json!("1"), json!(2)], U),
        (json!(1), vec![], F),
        (json!(null), vec![], U),
        (json!(null), vec![json!(1)], U),
        (json!([1]), vec![json!([1])], T),
    ] {
        let body = json!({ "x": value });
        let one = truth(&field("/x").one_of(values.clone()), &body);
        assert_eq!(one, expected, "{value} {values:?}");
        let none = truth(&field("/x").none_of(values), &body);
        assert_eq!(none, expected.map(|truth| !truth));
    }
    assert_eq!(truth(&field("/x").none_of([1]), &json!({})), U);
}

#[test]
fn and_or_and_not_follow_kleene() {
    let of = |truth: Option<bool>| match truth {
        Some(true) => field("/n").eq(1),
        Some(false) => field("/n").eq(2),
        None => field("/n").eq("1"),
    };
    let body = json!({"n": 1});
    for a in [T, F, U] {
        for b in [T, F, U] {
            let and = if a == F || b == F {
                F
            } else if a == T && b == T {
                T
            } else {
                U
            };
            let or = if a == T || b == T {
                T
            } else if a == F && b == F {
                F
            } else {
                U
            };
            assert_eq!(truth(&(of(a) & of(b)), &body), and, "{a:?} and {b:?}");
            assert_eq!(truth(&(of(a) | of(b)), &body), or, "{a:?} or {b:?}");
        }
        assert_eq!(truth(&Filter::Not(Box::new(of(a))), &body), a.map(|truth| !truth));
    }
    assert_eq!(truth(&Filter::And(vec![]), &body), T);
    assert_eq!(truth(&Filter::Or(vec![]), &body), F);
    assert_eq!(truth(&Filter::Everything, &json!(null)), T);
}

#[test]
fn lists_are_kleenes_or_and_and_over_their_elements() {
    let small = || field("").lt(5);
    for (list, any, all) in [
        (json!([1, 9]), T, F),
        (json!([1, 2]), T, T),
        (json!([7, 8]), F, F),
        (json!([]), F, T),
        (json!([1, "x"]), T, U),
        (json!([9, "x"]), U, F),
        (json!([9, null]), U, F),
        (json!("15"), U, U),
        (json!({"0": 1}), U, U),
        (json!(null), U, U),
    ] {
        let body = json!({ "l": list });
        assert_eq!(truth(&field("/l").any(small()), &body), any, "{list}");
        assert_eq!(truth(&field("/l").all(small()), &body), all, "{list}");
    }
    let body = json!({"l": [{"k": "a", "v": [1, 2]}, {"k": "b", "v": [3]}]});
    let nested = |key: &str, value: i64| {
        field("/l").any(field("/k").eq(key) & field("/v").any(field("").eq(value)))
    };
    assert_eq!(truth(&nested("a", 2), &body), T);
    assert_eq!(truth(&nested("a", 3), &body), F);
}

#[test]
fn fields_of_the_document_are_texts() {
    for (filter, expected) in [
        (field("@id").eq("a_1"), T),
        (field("@id").starts_with("a%"), F),
        (field("@partition").ends_with("%"), T),
        (field("@created_at").eq("2023-11-14T22:13:20.000000Z"), T),
        (field("@updated_at").gt("2023-11-14T22:13:20.999999Z"), T),
        (field("@updated_by").eq("me"), U),
        (field("@etag").regex("^\"1-[0-9a-f]{24}\"$"), T),
        (field("@id").eq(1), U),
        (field("@id").length().eq(3), T),
    ] {
        assert_eq!(truth(&filter, &json!(1)), expected, "{filter:?}");
    }
}
