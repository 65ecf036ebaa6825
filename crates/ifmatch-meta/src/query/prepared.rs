//! The evaluator: the one meaning of filters.

use std::cmp::Ordering;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::check::{broken, check};
use super::field::{Place, Source};
use super::{Comparison, Field, Filter, Quantifier};
use crate::document::Document;
use crate::error::Result;
use crate::json::{json_equal, number_order};

/// Largest compiled pattern, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

/// True, false or unknown.
type Truth = Option<bool>;

/// A filter, checked, with its patterns compiled. Cheap to clone.
///
/// ```
/// use ifmatch_meta::{Document, Result, query::field};
/// # #[allow(dead_code)]
/// fn large(documents: &[Document]) -> Result<usize> {
///     let filter = field("/size").gt(1_000).prepare()?;
///     documents.iter().try_fold(0, |n, document| Ok(n + usize::from(filter.matches(document)?)))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Prepared(Arc<Node>);

impl Prepared {
    /// True, false, or unknown (`None`).
    ///
    /// # Errors
    /// `Corrupt` for a stored body that has to be looked at and is not JSON.
    pub fn evaluate(&self, document: &Document) -> Result<Option<bool>> {
        self.0.evaluate(Source::Document(document))
    }

    /// Whether it is true.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn matches(&self, document: &Document) -> Result<bool> {
        Ok(self.evaluate(document)? == Some(true))
    }
}

impl Filter {
    /// Checks the filter and compiles its patterns.
    ///
    /// # Errors
    /// - `Invalid`: what makes no sense (a field that is no JSON pointer, a
    ///   comparison with `null`, ...), by field and operator; nested deeper than
    ///   64.
    /// - `TooLarge`: more than 1,000 conditions, each value of an `in` counted as
    ///   one, or more than 1 MiB of constants.
    pub fn prepare(&self) -> Result<Prepared> {
        check(self)?;
        Node::new(self).map(|node| Prepared(Arc::new(node)))
    }

    /// Whether the filter makes sense.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub fn validate(&self) -> Result<()> {
        self.prepare().map(drop)
    }

    /// Whether it is true for a document. For many documents
    /// [`prepare`](Self::prepare) it once.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare) and [`Prepared::evaluate`].
    pub fn matches(&self, document: &Document) -> Result<bool> {
        self.prepare()?.matches(document)
    }
}

#[derive(Debug)]
enum Node {
    Everything,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf { place: Place, test: Test },
}

/// What is asked of the value at one place.
#[derive(Debug)]
enum Test {
    Compare(Comparison, Value),
    In { values: Vec<Value>, negated: bool },
    Regex(Regex),
    Length(Comparison, u64),
    Exists,
    IsNull,
    IsNa,
    List(Quantifier, Box<Node>),
}

impl Node {
    fn new(filter: &Filter) -> Result<Self> {
        let all = |all: &[Filter]| all.iter().map(Self::new).collect::<Result<Vec<_>>>();
        Ok(match filter {
            Filter::Everything => Self::Everything,
            Filter::And(parts) => Self::And(all(parts)?),
            Filter::Or(parts) => Self::Or(all(parts)?),
            Filter::Not(part) => Self::Not(Box::new(Self::new(part)?)),
            Filter::Compare { field, comparison, value } => {
                Self::leaf(field, Test::Compare(*comparison, value.clone()))?
            }
            Filter::In { field, values, negated } => {
                Self::leaf(field, Test::In { values: values.clone(), negated: *negated })?
            }
            Filter::Regex { field, pattern } => {
                Self::leaf(field, Test::Regex(compile(field, pattern)?))?
            }
            Filter::Length { field, comparison, value } => {
                Self::leaf(field, Test::Length(*comparison, *value))?
            }
            Filter::Exists { field } => Self::leaf(field, Test::Exists)?,
            Filter::IsNull { field } => Self::leaf(field, Test::IsNull)?,
            Filter::IsNa { field } => Self::leaf(field, Test::IsNa)?,
            Filter::List { field, quantifier, filter } => {
                Self::leaf(field, Test::List(*quantifier, Box::new(Self::new(filter)?)))?
            }
        })
    }

    fn leaf(field: &Field, test: Test) -> Result<Self> {
        Ok(Self::Leaf { place: Place::new(field)?, test })
    }

    fn evaluate(&self, source: Source<'_>) -> Result<Truth> {
        match self {
            Self::Everything => Ok(Some(true)),
            Self::And(parts) => all(parts.iter().map(|part| part.evaluate(source))),
            Self::Or(parts) => any(parts.iter().map(|part| part.evaluate(source))),
            Self::Not(part) => Ok(part.evaluate(source)?.map(|truth| !truth)),
            Self::Leaf { place, test } => test.evaluate(place.find(source)?.as_deref()),
        }
    }
}

