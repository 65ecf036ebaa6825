//! When two JSON values are equal, and which of two numbers is the larger one.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Whether two values are equal: numbers by exact value (`1` equals `1.0`,
/// whole numbers above 2^53 exactly), texts by their characters, lists and
/// objects by their members, different types never. `null` equals `null` here;
/// where a null must match nothing the caller says so.
pub fn json_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => number_order(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| json_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The order of two numbers by exact value.
pub(crate) fn number_order(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => whole_to_float(a, float(b)),
        (None, Some(b)) => whole_to_float(b, float(a)).reverse(),
        (None, None) => float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal),
    }
}

/// The number as a whole number, where it is one below 2^126.
pub(crate) fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    let float = number.as_f64()?;
    // Below 2^126 the conversion is exact; above, both sides are floats.
    #[allow(clippy::cast_possible_truncation)]
    (float.fract() == 0.0 && float.abs() < BEYOND).then_some(float as i128)
}

/// 2^126.
#[allow(clippy::cast_precision_loss)] // A power of two is exact.
const BEYOND: f64 = (1_u64 << 63) as f64 * (1_u64 << 63) as f64;

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// A whole number below 2^126 against a float that is not whole or not below it.
fn whole_to_float(whole: i128, float: f64) -> Ordering {
    if float.abs() >= BEYOND {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    // It has a fraction, so it is below 2^53: its floor is exact.
    #[allow(clippy::cast_possible_truncation)]
    let floor = float.floor() as i128;
    if whole <= floor { Ordering::Less } else { Ordering::Greater }
}
