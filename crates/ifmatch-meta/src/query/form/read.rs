//! Reading filters.

use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::{Map, Value};

use super::bounded;
use crate::error::{Error, Result};
use crate::query::field::shown;
use crate::query::{Comparison, Field, Filter, MAX_FILTER_DEPTH, Quantifier};

impl FromStr for Filter {
    type Err = Error;

    /// Reads the JSON form, and checks what it says.
    ///
    /// ```
    /// use ifmatch_meta::Filter;
    /// use ifmatch_meta::query::field;
    /// let filter: Filter = r#"{"field":"/size","op":"gte","value":3}"#.parse()?;
    /// assert_eq!(filter, field("/size").gte(3));
    /// let error = r#"{"field":"/size","op":"atleast","value":3}"#.parse::<Filter>().unwrap_err();
    /// assert!(error.to_string().contains("/size atleast: no such operator"));
    /// # Ok::<(), ifmatch_meta::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.disable_recursion_limit(); // `bounded` counts the depth itself.
        let value = bounded::value(&mut reader).and_then(|value| reader.end().map(|()| value));
        let value = value.map_err(|error| Error::invalid(format!("filter: {error}")))?;
        let filter = read(value, 1)?;
        filter.validate()?;
        Ok(filter)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let filter = read(bounded::value(deserializer)?, 1).map_err(D::Error::custom)?;
        filter.validate().map_err(D::Error::custom)?;
        Ok(filter)
    }
}

fn read(value: Value, depth: usize) -> Result<Filter> {
    if depth > MAX_FILTER_DEPTH {
        return Err(Error::invalid(format!("filter: nested deeper than {MAX_FILTER_DEPTH}")));
    }
    let Value::Object(mut members) = value else {
        return Err(Error::invalid(format!("filter: {} is no object", brief(&value))));
    };
    let filter = if let Some(field) = members.remove("field") {
        on_field(field, &mut members, depth)?
    } else if let Some(parts) = members.remove("and") {
        Filter::And(list("and", parts, depth)?)
    } else if let Some(parts) = members.remove("or") {
        Filter::Or(list("or", parts, depth)?)
    } else if let Some(part) = members.remove("not") {
        Filter::Not(Box::new(read(part, depth + 1)?))
    } else {
        Filter::Everything
    };
    match members.keys().next() {
        None => Ok(filter),
        Some(name) => {
            let subject = match filter.field() {
                Some(field) => format!("{} {}", shown(field.as_str()), filter.operator()),
                None => filter.operator().into(),
            };
            Err(Error::invalid(format!("filter: {subject}: unknown member {}", quoted(name))))
        }
    }
}

fn list(operator: &str, parts: Value, depth: usize) -> Result<Vec<Filter>> {
    let Value::Array(parts) = parts else {
        return Err(Error::invalid(format!("filter: {operator}: {} is no list", brief(&parts))));
    };
    parts.into_iter().map(|part| read(part, depth + 1)).collect()
}

fn on_field(field: Value, members: &mut Map<String, Value>, depth: usize) -> Result<Filter> {
    let Value::String(field) = field else {
        return Err(Error::invalid(format!("filter: field: {} is no text", brief(&field))));
    };
    let field = Field::lenient(&field);
    for quantifier in [Quantifier::Any, Quantifier::All] {
        if let Some(part) = members.remove(quantifier.as_str()) {
            let filter = Box::new(read(part, depth + 1)?);
            return Ok(Filter::List { field, quantifier, filter });
        }
    }
    let operator = match members.remove("op") {
        Some(Value::String(operator)) => operator,
        Some(other) => {
            let what = format!("op: {} is no text", brief(&other));
            return Err(Error::invalid(format!("filter: {}: {what}", shown(field.as_str()))));
        }
        None => {
            let what = "no \"op\", \"any\" or \"all\"";
            return Err(Error::invalid(format!("filter: {}: {what}", shown(field.as_str()))));
        }
    };
    operation(field, &operator, members)
}

fn operation(field: Field, operator: &str, members: &mut Map<String, Value>) -> Result<Filter> {
    let broken = |rule: String| {
        let (field, operator) = (shown(field.as_str()), shown(operator));
        Error::invalid(format!("filter: {field} {operator}: {rule}"))
    };
    let mut member =
        |name: &str| members.remove(name).ok_or_else(|| broken(format!("no {name:?}")));
    if let Some(comparison) = comparison(operator) {
        return Ok(Filter::Compare { comparison, value: member("value")?, field });
    }
    Ok(match operator {
        "in" | "not_in" => match member("values")? {
            Value::Array(values) => Filter::In { values, negated: operator == "not_in", field },
            other => return Err(broken(format!("values: {} is no list", brief(&other)))),
        },
        "regex" => match member("value")? {
            Value::String(pattern) => Filter::Regex { pattern, field },
            other => return Err(broken(format!("{} is no pattern", brief(&other)))),
        },
        "length" => {
            let (is, value) = (member("is")?, member("value")?);
            let known = is.as_str().and_then(comparison).filter(|known| known.is_order());
            let Some(comparison) = known else {
                return Err(broken(format!("is: {} is no comparison of lengths", brief(&is))));
            };
            let Some(value) = value.as_u64() else {
                return Err(broken(format!("{} is no length", brief(&value))));
            };
            Filter::Length { comparison, value, field }
        }
        "exists" => Filter::Exists { field },
        "is_null" => Filter::IsNull { field },
        "is_na" => Filter::IsNa { field },
        _ => return Err(broken("no such operator".into())),
    })
}

fn comparison(name: &str) -> Option<Comparison> {
    Comparison::ALL.into_iter().find(|comparison| comparison.as_str() == name)
}

/// A value as messages show it.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        Value::String(text) => quoted(text),
        plain => plain.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug().take(80).collect::<String>())
}
