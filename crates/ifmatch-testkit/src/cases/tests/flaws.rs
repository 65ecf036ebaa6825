//! Mistakes that backends make.

use ifmatch_meta::query;
use ifmatch_meta::{Comparison, Field, Filter, Quantifier, Query, SortOrder};
use serde_json::Value;

use super::{Flaw, same};

pub(super) fn all() -> Vec<Flaw> {
    [of_values(), of_logic(), of_pages()].concat()
}

const fn of_conditions(name: &'static str, leaf: fn(Filter) -> Filter) -> Flaw {
    Flaw { name, leaf, query: same }
}

const fn of_queries(name: &'static str, query: fn(Query) -> Query) -> Flaw {
    Flaw { name, query, leaf: same }
}

fn of_values() -> Vec<Flaw> {
    vec![
        of_conditions("beginnings ignore case", |filter| beginnings(filter, false, true)),
        of_conditions("beginnings have wildcards", |filter| beginnings(filter, true, false)),
        of_conditions("numbers are floats", |filter| {
            compare(filter, |field, comparison, value| {
                let value = if value.is_number() { value.as_f64().into() } else { value };
                Filter::Compare { field, comparison, value }
            })
        }),
        of_conditions("whole numbers are cut to 64 bits with a sign", |filter| {
            compare(filter, |field, comparison, value| {
                #[allow(clippy::cast_possible_wrap)] // The mistake.
                let value = value.as_u64().map_or(value, |n| (n as i64).into());
                Filter::Compare { field, comparison, value }
            })
        }),
        of_conditions("1 is not 1.0 in lists", |filter| {
            compare(filter, |field, comparison, value| {
                let written = value.to_string();
                if comparison == Comparison::Eq && value.is_array() && written.contains(".0") {
                    return Filter::Or(vec![]);
                }
                Filter::Compare { field, comparison, value }
            })
        }),
        of_conditions("texts of digits are numbers", |filter| {
            compare(filter, |field, comparison, value| {
                let text = field_of(&field).eq(value.to_string());
                let number = value.is_number() && comparison == Comparison::Eq;
                let found = Filter::Compare { field, comparison, value };
                if number { found | text } else { found }
            })
        }),
    ]
}

fn of_logic() -> Vec<Flaw> {
    vec![
        of_conditions("an empty in is dropped", |filter| match filter {
            Filter::In { values, negated: false, .. } if values.is_empty() => Filter::Everything,
            other => other,
        }),
        of_conditions("ne matches what is missing", |filter| {
            compare(filter, |field, comparison, value| {
                let missing = Filter::IsNa { field: field.clone() };
                let found = Filter::Compare { field, comparison, value };
                if comparison == Comparison::Ne { found | missing } else { found }
            })
        }),
        of_conditions("not is true of unknown", |filter| match filter {
            Filter::Not(inner) => match inner.field().cloned() {
                Some(field) => Filter::Not(inner) | Filter::IsNa { field },
                None => Filter::Not(inner),
            },
            other => other,
        }),
        of_conditions("null is missing", |filter| match filter {
            Filter::Exists { field } => !Filter::IsNa { field },
            other => other,
        }),
        of_conditions("missing is null", |filter| match filter {
            Filter::IsNull { field } => Filter::IsNa { field },
            other => other,
        }),
        of_conditions("dots are paths", |filter| {
            compare(filter, |field, comparison, value| {
                let field = Field::Body(field.as_str().replace('.', "/").into());
                let named = field.as_str().starts_with('@');
                let field = if named { field.as_str().parse().unwrap() } else { field };
                Filter::Compare { field, comparison, value }
            })
        }),
        of_conditions("names are normalised", |filter| {
            compare(filter, |field, comparison, value| {
                let name = field.as_str().replace("e\u{301}", "é");
                Filter::Compare { field: name.parse().unwrap(), comparison, value }
            })
        }),
        of_conditions("all of nothing is false", |filter| match filter {
            Filter::List { ref field, quantifier: Quantifier::All, .. } => {
                let some =
                    Filter::Length { field: field.clone(), comparison: Comparison::Gt, value: 0 };
                filter & some
            }
            other => other,
        }),
    ]
}

fn of_pages() -> Vec<Flaw> {
    vec![
        of_queries("the last sort is dropped", |mut query: Query| {
            query.sort.pop();
            query
        }),
        of_queries("descending is ascending", |mut query: Query| {
            for sort in &mut query.sort {
                sort.order = SortOrder::Ascending;
            }
            query
        }),
        of_queries("the offset is off by one", |mut query: Query| {
            query.offset = query.offset.saturating_sub(1);
            query
        }),
    ]
}

fn compare(filter: Filter, change: impl Fn(Field, Comparison, Value) -> Filter) -> Filter {
    match filter {
        Filter::Compare { field, comparison, value } => change(field, comparison, value),
        other => other,
    }
}

fn field_of(field: &Field) -> query::FieldExpr {
    query::field(field.as_str())
}

/// A text's beginning by a pattern: the same but for what is asked for here.
fn beginnings(filter: Filter, wildcards: bool, insensitive: bool) -> Filter {
    compare(filter, |field, comparison, value| match value {
        Value::String(text) if comparison == Comparison::StartsWith => {
            let mut pattern = String::from(if insensitive { "(?is)^" } else { "(?s)^" });
            for char in text.chars() {
                match char {
                    '%' if wildcards => pattern.push_str(".*"),
                    '_' if wildcards => pattern.push('.'),
                    char => pattern.extend(format!("\\x{{{:x}}}", u32::from(char)).chars()),
                }
            }
            field_of(&field).regex(pattern)
        }
        value => Filter::Compare { field, comparison, value },
    })
}
