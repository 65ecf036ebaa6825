//! Sums without rounding on the way.

use serde_json::{Number, Value};

use crate::json::whole;

/// The exact sum of any numbers: the order in which they come changes nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    any: bool,
    /// Whether one of them had a fraction.
    fraction: bool,
    /// Of the whole numbers below 2^64: 2^63 of them fit.
    whole: i128,
    /// Of all others.
    rest: Option<Box<Exact>>,
}

impl Sum {
    pub(super) fn add(&mut self, number: &Number) {
        self.any = true;
        match whole(number) {
            Some(whole) if whole.unsigned_abs() <= 1 << 64 => self.whole += whole,
            found => {
                self.fraction |= found.is_none() && has_fraction(number);
                let float = number.as_f64().unwrap_or_default();
                self.rest.get_or_insert_default().add_float(float);
            }
        }
    }

    /// Whole where all were whole and it fits an i64 or a u64, else the nearest
    /// f64, ties to even, and at most the largest there is; `null` of none.
    pub(super) fn value(self) -> Value {
        if !self.any {
            return Value::Null;
        }
        let mut exact = self.rest.unwrap_or_default();
        exact.add_whole(self.whole);
        let exact = exact.magnitude();
        if !self.fraction
            && let Some(whole) = exact.whole()
        {
            if let Ok(whole) = i64::try_from(whole) {
                return whole.into();
            }
            if let Ok(whole) = u64::try_from(whole) {
                return whole.into();
            }
        }
        exact.nearest().into()
    }
}

fn has_fraction(number: &Number) -> bool {
    number.as_f64().is_some_and(|float| float.fract() != 0.0)
}

/// Digits of 32 bits: enough for 2^-1074 to 2^1024, and for carries beyond.
const DIGITS: usize = 70;
/// The weight of the lowest bit is 2^-LOWEST: that of the smallest f64.
const LOWEST: usize = 1_074;

/// A number in fixed point. A digit is signed, and holds what was added to it;
/// carries are settled before one could overflow.
#[derive(Clone, Debug)]
struct Exact {
    digits: [i64; DIGITS],
    added: u32,
}

impl Default for Exact {
    fn default() -> Self {
        Self { digits: [0; DIGITS], added: 0 }
    }
}

impl Exact {
    /// Adds a float that is finite.
    fn add_float(&mut self, float: f64) {
        let bits = float.to_bits();
        let (exponent, fraction) = ((bits >> 52 & 0x7ff) as usize, bits & ((1 << 52) - 1));
        // Subnormals have the exponent of the smallest normal number.
        let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        self.add(mantissa.into(), exponent.max(1) - 1, bits >> 63 == 1);
    }

    fn add_whole(&mut self, whole: i128) {
        let magnitude = whole.unsigned_abs();
        self.add(magnitude & u128::from(u64::MAX), LOWEST, whole < 0);
        self.add(magnitude >> 64, LOWEST + 64, whole < 0);
    }

    /// Adds `magnitude`, of at most 64 bits, times 2^(shift - LOWEST).
    fn add(&mut self, magnitude: u128, shift: usize, negative: bool) {
        let mut left = magnitude << (shift % 32);
        for digit in self.digits.iter_mut().skip(shift / 32) {
            if left == 0 {
                break;
            }
            #[allow(clippy::cast_possible_truncation)] // These 32 bits are meant.
            let part = i64::from(left as u32);
            *digit += if negative { -part } else { part };
            left >>= 32;
        }
        self.added += 1;
        if self.added == 1 << 30 {
            self.settle();
        }
    }

    /// Leaves digits of 0 to 2^32 - 1; the last one carries the sign.
    fn settle(&mut self) {
        self.added = 0;
        let mut carry = 0;
        for digit in &mut self.digits[..DIGITS - 1] {
            let sum = *digit + carry;
            *digit = sum & 0xffff_ffff;
            carry = sum >> 32;
        }
        self.digits[DIGITS - 1] += carry;
    }

    fn magnitude(mut self) -> Magnitude {
        self.settle();
        let negative = self.digits[DIGITS - 1] < 0;
        if negative {
            self.digits.iter_mut().for_each(|digit| *digit = -*digit);
            self.settle();
        }
        Magnitude { negative, digits: self.digits }
    }
}

/// Sign and settled digits.
struct Magnitude {
    negative: bool,
    digits: [i64; DIGITS],
}

impl Magnitude {
    /// The number, where it is whole and below 2^96 or so.
    fn whole(&self) -> Option<i128> {
        let Some(top) = self.top() else { return Some(0) };
        if top >= LOWEST + 96 || (0..LOWEST).any(|at| self.bit(at)) {
            return None;
        }
        let bits = (LOWEST..=top).filter(|at| self.bit(*at));
        let magnitude: i128 = bits.map(|at| 1 << (at - LOWEST)).sum();
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The nearest f64, ties to even.
    fn nearest(&self) -> f64 {
        let Some(top) = self.top() else { return 0.0 };
        // The lowest bit of the mantissa: 52 below the top, or the smallest.
        let low = top.saturating_sub(52);
        let mut mantissa: u64 =
            (low..=top).rev().fold(0, |sum, at| sum << 1 | u64::from(self.bit(at)));
        let half = low > 0 && self.bit(low - 1);
        let beyond = half && (0..low - 1).any(|at| self.bit(at));
        if half && (beyond || mantissa & 1 == 1) {
            mantissa += 1;
        }
        // Of a subnormal the exponent is 0; else the mantissa's top bit adds the
        // one that is missing here, and a carry out of it another.
        let bits = ((low as u64) << 52).saturating_add(mantissa);
        let magnitude = f64::from_bits(bits.min(f64::MAX.to_bits()));
        if self.negative { -magnitude } else { magnitude }
    }

    fn top(&self) -> Option<usize> {
        (0..DIGITS * 32).rev().find(|at| self.bit(*at))
    }

    fn bit(&self, at: usize) -> bool {
        self.digits[at / 32] >> (at % 32) & 1 == 1
    }
}

#[cfg(test)]
#[path = "sum_tests.rs"]
mod tests;
