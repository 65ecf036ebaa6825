//! Sorts as SQL: the order that the evaluator's sort keys have, for everything
//! but lists and objects.
//!
//! A sort key of a page's end is read back into constants. What is read is not
//! trusted: a document is made of it, and the key of that document must be the
//! same.

use ifmatch_core::Timestamp;
use ifmatch_meta::query::{Plan, SortKey};
use ifmatch_meta::{Document, Field, Json, Result, Sort, SortOrder};
use serde_json::{Map, Number, Value};

use super::super::queryable;
use super::super::sql::{Piece, Statement};
use super::operand::Operand;
use super::times;

/// A column of ranks in every row of a sorted page: lists and objects are 4 and 5.
pub(super) const COMPLEX: i32 = 4;

/// The expressions of `ORDER BY`.
pub(super) fn order_by(sorts: &[Sort]) -> Result<Piece> {
    let mut parts = Vec::new();
    for sort in sorts {
        let operand = operand(&sort.field)?;
        let direction = match sort.order {
            SortOrder::Ascending => " ASC NULLS LAST",
            SortOrder::Descending => " DESC NULLS LAST",
        };
        parts.push(operand.rank().then(direction));
        if let Operand::Time(column) = &operand {
            parts.push(column.clone().then(direction));
        }
        let values = [operand.boolean(), operand.number(), operand.text()];
        parts.extend(values.into_iter().flatten().map(|value| value.then(direction)));
    }
    parts.push(Piece::fixed("d.partition, d.id"));
    Ok(Piece::join(&parts, ", "))
}

/// The largest rank of a row's sort values.
pub(super) fn ranks(sorts: &[Sort]) -> Result<Piece> {
    if sorts.is_empty() {
        return Ok(Piece::fixed("0"));
    }
    let ranks = sorts.iter().map(|sort| Ok(operand(&sort.field)?.rank()));
    let ranks = Piece::join(&ranks.collect::<Result<Vec<_>>>()?, ", ");
    Ok(Piece::fixed("coalesce(greatest(").and(&ranks).then("), 0)"))
}

/// The condition of the rows that follow a key; `None` where it cannot be told.
pub(super) fn following(
    plan: &Plan,
    key: &SortKey,
    to: &mut Statement<'_>,
) -> Result<Option<Piece>> {
    let Some(values) = read(plan.sort(), key.values()) else { return Ok(None) };
    if !is_key_of(plan, key, &values)? {
        return Ok(None);
    }
    let (mut equal, mut ways) = (Vec::new(), Vec::new());
    for (sort, value) in plan.sort().iter().zip(&values) {
        let operand = operand(&sort.field)?;
        let (same, after) = step(&operand, sort.order, value.as_ref(), to);
        let mut way = equal.clone();
        way.push(after);
        ways.push(Piece::fixed("(").and(&Piece::join(&way, " AND ")).then(")"));
        equal.push(same);
    }
    let name = key.document();
    let partition = to.place(name.partition.as_str());
    let id = to.place(name.id.as_str());
    let names = Piece::fixed("(d.partition, d.id) > (").and(&partition).then(", ").and(&id);
    equal.push(names.then(")"));
    ways.push(Piece::fixed("(").and(&Piece::join(&equal, " AND ")).then(")"));
    Ok(Some(Piece::fixed("(").and(&Piece::join(&ways, " OR ")).then(")")))
}

fn operand(field: &Field) -> Result<Operand> {
    Operand::new(field, &Piece::fixed("d.doc"), "d.")
}

/// Where a row has the same value, and where it comes after it.
fn step(
    operand: &Operand,
    order: SortOrder,
    value: Option<&Value>,
    to: &mut Statement<'_>,
) -> (Piece, Piece) {
    let rank = operand.rank();
    let missing = Piece::fixed("(").and(&rank).then(" IS NULL)");
    let (column, constant, own) = match value {
        Some(Value::Bool(value)) => (operand.boolean(), to.place(*value), "1"),
        Some(number @ Value::Number(_)) => {
            (operand.number(), to.place(queryable::text(number)).then("::numeric"), "2")
        }
        Some(Value::String(text)) => match operand {
            Operand::Time(column) => {
                (Some(column.clone()), to.place(times::bound(text).micros), "3")
            }
            _ => (operand.text(), to.place(text.as_str()), "3"),
        },
        _ => return (missing, Piece::fixed("false")),
    };
    let column = column.unwrap_or_else(|| Piece::fixed("NULL"));
    let same = Piece::fixed("(").and(&column).then(" = ").and(&constant).then(")");
    let sign = if order == SortOrder::Ascending { " > " } else { " < " };
    let after = Piece::fixed("(")
        .and(&missing)
        .then(" OR ")
        .and(&rank)
        .then(sign)
        .then(own)
        .then(" OR ")
        .and(&column)
        .then(sign)
        .and(&constant)
        .then(")");
    (same, after)
}

