//! The order of values in a sort.

use std::cmp::Ordering;

use serde_json::Value;

use crate::json::number_order;

/// The order of two values in an ascending sort, where missing ones count as
/// `null`: booleans, numbers by exact value, texts by Unicode scalar value,
/// lists, objects, then `null`.
///
/// ```
/// use ifmatch_meta::query::json_order;
/// use serde_json::json;
/// assert!(json_order(&json!(9), &json!("1")).is_lt());
/// assert!(json_order(&json!(1), &json!(1.0)).is_eq());
/// assert!(json_order(&json!([1, 2]), &json!([1])).is_gt());
/// ```
pub fn json_order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => number_order(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let parts = a.iter().zip(b).map(|(a, b)| json_order(a, b));
            first_of(parts).then(a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let parts = members(a).into_iter().zip(members(b));
            let parts = parts.map(|((a, x), (b, y))| a.cmp(b).then_with(|| json_order(x, y)));
            first_of(parts).then(a.len().cmp(&b.len()))
        }
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// The members of an object in order of their names, whatever its own order is.
pub(super) fn members(of: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = of.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

fn first_of(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}
