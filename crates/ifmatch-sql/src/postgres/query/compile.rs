//! Filters as SQL conditions, in SQL's own three-valued logic: NULL is unknown.
//!
//! What SQL cannot say exactly (patterns of the `regex` crate) becomes a condition
//! that holds for more documents; the evaluator then decides ([`Compiled::exact`]).

use ifmatch_meta::{Comparison, Field, Filter, Quantifier, Result};
use serde_json::Value;

use super::super::queryable;
use super::super::sql::{Piece, Statement};
use super::operand::Operand;
use super::times;

/// A filter as a condition.
pub(in super::super) struct Compiled {
    /// True for every document that matches.
    pub(in super::super) condition: Piece,
    /// And for no other.
    pub(in super::super) exact: bool,
}

/// Compiles a filter on the rows of `d`. Its values are bound to the statement.
pub(in super::super) fn compile(filter: &Filter, to: &mut Statement<'_>) -> Result<Compiled> {
    let mut compiler = Compiler { to, depth: 0 };
    let source = Piece::fixed("d.doc");
    compiler.holds(filter, true, &source)
}

struct Compiler<'a, 'b> {
    to: &'a mut Statement<'b>,
    /// How many lists the condition is in.
    depth: usize,
}

const TRUE: &str = "true";
const UNKNOWN: &str = "NULL::boolean";

impl Compiler<'_, '_> {
    /// A condition that is true where the filter is `wanted`.
    fn holds(&mut self, filter: &Filter, wanted: bool, json: &Piece) -> Result<Compiled> {
        if is_exact(filter) {
            let truth = self.truth(filter, json)?;
            let condition = if wanted { truth } else { not(&truth) };
            return Ok(Compiled { condition, exact: true });
        }
        let (parts, all) = match filter {
            Filter::Not(part) => return self.holds(part, !wanted, json),
            Filter::And(parts) => (parts, wanted),
            Filter::Or(parts) => (parts, !wanted),
            // Whatever it is.
            _ => return Ok(Compiled { condition: Piece::fixed(TRUE), exact: false }),
        };
        let parts = parts.iter().map(|part| self.holds(part, wanted, json));
        let parts: Vec<Piece> =
            parts.map(|part| part.map(|part| part.condition)).collect::<Result<_>>()?;
        Ok(Compiled { condition: joined(&parts, all), exact: false })
    }

    /// The truth of a filter that SQL can say exactly.
    fn truth(&mut self, filter: &Filter, json: &Piece) -> Result<Piece> {
        let operand = |field: &Field| Operand::new(field, json, "d.");
        Ok(match filter {
            Filter::And(parts) | Filter::Or(parts) => {
                let all = matches!(filter, Filter::And(_));
                let truths = parts.iter().map(|part| self.truth(part, json));
                joined(&truths.collect::<Result<Vec<_>>>()?, all)
            }
            Filter::Not(part) => not(&self.truth(part, json)?),
            Filter::Compare { field, comparison, value } => {
                self.compare(&operand(field)?, *comparison, value)
            }
            Filter::In { field, values, negated } => {
                let among = self.among(&operand(field)?, values);
                if *negated { not(&among) } else { among }
            }
            Filter::Length { field, comparison, value } => {
                self.length(&operand(field)?, *comparison, *value)
            }
            Filter::Exists { field } => exists(&operand(field)?),
            Filter::IsNull { field } => is_null(&operand(field)?),
            Filter::IsNa { field } => {
                let operand = operand(field)?;
                let missing = not(&exists(&operand));
                Piece::fixed("(").and(&missing).then(" OR ").and(&is_null(&operand)).then(")")
            }
            Filter::List { field, quantifier, filter } => {
                self.list(&operand(field)?, *quantifier, filter)?
            }
            _ => Piece::fixed(TRUE),
        })
    }

    fn compare(&mut self, operand: &Operand, comparison: Comparison, value: &Value) -> Piece {
        if let Operand::Time(column) = operand {
            return match (value, sign(comparison)) {
                (Value::String(text), Some(_)) => self.compare_time(column, comparison, text),
                _ => Piece::fixed(UNKNOWN),
            };
        }
        let Some(sign) = sign(comparison) else {
            return self.compare_parts(operand, comparison, value);
        };
        let compared = |left: Option<Piece>, right: &Piece| {
            let left = left.unwrap_or_else(|| Piece::fixed("NULL"));
            Piece::fixed("(").and(&left).then(sign).and(right).then(")")
        };
        match value {
            Value::String(text) => {
                let place = self.to.place(text.as_str());
                let whole = compared(operand.text(), &place);
                // Says less, but an index knows it.
                let start = Piece::fixed("left(").and(&place).then(", 200)");
                let wider = match comparison {
                    Comparison::Eq => " = ",
                    Comparison::Gt | Comparison::Gte => " >= ",
                    Comparison::Lt | Comparison::Lte => " <= ",
                    _ => return whole,
                };
                let Operand::Json(_) = operand else { return whole };
                let Some(begin) = operand.start() else { return whole };
                let begin = begin.then(wider).and(&start);
                Piece::fixed("(").and(&begin).then(" AND ").and(&whole).then(")")
            }
            Value::Number(_) => {
                let place = self.to.place(queryable::text(value)).then("::numeric");
                compared(operand.number(), &place)
            }
            Value::Bool(value) => {
                let place = self.to.place(*value);
                compared(operand.boolean(), &place)
            }
            Value::Array(_) | Value::Object(_)
                if matches!(comparison, Comparison::Eq | Comparison::Ne) =>
            {
                let kind = if value.is_array() { "'array'" } else { "'object'" };
                let Some(whole) = operand.whole(kind) else { return Piece::fixed(UNKNOWN) };
                let place = self.to.place(queryable::text(value)).then("::jsonb");
                compared(Some(whole), &place)
            }
            _ => Piece::fixed(UNKNOWN),
        }
    }