/// Reads the values of a key back: `None` within for missing ones.
fn read(sorts: &[Sort], mut bytes: &[u8]) -> Option<Vec<Option<Value>>> {
    let mut values = Vec::new();
    for sort in sorts {
        let flip = if sort.order == SortOrder::Descending { 0xff } else { 0 };
        let (first, rest) = bytes.split_first()?;
        bytes = rest;
        if *first == 0xff {
            values.push(None);
            continue;
        }
        values.push(Some(match first ^ flip {
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => {
                let (number, rest) = bytes.split_at_checked(10)?;
                bytes = rest;
                Value::Number(read_number(number, flip)?)
            }
            4 => {
                let end = bytes.iter().position(|byte| byte ^ flip == 0)?;
                let text = bytes[..end].iter().map(|byte| (byte ^ flip).wrapping_sub(1));
                bytes = &bytes[end + 1..];
                Value::String(String::from_utf8(text.collect()).ok()?)
            }
            _ => return None,
        }));
    }
    bytes.is_empty().then_some(values)
}

fn read_number(bytes: &[u8], flip: u8) -> Option<Number> {
    let flipped: Vec<u8> = bytes.iter().map(|byte| byte ^ flip).collect();
    let ordered = u64::from_be_bytes(flipped.get(..8)?.try_into().ok()?);
    let rest = i128::from(u16::from_be_bytes(flipped.get(8..)?.try_into().ok()?)) - 0x8000;
    let bits = if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered };
    let float = f64::from_bits(bits);
    if float.fract() == 0.0 && float.abs() < 2_f64.powi(65) {
        #[allow(clippy::cast_possible_truncation)] // It is whole.
        let whole = float as i128 + rest;
        if let Ok(whole) = i64::try_from(whole) {
            return Some(whole.into());
        }
        if let Ok(whole) = u64::try_from(whole) {
            return Some(whole.into());
        }
    }
    Number::from_f64(float)
}

/// Whether a document of these values stands where the key says.
fn is_key_of(plan: &Plan, key: &SortKey, values: &[Option<Value>]) -> Result<bool> {
    let mut document = Document {
        key: key.document().clone(),
        etag: "0-000000000000000000000000".parse()?,
        body: Json::stored("{}"),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        updated_by: None,
    };
    let mut body = Value::Object(Map::new());
    for (sort, value) in plan.sort().iter().zip(values) {
        let text = value.as_ref().and_then(Value::as_str);
        match (&sort.field, value, text) {
            (Field::Body(pointer), Some(value), _) if !place(&mut body, pointer, value) => {
                return Ok(false);
            }
            (Field::ETag, _, Some(text)) => match text.parse() {
                Ok(etag) => document.etag = etag,
                Err(_) => return Ok(false),
            },
            (Field::CreatedAt | Field::UpdatedAt, _, Some(text)) => {
                let bound = times::bound(text);
                let time = Timestamp::from_micros(bound.micros);
                match sort.field {
                    Field::CreatedAt => document.created_at = time,
                    _ => document.updated_at = time,
                }
            }
            (Field::UpdatedBy, _, text) => document.updated_by = text.map(Into::into),
            _ => {}
        }
    }
    document.body = Json::stored(body.to_string());
    Ok(plan.key(&document)? == *key)
}

/// Puts a value where a pointer finds it; `false` where another is in the way.
fn place(body: &mut Value, pointer: &str, value: &Value) -> bool {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let Value::Object(members) = at else { return false };
        at = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    *at = value.clone();
    true
}