impl Test {
    fn evaluate(&self, found: Option<&Value>) -> Result<Truth> {
        let value = match (self, found) {
            (Self::Exists, _) => return Ok(Some(found.is_some())),
            (Self::IsNull, _) => return Ok(Some(matches!(found, Some(Value::Null)))),
            (Self::IsNa, _) => return Ok(Some(matches!(found, None | Some(Value::Null)))),
            (_, None | Some(Value::Null)) => return Ok(None),
            (_, Some(value)) => value,
        };
        Ok(match self {
            Self::Compare(comparison, constant) => compare(*comparison, value, constant),
            Self::In { values, negated } => {
                let equal = values.iter().map(|one| Ok(compare(Comparison::Eq, value, one)));
                any(equal)?.map(|truth| truth != *negated)
            }
            Self::Regex(regex) => value.as_str().map(|text| regex.is_match(text)),
            Self::Length(comparison, length) => {
                length_of(value).and_then(|found| ordered(*comparison, found.cmp(length)))
            }
            Self::List(quantifier, node) => {
                let Value::Array(list) = value else { return Ok(None) };
                let each = list.iter().map(|element| node.evaluate(Source::Element(element)));
                match quantifier {
                    Quantifier::Any => any(each)?,
                    Quantifier::All => all(each)?,
                }
            }
            Self::Exists | Self::IsNull | Self::IsNa => None, // Answered above.
        })
    }
}

fn compile(field: &Field, pattern: &str) -> Result<Regex> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().map_err(|error| {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "a pattern that is too complex".to_owned(),
            error => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        };
        broken(field, "regex", &reason)
    })
}

/// Kleene's `and`.
fn all(mut parts: impl Iterator<Item = Result<Truth>>) -> Result<Truth> {
    let truth = parts.try_fold(Some(true), |so_far, part| match part {
        Ok(Some(false)) => Err(None),
        Ok(None) => Ok(None),
        Ok(Some(true)) => Ok(so_far),
        Err(error) => Err(Some(error)),
    });
    ended(truth, false)
}

/// Kleene's `or`.
fn any(mut parts: impl Iterator<Item = Result<Truth>>) -> Result<Truth> {
    let truth = parts.try_fold(Some(false), |so_far, part| match part {
        Ok(Some(true)) => Err(None),
        Ok(None) => Ok(None),
        Ok(Some(false)) => Ok(so_far),
        Err(error) => Err(Some(error)),
    });
    ended(truth, true)
}

fn ended(truth: Result<Truth, Option<crate::Error>>, early: bool) -> Result<Truth> {
    match truth {
        Ok(truth) => Ok(truth),
        Err(None) => Ok(Some(early)),
        Err(Some(error)) => Err(error),
    }
}

/// A value, which is not `null`, against a constant.
fn compare(comparison: Comparison, value: &Value, constant: &Value) -> Truth {
    use Value::{Array, Bool, Number, Object, String};
    let order = match (comparison, value, constant) {
        (Comparison::Contains, Array(list), _) => {
            return Some(list.iter().any(|element| json_equal(element, constant)));
        }
        (Comparison::Contains, String(text), String(part)) => return Some(text.contains(&**part)),
        (Comparison::StartsWith, String(text), String(part)) => {
            return Some(text.starts_with(&**part));
        }
        (Comparison::EndsWith, String(text), String(part)) => return Some(text.ends_with(&**part)),
        (Comparison::Eq, Array(_), Array(_)) | (Comparison::Eq, Object(_), Object(_)) => {
            return Some(json_equal(value, constant));
        }
        (Comparison::Ne, Array(_), Array(_)) | (Comparison::Ne, Object(_), Object(_)) => {
            return Some(!json_equal(value, constant));
        }
        (_, Number(a), Number(b)) => number_order(a, b),
        (_, String(a), String(b)) => a.cmp(b), // UTF-8 sorts as its scalar values do.
        (_, Bool(a), Bool(b)) => a.cmp(b),
        _ => return None,
    };
    ordered(comparison, order)
}

fn ordered(comparison: Comparison, order: Ordering) -> Truth {
    match comparison {
        Comparison::Eq => Some(order.is_eq()),
        Comparison::Ne => Some(order.is_ne()),
        Comparison::Gt => Some(order.is_gt()),
        Comparison::Gte => Some(order.is_ge()),
        Comparison::Lt => Some(order.is_lt()),
        Comparison::Lte => Some(order.is_le()),
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => None,
    }
}

fn length_of(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => Some(text.chars().count() as u64),
        Value::Array(list) => Some(list.len() as u64),
        _ => None,
    }
}

#[cfg(test)]
#[path = "prepared_tests.rs"]
mod tests;
