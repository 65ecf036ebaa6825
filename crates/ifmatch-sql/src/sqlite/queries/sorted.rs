//! The first documents by what an index is over.
//!
//! An index orders values nearly as a sort does: of numbers those that are hardly
//! different may have changed places, of texts those with the same beginning.
//! So once a page is full, candidates are still read as long as they might belong
//! before its end.

use std::ops::ControlFlow;

use ifmatch_meta::query::{Given, Plan};
use ifmatch_meta::{Field, Mark, QueryPage, Result, SortOrder};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::access::Access;
use super::range::{LAST, SLACK};
use crate::sqlite::error::Failure;
use crate::sqlite::rows;

/// The page of a plan, of candidates in the order of an index.
pub(super) fn page(
    connection: &Connection,
    access: &Access,
    order: SortOrder,
    plan: &Plan,
    mark: Option<Mark>,
) -> Result<QueryPage, Failure> {
    // One more than the page, to know whether there is more.
    let mut missing = plan.limit().saturating_add(plan.offset()).saturating_add(1);
    let mut end = None;
    let mut collector = plan.clone().collector(Given::Unordered);
    let mut statement = connection.prepare_cached(&access.sql)?;
    let mut found = statement.query(params_from_iter(&access.values))?;
    while let Some(row) = found.next()? {
        let value: Sql = row.get(rows::AFTER_CANDIDATE)?;
        if end.as_ref().is_some_and(|end| is_beyond(&value, end, order)) {
            break;
        }
        let document = rows::candidate(row)?;
        if end.is_none() && belongs(plan, &document)? {
            missing -= 1;
            end = (missing == 0).then_some(value);
        }
        let _: ControlFlow<()> = collector.push(&document)?;
    }
    Ok(collector.finish(mark)?)
}

fn belongs(plan: &Plan, document: &ifmatch_meta::Document) -> Result<bool> {
    if !plan.matches(document)? {
        return Ok(false);
    }
    match plan.after() {
        Some(after) => Ok(plan.key(document)? > *after),
        None => Ok(true),
    }
}

/// Whether whatever has this value comes after all that came up to `end`.
fn is_beyond(value: &Sql, end: &Sql, order: SortOrder) -> bool {
    let (first, last) = match order {
        SortOrder::Ascending => (end, value),
        SortOrder::Descending => (value, end),
    };
    if let (Sql::Text(first), Sql::Text(last)) = (first, last) {
        return first < last;
    }
    match (number(first), number(last)) {
        (Some(first), Some(last)) => {
            let slack = 4.0 * SLACK * first.abs().max(last.abs()) + f64::MIN_POSITIVE;
            last - first > slack
        }
        _ => false,
    }
}

fn number(value: &Sql) -> Option<f64> {
    match value {
        #[allow(clippy::cast_precision_loss)] // By far less than the slack.
        Sql::Integer(value) => Some(*value as f64),
        Sql::Real(value) => Some(*value),
        _ => None,
    }
}

/// Whether a field of all documents has the order of its index.
pub(super) fn is_ordered(connection: &Connection, field: &Field) -> Result<bool, Failure> {
    let column = match field {
        Field::Id => return Ok(true),
        Field::CreatedAt => "created_at",
        Field::UpdatedAt => "updated_at",
        _ => return Ok(false),
    };
    // Times of years with four digits print in their order. The index on the
    // column finds others at once.
    let sql = format!(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM documents WHERE {column} > {LAST})
         OR EXISTS (SELECT 1 FROM documents WHERE {column} < {FIRST})"
    );
    Ok(connection.prepare_cached(&sql)?.query_row([], |_| Ok(())).optional()?.is_none())
}

/// Microseconds of the first moment that prints with a year of four digits.
const FIRST: i64 = -62_167_219_200_000_000;
