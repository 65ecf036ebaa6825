//! Where the values lie that a condition can be true for.

use std::cmp::Ordering;
use std::ops::Bound;

use ifmatch_core::Timestamp;
use ifmatch_meta::{Comparison, ETag, Field, Filter, ScanOptions};
use rusqlite::types::Value as Sql;
use serde_json::Value;

use super::expression::KEPT;

/// Part of a number by which SQLite's reading of it may differ from ours; by far
/// more than it does.
pub(super) const SLACK: f64 = 1e-12;
/// Microseconds of the last moment that prints with a year of four digits, in
/// UTC; later ones print otherwise and compare by other rules.
pub(super) const LAST: i64 = 253_402_300_799_999_999;
/// Most alternatives that are worth looking at one by one.
const MOST: usize = 64;

/// Values of an index's expression. Outside of it the condition is not true;
/// within it the evaluator decides.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Range {
    /// This value; of numbers also those that are hardly different.
    Equal(Sql, Option<(f64, f64)>),
    /// From here to there, ends included.
    Between(Option<Sql>, Option<Sql>),
    /// One of these.
    Any(Vec<Range>),
}

/// What a condition says of its field; `None`: nothing that helps.
pub(super) fn of(filter: &Filter) -> Option<(&Field, Range)> {
    match filter {
        Filter::Compare { field, comparison, value } => {
            Some((field, compared(field, *comparison, value)?))
        }
        Filter::In { field, values, negated: false } if (1..=MOST).contains(&values.len()) => {
            let all = values.iter().map(|value| compared(field, Comparison::Eq, value));
            Some((field, Range::Any(all.collect::<Option<_>>()?)))
        }
        _ => None,
    }
}

fn compared(field: &Field, comparison: Comparison, value: &Value) -> Option<Range> {
    match (field, value) {
        (Field::CreatedAt | Field::UpdatedAt, Value::String(text)) => time(comparison, text),
        (Field::ETag, Value::String(text)) if comparison == Comparison::Eq => {
            let etag = text.parse::<ETag>().ok()?;
            Some(Range::Equal(Sql::Text(etag.bare()), None))
        }
        (Field::Body(_), Value::Number(number)) => numbers(comparison, number),
        (Field::Body(_), Value::Bool(value)) => match comparison {
            Comparison::Eq => Some(Range::Equal(Sql::Integer(i64::from(*value)), None)),
            _ => None,
        },
        (Field::Body(_) | Field::UpdatedBy, Value::String(value)) => texts(comparison, value, KEPT),
        (Field::Id | Field::Partition, Value::String(value)) => {
            texts(comparison, value, usize::MAX)
        }
        _ => None,
    }
}

fn texts(comparison: Comparison, value: &str, kept: usize) -> Option<Range> {
    // Beginnings compare as the texts do, or are equal.
    let start: String = value.chars().take(kept).collect();
    let cut = start.len() < value.len();
    let text = |text: &str| Sql::Text(text.into());
    Some(match comparison {
        Comparison::Eq => Range::Equal(text(&start), None),
        // After all texts come no values: an index holds no blobs.
        Comparison::Gt | Comparison::Gte => Range::Between(Some(text(&start)), None),
        Comparison::Lt | Comparison::Lte => Range::Between(Some(text("")), Some(text(&start))),
        Comparison::StartsWith if cut => Range::Equal(text(&start), None),
        Comparison::StartsWith => {
            let end = match ScanOptions::default().prefix(&start).upper {
                Bound::Excluded(end) | Bound::Included(end) => Some(text(&end)),
                Bound::Unbounded => None,
            };
            Range::Between(Some(text(&start)), end)
        }
        _ => return None,
    })
}

fn numbers(comparison: Comparison, number: &serde_json::Number) -> Option<Range> {
    let float = number.as_f64()?;
    let slack = float.abs() * SLACK + f64::MIN_POSITIVE;
    let (low, high) = (float - slack, float + slack);
    let (least, most) = (Sql::Real(f64::NEG_INFINITY), Sql::Real(f64::INFINITY));
    Some(match comparison {
        Comparison::Eq => {
            let value = number.as_i64().map_or(Sql::Real(float), Sql::Integer);
            Range::Equal(value, Some((low, high)))
        }
        Comparison::Gt | Comparison::Gte => Range::Between(Some(Sql::Real(low)), Some(most)),
        Comparison::Lt | Comparison::Lte => Range::Between(Some(least), Some(Sql::Real(high))),
        _ => return None,
    })
}

