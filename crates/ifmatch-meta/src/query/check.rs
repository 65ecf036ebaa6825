//! Whether a filter makes sense, and how large it may be.

use serde_json::Value;

use super::field::{Place, shown};
use super::{Comparison, Field, Filter, Quantifier};
use crate::error::{Error, Result};
use crate::json::MAX_DEPTH;

/// Most conditions in one filter, each value of an `in` counted as one.
pub const MAX_CONDITIONS: usize = 1_000;
/// Deepest nesting of conditions.
pub const MAX_FILTER_DEPTH: usize = 64;
/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 1_000;
/// Most patterns in one filter: each may take a megabyte.
const MAX_PATTERNS: usize = 32;
/// Most bytes of pointers and constants in one filter.
const MAX_BYTES: usize = 1 << 20;

/// Checks everything but that patterns compile. Looks at no more than the caps
/// allow, however large the filter is.
pub(super) fn check(filter: &Filter) -> Result<()> {
    let mut seen = Seen { conditions: 0, patterns: 0, bytes: 0 };
    seen.filter(filter, 1, false)
}

struct Seen {
    conditions: usize,
    patterns: usize,
    bytes: usize,
}

impl Seen {
    fn filter(&mut self, filter: &Filter, depth: usize, in_list: bool) -> Result<()> {
        if depth > MAX_FILTER_DEPTH {
            let what = format!("filter: nested deeper than {MAX_FILTER_DEPTH}");
            return Err(Error::invalid(what));
        }
        self.conditions(1)?;
        match filter {
            Filter::Everything => Ok(()),
            Filter::And(all) | Filter::Or(all) => {
                all.iter().try_for_each(|one| self.filter(one, depth + 1, in_list))
            }
            Filter::Not(one) => self.filter(one, depth + 1, in_list),
            Filter::List { field, quantifier, filter } => {
                self.field(field, quantifier.as_str(), in_list)?;
                self.filter(filter, depth + 1, true)
            }
            leaf => self.leaf(leaf, in_list),
        }
    }

    fn leaf(&mut self, leaf: &Filter, in_list: bool) -> Result<()> {
        let (Some(field), operator) = (leaf.field(), leaf.operator()) else { return Ok(()) };
        self.field(field, operator, in_list)?;
        let broken = |rule: &str| Err(broken(field, operator, rule));
        match leaf {
            Filter::Compare { comparison, value, .. } => {
                if comparison.needs_text() && !value.is_string() {
                    return broken("the value must be a text");
                }
                self.constant(field, operator, value)
            }
            Filter::In { values, .. } => {
                self.conditions(values.len())?;
                values.iter().try_for_each(|value| self.constant(field, operator, value))
            }
            Filter::Regex { pattern, .. } => {
                self.patterns += 1;
                if self.patterns > MAX_PATTERNS {
                    let (count, limit) = (self.patterns, MAX_PATTERNS);
                    return Err(Error::TooMany { what: "patterns in a filter", count, limit });
                }
                if pattern.len() > MAX_PATTERN {
                    return broken(&format!("a pattern longer than {MAX_PATTERN} bytes"));
                }
                self.bytes(pattern.len())
            }
            Filter::Length { comparison, .. } if !comparison.is_order() => {
                broken(&format!("no comparison of lengths: {}", comparison.as_str()))
            }
            _ => Ok(()),
        }
    }

    fn field(&mut self, field: &Field, operator: &str, in_list: bool) -> Result<()> {
        self.bytes(field.as_str().len())?;
        let place = Place::new(field);
        if matches!(place, Ok(Place::Named(_))) && in_list {
            return Err(broken(field, operator, "an element of a list has no such field"));
        }
        place.map(drop).map_err(|_| {
            let rule = "neither a JSON pointer (\"/...\", RFC 6901) nor a known @ field";
            broken(field, operator, rule)
        })
    }

    fn constant(&mut self, field: &Field, operator: &str, value: &Value) -> Result<()> {
        if value.is_null() {
            let rule = "null equals nothing: use is_null or is_na";
            return Err(broken(field, operator, rule));
        }
        let size = size(value, 0).map_err(|rule| broken(field, operator, rule))?;
        self.bytes(size)
    }

    fn conditions(&mut self, more: usize) -> Result<()> {
        self.conditions = self.conditions.saturating_add(more);
        if self.conditions > MAX_CONDITIONS {
            let (count, limit) = (self.conditions, MAX_CONDITIONS);
            return Err(Error::TooMany { what: "conditions in a filter", count, limit });
        }
        Ok(())
    }

    fn bytes(&mut self, more: usize) -> Result<()> {
        self.bytes = self.bytes.saturating_add(more);
        if self.bytes > MAX_BYTES {
            return Err(Error::too_large("the constants of a filter", self.bytes, MAX_BYTES));
        }
        Ok(())
    }
}

/// The size of a constant, about as JSON prints it; what no document could hold
/// is no constant.
fn size(value: &Value, depth: usize) -> Result<usize, &'static str> {
    let text = |text: &str| {
        if text.contains('\0') { Err("U+0000 in a text") } else { Ok(text.len() + 3) }
    };
    match value {
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => Err("nested deeper than 128"),
        Value::Array(list) => {
            list.iter().try_fold(2, |sum, value| Ok(sum + 1 + size(value, depth + 1)?))
        }
        Value::Object(members) => members
            .iter()
            .try_fold(2, |sum, (name, value)| Ok(sum + 1 + text(name)? + size(value, depth + 1)?)),
        Value::String(value) => text(value),
        Value::Number(_) => Ok(8),
        Value::Null | Value::Bool(_) => Ok(4),
    }
}

pub(super) fn broken(field: &Field, operator: &str, rule: &str) -> Error {
    Error::invalid(format!("filter: {} {operator}: {rule}", shown(field.as_str())))
}

impl Filter {
    /// What a condition looks at; `None` where it has parts.
    pub fn field(&self) -> Option<&Field> {
        match self {
            Self::Compare { field, .. }
            | Self::In { field, .. }
            | Self::Regex { field, .. }
            | Self::Length { field, .. }
            | Self::Exists { field }
            | Self::IsNull { field }
            | Self::IsNa { field }
            | Self::List { field, .. } => Some(field),
            Self::Everything | Self::And(_) | Self::Or(_) | Self::Not(_) => None,
        }
    }

    /// Its operator, as the JSON form spells it.
    pub fn operator(&self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::And(_) => "and",
            Self::Or(_) => "or",
            Self::Not(_) => "not",
            Self::Compare { comparison, .. } => comparison.as_str(),
            Self::In { negated: false, .. } => "in",
            Self::In { negated: true, .. } => "not_in",
            Self::Regex { .. } => "regex",
            Self::Length { .. } => "length",
            Self::Exists { .. } => "exists",
            Self::IsNull { .. } => "is_null",
            Self::IsNa { .. } => "is_na",
            Self::List { quantifier, .. } => quantifier.as_str(),
        }
    }
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
    ];

    /// As the JSON form spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
        }
    }

    /// Whether it is one of the six of order and equality.
    pub const fn is_order(self) -> bool {
        !matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    const fn needs_text(self) -> bool {
        matches!(self, Self::StartsWith | Self::EndsWith)
    }
}

impl Quantifier {
    /// As the JSON form spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
