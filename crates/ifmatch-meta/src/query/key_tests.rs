use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::query::order::json_order;

fn bytes(value: &Value, order: SortOrder) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_sorted(Some(value), order, &mut bytes);
    bytes
}

fn agree(a: &Value, b: &Value) {
    let expected = json_order(a, b);
    assert_eq!(json_order(b, a), expected.reverse(), "{a} {b}");
    let up = [a, b].map(|value| bytes(value, SortOrder::Ascending));
    assert_eq!(up[0].cmp(&up[1]), expected, "{a} {b}");
    assert!(expected.is_eq() || !up[1].starts_with(&up[0]), "{a} begins {b}");
    let down = [a, b].map(|value| bytes(value, SortOrder::Descending));
    let reversed = match (a.is_null(), b.is_null()) {
        (false, false) => expected.reverse(),
        _ => expected, // Last in either direction.
    };
    assert_eq!(down[0].cmp(&down[1]), reversed, "descending {a} {b}");
    assert!(expected.is_eq() || !down[1].starts_with(&down[0]), "descending {a} begins {b}");
}

fn numbers() -> Vec<Value> {
    let mut floats = vec![0.0, -0.0, 0.1, 0.5, 1.5, 5e-324, 2.2e-308, f64::MAX, 1e22, 1e23];
    for power in [0, 1, 31, 52, 53, 54, 62, 63, 64, 65, 125, 126, 127, 200] {
        let exact = 2_f64.powi(power);
        floats.extend([exact, exact.next_up(), exact.next_down(), exact + 0.5]);
    }
    let mut all: Vec<Value> = floats.iter().flat_map(|f| [json!(f), json!(-f)]).collect();
    for power in [0, 1, 31, 52, 53, 54, 55, 60, 62, 63, 64] {
        let exact = 1_i128 << power;
        for away in [
            -2_049, -2_048, -1_025, -1_024, -1_023, -513, -3, -2, -1, 0, 1, 2, 3, 511, 1_024, 1_025,
        ] {
            for whole in [exact + away, -exact - away] {
                all.extend(i64::try_from(whole).map(Value::from));
                all.extend(u64::try_from(whole).map(Value::from));
            }
        }
    }
    all
}

#[test]
fn numbers_of_all_three_kinds_compare_by_exact_value() {
    let all = numbers();
    assert!(all.len() > 500);
    for a in &all {
        for b in &all {
            agree(a, b);
        }
    }
}

#[test]
fn values_of_all_types_compare_as_the_sort_says() {
    let in_order = [
        json!(false),
        json!(true),
        json!(-1),
        json!(0),
        json!(1e9),
        json!(""),
        json!("\u{1}"),
        json!("\u{1}\u{1}"),
        json!("A"),
        json!("a"),
        json!("a\u{1}"),
        json!("ab"),
        json!("e\u{301}"),
        json!("é"),
        json!("\u{d7ff}"),
        json!("\u{e000}"),
        json!("\u{ffff}"),
        json!("\u{10000}"),
        json!("\u{10ffff}"),
        json!([]),
        json!([false]),
        json!([1]),
        json!([1, 0]),
        json!([1, null]),
        json!([2]),
        json!([""]),
        json!(["", 1]),
        json!([[]]),
        json!([[], 1]),
        json!([{}]),
        json!([null]),
        json!([null, 1]),
        json!({}),
        json!({"": 0}),
        json!({"": 0, "a": 1}),
        json!({"": "x"}),
        json!({"a": 1}),
        json!({"a": 1, "b": 0}),
        json!({"a": 2}),
        json!({"a": null}),
        json!({"b": 0}),
        json!(null),
    ];
    for (i, a) in in_order.iter().enumerate() {
        for (j, b) in in_order.iter().enumerate() {
            assert_eq!(json_order(a, b), i.cmp(&j), "{a} {b}");
            agree(a, b);
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..3).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        prop::sample::select(numbers()),
        "[ab\u{1}é\u{10000}]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab]{0,2}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_two_values_compare_as_the_sort_says(a in values(), b in values()) {
        agree(&a, &b);
        agree(&a, &a);
    }
}