    fn compare_time(&mut self, column: &Piece, comparison: Comparison, text: &str) -> Piece {
        let bound = times::bound(text);
        let sign = match (comparison, bound.exact) {
            (Comparison::Eq, true) => " = ",
            (Comparison::Ne, true) => " <> ",
            (Comparison::Eq, false) => return Piece::fixed("false"),
            (Comparison::Ne, false) => return Piece::fixed(TRUE),
            (Comparison::Lt, _) | (Comparison::Lte, false) => " < ",
            (Comparison::Lte, true) => " <= ",
            (Comparison::Gt, true) => " > ",
            _ => " >= ",
        };
        let place = self.to.place(bound.micros);
        Piece::fixed("(").and(column).then(sign).and(&place).then(")")
    }

    /// Contains, begins, ends.
    fn compare_parts(&mut self, operand: &Operand, how: Comparison, value: &Value) -> Piece {
        let text = match (operand.text(), value) {
            (Some(text), Value::String(part)) => {
                let place = self.to.place(part.as_str());
                Some(match how {
                    Comparison::Contains => Piece::fixed("(position(")
                        .and(&place)
                        .then(" IN ")
                        .and(&text)
                        .then(") > 0)"),
                    Comparison::StartsWith => {
                        Piece::fixed("starts_with(").and(&text).then(", ").and(&place).then(")")
                    }
                    _ => {
                        let length = i32::try_from(part.chars().count()).unwrap_or(i32::MAX);
                        let length = self.to.place(length);
                        Piece::fixed("(right(")
                            .and(&text)
                            .then(", ")
                            .and(&length)
                            .then(") = ")
                            .and(&place)
                            .then(")")
                    }
                })
            }
            _ => None,
        };
        let Operand::Json(list) = operand else {
            return text.unwrap_or_else(|| Piece::fixed(UNKNOWN));
        };
        if how != Comparison::Contains {
            return text.unwrap_or_else(|| Piece::fixed(UNKNOWN));
        }
        let place = self.to.place(queryable::text(value)).then("::jsonb");
        let found = Piece::fixed("EXISTS (SELECT FROM jsonb_array_elements(")
            .and(&elements(list))
            .then(") e(doc) WHERE e.doc = ")
            .and(&place)
            .then(")");
        let text = text.unwrap_or_else(|| Piece::fixed(UNKNOWN));
        Piece::fixed("(CASE WHEN jsonb_typeof(")
            .and(list)
            .then(") = 'array' THEN ")
            .and(&found)
            .then(" ELSE ")
            .and(&text)
            .then(" END)")
    }

    /// Equal to one of these: by kind, Kleene's `or` over the kinds.
    fn among(&mut self, operand: &Operand, values: &[Value]) -> Piece {
        let mut truths = Vec::new();
        let texts = values.iter().filter_map(Value::as_str);
        let texts: Vec<String> = texts.map(String::from).collect();
        if let Operand::Time(_) = operand {
            truths.extend(values.iter().map(|value| self.compare(operand, Comparison::Eq, value)));
        } else if !texts.is_empty() {
            let any =
                |left: &Piece, place: &Piece| left.clone().then(" = ANY (").and(place).then(")");
            let starts = texts.iter().map(|text| text.chars().take(200).collect::<String>());
            let starts: Vec<String> = starts.collect();
            if let Some(text) = operand.text() {
                let whole = any(&text, &self.to.place(texts));
                let start = operand.start().filter(|_| matches!(operand, Operand::Json(_)));
                truths.push(match start {
                    Some(start) => {
                        let begin = any(&start, &self.to.place(starts));
                        Piece::fixed("(").and(&begin).then(" AND ").and(&whole).then(")")
                    }
                    None => whole,
                });
            }
        }
        let numbers = values.iter().filter(|value| value.is_number());
        let numbers: Vec<String> = numbers.map(queryable::text).collect();
        if !numbers.is_empty() {
            let number = operand.number().unwrap_or_else(|| Piece::fixed("NULL"));
            let numbers = self.to.place(numbers).then("::text[]::numeric[])");
            truths.push(Piece::fixed("(").and(&number).then(" = ANY (").and(&numbers).then(")"));
        }
        let rest = values.iter().filter(|value| !value.is_number() && !value.is_string());
        truths.extend(rest.map(|value| self.compare(operand, Comparison::Eq, value)));
        if values.is_empty() {
            let there = not(&is_null(operand));
            let there = Piece::fixed("(").and(&exists(operand)).then(" AND ").and(&there);
            return Piece::fixed("(CASE WHEN ").and(&there).then(") THEN false END)");
        }
        joined(&truths, false)
    }