/// Times are compared as they print. Those of years with four digits print in
/// the order of time; before them lie those with a sign, after them those that
/// print as numbers, among them in no order.
fn time(comparison: Comparison, text: &str) -> Option<Range> {
    if let Some(exact) = text.parse::<Timestamp>().ok().filter(|time| time.to_string() == text)
        && comparison == Comparison::Eq
    {
        return Some(Range::Equal(Sql::Integer(exact.as_micros()), None));
    }
    // The second or the day that the text begins with.
    let (begin, length) = [(19, ".000000Z", 1_000_000), (10, "T00:00:00.000000Z", 86_400_000_000)]
        .into_iter()
        .find_map(|(digits, rest, length)| {
            let whole = format!("{}{rest}", text.get(..digits)?);
            let time = whole.parse::<Timestamp>().ok()?;
            (time.to_string() == whole).then_some((time.as_micros(), length))
        })?;
    let (begin, end) = (Sql::Integer(begin), Sql::Integer(begin.saturating_add(length)));
    Some(match comparison {
        Comparison::Gt | Comparison::Gte => Range::Between(Some(begin), None),
        Comparison::Lt | Comparison::Lte => Range::Any(vec![
            Range::Between(None, Some(end)),
            Range::Between(Some(Sql::Integer(LAST)), None),
        ]),
        Comparison::StartsWith => Range::Between(Some(begin), Some(end)),
        _ => return None,
    })
}

impl Range {
    /// The rank of a range with two ends.
    pub(super) const SIDED: u8 = 1;

    /// Whether all that a condition of this range is true for are texts, or all
    /// are numbers.
    pub(super) const fn is_of_one_type(&self) -> bool {
        matches!(self, Self::Between(..))
    }

    /// How much an index over it helps.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Equal(..) => 3,
            Self::Any(all) => all.iter().map(Self::rank).min().unwrap_or(0).min(2),
            Self::Between(Some(_), Some(_)) => Self::SIDED,
            Self::Between(..) => 0,
        }
    }

    /// What lies in both, where that is one range again.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let (Self::Between(low, high), Self::Between(other_low, other_high)) = (self, other) else {
            return None;
        };
        let low = tighter(low.as_ref(), other_low.as_ref(), Ordering::Greater).ok()?;
        let high = tighter(high.as_ref(), other_high.as_ref(), Ordering::Less).ok()?;
        Some(Self::Between(low.cloned(), high.cloned()))
    }

    /// As a condition; its values go to the end of `values`.
    pub(super) fn sql(&self, expression: &str, values: &mut Vec<Sql>) -> String {
        let mut compared = |operator: &str, value: Sql| {
            values.push(value);
            format!("{expression} {operator} ?{}", values.len())
        };
        match self {
            Self::Equal(value, None) => compared("=", value.clone()),
            Self::Equal(_, Some((low, high))) => {
                let low = compared(">=", Sql::Real(*low));
                format!("{low} AND {}", compared("<=", Sql::Real(*high)))
            }
            Self::Between(low, high) => {
                let low = low.clone().map(|low| compared(">=", low));
                let high = high.clone().map(|high| compared("<=", high));
                match (low, high) {
                    (Some(low), Some(high)) => format!("{low} AND {high}"),
                    (Some(one), None) | (None, Some(one)) => one,
                    (None, None) => "TRUE".into(),
                }
            }
            Self::Any(all) => {
                let all: Vec<_> = all.iter().map(|one| one.sql(expression, values)).collect();
                format!("({})", all.join(" OR "))
            }
        }
    }
}

/// Of two ends the one that lies further in.
fn tighter<'a>(
    one: Option<&'a Sql>,
    other: Option<&'a Sql>,
    inward: Ordering,
) -> Result<Option<&'a Sql>, OfTwoTypes> {
    let (Some(one), Some(other)) = (one, other) else { return Ok(one.or(other)) };
    let order = match (one, other) {
        (Sql::Integer(one), Sql::Integer(other)) => one.cmp(other),
        (Sql::Real(one), Sql::Real(other)) => one.total_cmp(other),
        (Sql::Text(one), Sql::Text(other)) => one.cmp(other),
        _ => return Err(OfTwoTypes),
    };
    Ok(Some(if order == inward { one } else { other }))
}

struct OfTwoTypes;
