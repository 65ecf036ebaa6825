use proptest::prelude::*;
use serde_json::json;

use super::*;

fn sum(values: &[Value]) -> Value {
    let mut sum = Sum::default();
    for value in values {
        if let Value::Number(number) = value {
            sum.add(number);
        }
    }
    sum.value()
}

#[test]
fn sums_are_whole_where_they_can_be_and_else_the_nearest_float() {
    let max = f64::MAX;
    for (values, expected) in [
        (vec![], json!(null)),
        (vec![json!(1), json!(2.0)], json!(3)),
        (vec![json!(-0.0)], json!(0)),
        (vec![json!(i64::MAX), json!(1)], json!(9_223_372_036_854_775_808_u64)),
        (vec![json!(u64::MAX), json!(1)], json!(18_446_744_073_709_551_616.0)),
        (
            vec![json!(u64::MAX), json!(u64::MAX), json!(-1), json!(i64::MIN), json!(i64::MIN)],
            json!(u64::MAX - 2),
        ),
        (vec![json!(i64::MIN), json!(-1)], json!(-9_223_372_036_854_775_808.0)),
        (vec![json!(0.1), json!(0.2)], json!(0.300_000_000_000_000_04)),
        (vec![json!(0.1); 10], json!(1.0)),
        (vec![json!(1.5), json!(1.5)], json!(3.0)),
        (vec![json!(1e300), json!(1), json!(-1e300)], json!(1)),
        (vec![json!(1e300), json!(0.5), json!(-1e300)], json!(0.5)),
        (vec![json!(5e-324), json!(5e-324)], json!(1e-323)),
        (vec![json!(5e-324), json!(-5e-324)], json!(0.0)),
        (vec![json!(max), json!(max), json!(-max)], json!(max)),
        (vec![json!(max), json!(max)], json!(max)),
        (vec![json!(-max), json!(-max)], json!(-max)),
        (vec![json!(9_007_199_254_740_993_u64), json!(0.5)], json!(9_007_199_254_740_994.0)),
        (
            vec![json!(9_007_199_254_740_992_u64), json!(1), json!(0.0), json!(0.25), json!(-0.25)],
            json!(9_007_199_254_740_992.0),
        ),
    ] {
        let found = sum(&values);
        assert_eq!(found, expected, "{values:?}");
        let reversed: Vec<Value> = values.into_iter().rev().collect();
        assert_eq!(sum(&reversed), found);
    }
}

#[test]
fn many_numbers_overflow_nothing() {
    let mut exact = Exact::default();
    for _ in 0..100_000 {
        exact.add(u64::MAX.into(), 31, false);
    }
    exact.settle();
    for _ in 0..100_000 {
        exact.add(u64::MAX.into(), 31, true);
    }
    exact.settle();
    assert!(exact.magnitude().top().is_none());
}

proptest! {
    #[test]
    fn one_number_is_its_own_sum(float in any::<f64>().prop_filter("finite", |f| f.is_finite())) {
        let mut exact = Exact::default();
        exact.add_float(float);
        prop_assert!(exact.magnitude().nearest().total_cmp(&(float + 0.0)).is_eq());
    }

    #[test]
    fn two_floats_add_as_the_machine_adds(a in any::<f64>(), b in any::<f64>(), near: bool) {
        let b = if near { a * (1.0 + b.fract() / 1e15) } else { b };
        prop_assume!(a.is_finite() && b.is_finite() && (a + b).is_finite());
        let mut exact = Exact::default();
        exact.add_float(a);
        exact.add_float(b);
        prop_assert!(exact.magnitude().nearest().total_cmp(&(a + b + 0.0)).is_eq());
    }

    #[test]
    fn whole_numbers_add_as_wide_integers_do(all in prop::collection::vec(any::<i64>(), 1..20)) {
        let exact: i128 = all.iter().map(|n| i128::from(*n)).sum();
        let found = sum(&all.iter().map(|n| json!(n)).collect::<Vec<_>>());
        #[allow(clippy::cast_precision_loss)] // The nearest float is meant.
        let expected = i64::try_from(exact).map(Value::from)
            .or_else(|_| u64::try_from(exact).map(Value::from))
            .unwrap_or_else(|_| json!(exact as f64));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_small_part_decides_a_tie(whole in (1_u64 << 53)..(1 << 54), tiny in 1e-300..0.4_f64, up: bool) {
        let tiny = if up { tiny } else { -tiny };
        let found = sum(&[json!(whole), json!(tiny)]);
        let even = whole & !1;
        let expected = if whole & 1 == 1 && up { even + 2 } else { even };
        #[allow(clippy::cast_precision_loss)] // It is even: exact.
        let expected = expected as f64;
        prop_assert_eq!(found, json!(expected));
    }
}
