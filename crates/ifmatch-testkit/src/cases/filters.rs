//! Filters that ask of these documents.

use fastrand::Rng;
use ifmatch_meta::query::field;
use ifmatch_meta::{Comparison, Document, Field, Filter, Quantifier};
use serde_json::Value;

use super::values::{Kind, neighbour, part, value_of};

const PATTERNS: &[&str] = &[
    "^a",
    "(?i)app",
    "%",
    "_",
    "\\.",
    "é",
    "^$",
    ".",
    "[[:upper:]]",
    "\\d+",
    "\\bapp\\b",
    "a|b",
    "(?s)^.{1,3}$",
    "\\p{L}",
    "a$",
    "^\\s",
    "[^a-z]",
    "(?m)^line2$",
    "\\\\",
    "^[0-9.]+$",
    "",
];
/// Places inside the elements of lists.
const ELEMENTS: &[&str] = &["", "/x", "/0", "/x/0", "/none", "/"];

/// What a generator of filters draws from.
pub(super) struct Source<'a> {
    pub(super) documents: &'a [Document],
    pub(super) fields: &'a [Field],
}

impl Source<'_> {
    pub(super) fn filter(&self, rng: &mut Rng) -> Filter {
        if rng.u8(..40) == 0 { Filter::Everything } else { self.nested(3, rng) }
    }

    fn nested(&self, depth: usize, rng: &mut Rng) -> Filter {
        if depth == 0 || rng.u8(..10) < 5 {
            return self.leaf(&self.field(rng), false, depth, rng);
        }
        match rng.u8(..5) {
            0 => Filter::Not(Box::new(self.nested(depth - 1, rng))),
            1 | 2 => Filter::And(self.several(depth, rng)),
            _ => Filter::Or(self.several(depth, rng)),
        }
    }

    fn several(&self, depth: usize, rng: &mut Rng) -> Vec<Filter> {
        let count = [0, 1, 2, 2, 2, 3][rng.usize(..6)];
        (0..count).map(|_| self.nested(depth - 1, rng)).collect()
    }

    pub(super) fn field(&self, rng: &mut Rng) -> Field {
        self.fields[rng.usize(..self.fields.len())].clone()
    }

    /// A condition on a field, or on a place in an element.
    fn leaf(&self, on: &Field, element: bool, depth: usize, rng: &mut Rng) -> Filter {
        let at = || field(on.as_str());
        match rng.u8(..24) {
            0..=11 => {
                let constant = self.constant(on, element, rng);
                let comparison = comparison(&constant, rng);
                at().compare(comparison, fitted(comparison, constant, rng))
            }
            12..=14 => {
                let values: Vec<Value> =
                    (0..rng.usize(..5)).map(|_| self.constant(on, element, rng)).collect();
                if rng.bool() { at().one_of(values) } else { at().none_of(values) }
            }
            15 => at().regex(PATTERNS[rng.usize(..PATTERNS.len())]),
            16 | 17 => Filter::Length {
                field: on.clone(),
                comparison: Comparison::ALL[rng.usize(..6)],
                value: [0, 1, 2, 3, 4, u64::MAX][rng.usize(..6)],
            },
            18 => at().exists(),
            19 => at().is_null(),
            20 => at().is_na(),
            _ => {
                let quantifier = if rng.bool() { Quantifier::Any } else { Quantifier::All };
                let filter = Box::new(self.of_element(depth, rng));
                Filter::List { field: on.clone(), quantifier, filter }
            }
        }
    }

    fn of_element(&self, depth: usize, rng: &mut Rng) -> Filter {
        let on = field_of(ELEMENTS[rng.usize(..ELEMENTS.len())]);
        if depth == 0 {
            return field(on.as_str()).eq(self.constant(&on, true, rng));
        }
        let one = self.leaf(&on, true, depth - 1, rng);
        match rng.u8(..6) {
            0 => Filter::Not(Box::new(one)),
            1 => one & self.of_element(depth - 1, rng),
            2 => one | self.of_element(depth - 1, rng),
            _ => one,
        }
    }

    /// A constant: what is there, near that, or anything; never `null`.
    fn constant(&self, of: &Field, element: bool, rng: &mut Rng) -> Value {
        let there = if self.documents.is_empty() {
            None
        } else {
            let document = &self.documents[rng.usize(..self.documents.len())];
            // What is in a list is drawn from a list.
            let of = if element { field_of("/l/0") } else { of.clone() };
            of.value(document).ok().flatten().map(std::borrow::Cow::into_owned)
        };
        let choice = rng.u8(..100);
        let constant = match there {
            Some(value) if choice < 40 => value,
            Some(value) if choice < 60 => neighbour(&value, rng),
            _ => Value::Null,
        };
        if constant.is_null() {
            return value_of(Kind::ALL[rng.usize(2..Kind::ALL.len())], rng);
        }
        constant
    }
}

/// A comparison, mostly one that can be true of this constant.
fn comparison(with: &Value, rng: &mut Rng) -> Comparison {
    let all = Comparison::ALL;
    let of = match with {
        _ if rng.u8(..4) == 0 => &all[..],
        Value::Array(_) | Value::Object(_) => {
            &[Comparison::Eq, Comparison::Ne, Comparison::Contains]
        }
        Value::String(_) if rng.bool() => &all[6..],
        _ => &all[..7],
    };
    of[rng.usize(..of.len())]
}

/// The constant, as this comparison may have it.
fn fitted(comparison: Comparison, constant: Value, rng: &mut Rng) -> Value {
    match (comparison, constant) {
        (Comparison::StartsWith | Comparison::EndsWith, Value::String(text)) => {
            part(&text, comparison, rng).into()
        }
        (Comparison::StartsWith | Comparison::EndsWith, _) => value_of(Kind::Text, rng),
        (Comparison::Contains, Value::String(text)) if rng.bool() => {
            part(&text, comparison, rng).into()
        }
        (Comparison::Contains, Value::Array(list)) if rng.bool() && !list.is_empty() => {
            let element = list[rng.usize(..list.len())].clone();
            if element.is_null() { Value::Array(list) } else { element }
        }
        (_, constant) => constant,
    }
}

fn field_of(pointer: &str) -> Field {
    Field::Body(pointer.into())
}