    fn length(&mut self, operand: &Operand, comparison: Comparison, length: u64) -> Piece {
        let Some(sign) = sign(comparison) else { return Piece::fixed(UNKNOWN) };
        let found = match operand {
            // Every time is printed with so many characters.
            Operand::Time(_) => Piece::fixed("27"),
            Operand::Text(column, _) => Piece::fixed("char_length(").and(column).then(")"),
            Operand::Json(value) => Piece::fixed("(CASE jsonb_typeof(")
                .and(value)
                .then(") WHEN 'string' THEN char_length(")
                .and(value)
                .then(" #>> ARRAY[]::text[]) WHEN 'array' THEN jsonb_array_length(")
                .and(value)
                .then(") END)"),
        };
        let place = self.to.place(i64::try_from(length).unwrap_or(i64::MAX));
        Piece::fixed("(").and(&found).then(sign).and(&place).then(")")
    }

    /// Kleene's `or` or `and` over the elements of a list.
    fn list(&mut self, operand: &Operand, over: Quantifier, filter: &Filter) -> Result<Piece> {
        let Operand::Json(list) = operand else { return Ok(Piece::fixed(UNKNOWN)) };
        self.depth += 1;
        let element = Piece::fixed("e").number(self.depth);
        let inner = self.truth(filter, &element.clone().then(".doc"))?;
        self.depth -= 1;
        let (decisive, then, otherwise) = match over {
            Quantifier::Any => ("x.truth", "true", "false"),
            Quantifier::All => ("NOT x.truth", "false", "true"),
        };
        let answer = Piece::fixed("(SELECT CASE WHEN bool_or(")
            .then(decisive)
            .then(") THEN ")
            .then(then)
            .then(" WHEN bool_or(x.truth IS NULL) THEN NULL ELSE ")
            .then(otherwise)
            .then(" END FROM (SELECT ")
            .and(&inner)
            .then(" AS truth FROM jsonb_array_elements(")
            .and(&elements(list))
            .then(") ")
            .and(&element)
            .then("(doc)) x)");
        Ok(Piece::fixed("(CASE WHEN jsonb_typeof(")
            .and(list)
            .then(") = 'array' THEN ")
            .and(&answer)
            .then(" END)"))
    }
}

/// Whether SQL says the same as the evaluator.
fn is_exact(filter: &Filter) -> bool {
    let is_time = |field: &Field| matches!(field, Field::CreatedAt | Field::UpdatedAt);
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().all(is_exact),
        Filter::Not(part) => is_exact(part),
        Filter::List { filter, .. } => is_exact(filter),
        // Parts of a time are parts of a text that no column holds.
        Filter::Compare { field, comparison, value } => {
            !is_time(field) || sign(*comparison).is_some() || !value.is_string()
        }
        Filter::Everything
        | Filter::In { .. }
        | Filter::Length { .. }
        | Filter::Exists { .. }
        | Filter::IsNull { .. }
        | Filter::IsNa { .. } => true,
        _ => false,
    }
}

/// The sign of the six of order and equality.
const fn sign(comparison: Comparison) -> Option<&'static str> {
    Some(match comparison {
        Comparison::Eq => " = ",
        Comparison::Ne => " <> ",
        Comparison::Gt => " > ",
        Comparison::Gte => " >= ",
        Comparison::Lt => " < ",
        Comparison::Lte => " <= ",
        _ => return None,
    })
}

fn not(truth: &Piece) -> Piece {
    Piece::fixed("(NOT ").and(truth).then(")")
}

fn joined(truths: &[Piece], all: bool) -> Piece {
    match (truths, all) {
        ([], true) => Piece::fixed(TRUE),
        ([], false) => Piece::fixed("false"),
        (truths, true) => Piece::fixed("(").and(&Piece::join(truths, " AND ")).then(")"),
        (truths, false) => Piece::fixed("(").and(&Piece::join(truths, " OR ")).then(")"),
    }
}

fn exists(operand: &Operand) -> Piece {
    match operand {
        Operand::Json(value) | Operand::Text(value, true) => {
            Piece::fixed("(").and(value).then(" IS NOT NULL)")
        }
        _ => Piece::fixed(TRUE),
    }
}

fn is_null(operand: &Operand) -> Piece {
    match operand {
        Operand::Json(value) => {
            Piece::fixed("coalesce(jsonb_typeof(").and(value).then(") = 'null', false)")
        }
        _ => Piece::fixed("false"),
    }
}

/// The elements of what is a list; none of what is not.
fn elements(list: &Piece) -> Piece {
    Piece::fixed("CASE WHEN jsonb_typeof(")
        .and(list)
        .then(") = 'array' THEN ")
        .and(list)
        .then(" ELSE '[]' END")
}
