//! Which statement finds the candidates.

use std::fmt::Write as _;

use ifmatch_meta::{DocKey, Field, Filter, Index, Partition, Result, Scope};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::expression::expression;
use super::indexes;
use super::range::{self, Range};
use crate::sqlite::error::Failure;
use crate::sqlite::rows;

/// Most entries of an index that are looked at where a scan in order of the id
/// could end early: where more documents match, it finds the first ones soon.
const SELECTIVE: i64 = 5_000;

/// What is looked for.
pub(super) struct Wanted<'a> {
    pub(super) scope: &'a Scope,
    pub(super) filter: &'a Filter,
    /// Whether those that are first by partition and id are enough.
    pub(super) first: bool,
    /// Only those after this one.
    pub(super) after: Option<DocKey>,
}

/// A statement that finds at least the documents that are wanted.
pub(super) struct Access {
    pub(super) sql: String,
    pub(super) values: Vec<Sql>,
    /// Whether they come in order of partition and id.
    pub(super) in_order: bool,
}

impl Access {
    /// The best one that the declared indexes allow.
    pub(super) fn choose(connection: &Connection, wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let ranges = ranges(wanted.filter);
        let declared = indexes::list(connection)?;
        let Some((index, range)) = best(&declared, &ranges) else {
            return Ok(Self::scan(wanted, &ranges));
        };
        let equal = matches!(range, Range::Equal(..));
        if wanted.first && !equal && !is_selective(connection, index, range)? {
            return Ok(Self::scan(wanted, &ranges));
        }
        let access = Self::indexed(wanted, &ranges, index, range);
        // Another tool may have dropped the index.
        match connection.prepare_cached(&access.sql) {
            Ok(_) => Ok(access),
            Err(_) => Ok(Self::scan(wanted, &ranges)),
        }
    }

    /// Without a declared index. What conditions say of the body is still looked
    /// at: SQLite passes over most rows faster than the evaluator.
    fn scan(wanted: &Wanted<'_>, ranges: &[(&Field, Range)]) -> Self {
        let mut values = Vec::new();
        let rest = conditions(wanted, ranges, None, &mut values);
        let order = if wanted.first { " ORDER BY partition, id" } else { "" };
        let sql = format!("{} WHERE {rest}{order}", rows::CANDIDATES);
        Self { sql, values, in_order: wanted.first }
    }

    fn indexed(
        wanted: &Wanted<'_>,
        ranges: &[(&Field, Range)],
        index: &Index,
        range: &Range,
    ) -> Self {
        let mut values = Vec::new();
        let rest = conditions(wanted, ranges, Some(range), &mut values);
        let expression = expression(&index.field).unwrap_or_default();
        let from = format!("{} INDEXED BY {}", rows::CANDIDATES, indexes::name(&index.name));
        let in_order = wanted.first && matches!(range, Range::Equal(..));
        if !in_order {
            let there = range.sql(&expression, &mut values);
            return Self { sql: format!("{from} WHERE {there} AND {rest}"), values, in_order };
        }
        // Within one value the index is in order of partition and id. The few
        // values that are hardly different are put in between.
        let Range::Equal(value, near) = range else { return Self::scan(wanted, ranges) };
        values.push(value.clone());
        let same = values.len();
        let mut sql = format!("{from} WHERE {expression} = ?{same} AND {rest}");
        if let Some((low, high)) = near {
            values.extend([Sql::Real(*low), Sql::Real(*high)]);
            let (low, high) = (same + 1, same + 2);
            let _ = write!(
                sql,
                " UNION ALL {from} WHERE {expression} >= ?{low} AND {expression} <= ?{high}
                  AND {expression} <> ?{same} AND {rest}"
            );
        }
        sql.push_str(" ORDER BY partition, id");
        Self { sql, values, in_order }
    }
}

/// What the parts of a filter say that must all be true; of one field two sides
/// of a range together, so that an index is searched from both.
fn ranges(filter: &Filter) -> Vec<(&Field, Range)> {
    let mut found: Vec<(&Field, Range)> = Vec::new();
    let mut rest = vec![filter];
    while let Some(part) = rest.pop() {
        if let Filter::And(all) = part {
            rest.extend(all.iter().rev());
            continue;
        }
        let Some((field, range)) = range::of(part) else { continue };
        let own = found.iter_mut().find(|(other, _)| *other == field);
        match own.and_then(|(_, other)| Some((other.and(&range)?, other))) {
            Some((both, other)) => *other = both,
            None => found.push((field, range)),
        }
    }
    found
}

fn best<'a>(
    declared: &'a [Index],
    ranges: &'a [(&Field, Range)],
) -> Option<(&'a Index, &'a Range)> {
    let usable = declared.iter().flat_map(|index| {
        let own = ranges.iter().filter(|(field, _)| **field == index.field);
        own.map(move |(_, range)| (index, range))
    });
    usable.max_by_key(|(_, range)| range.rank())
}

/// Whether few index entries lie in the range.
fn is_selective(connection: &Connection, index: &Index, range: &Range) -> Result<bool, Failure> {
    let mut values = Vec::new();
    let expression = expression(&index.field).unwrap_or_default();
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM documents INDEXED BY {} WHERE {} LIMIT {SELECTIVE})",
        indexes::name(&index.name),
        range.sql(&expression, &mut values),
    );
    // Without the index: it is found out later.
    let Ok(mut statement) = connection.prepare_cached(&sql) else { return Ok(true) };
    let found = statement.query_row(rusqlite::params_from_iter(&values), |row| row.get(0));
    Ok(found.map(|count: i64| count < SELECTIVE)?)
}

/// All but what the index is used for.
fn conditions(
    wanted: &Wanted<'_>,
    ranges: &[(&Field, Range)],
    but: Option<&Range>,
    values: &mut Vec<Sql>,
) -> String {
    let mut sql = String::from(rows::NO_RESERVED_ID);
    let partition = rows::partition_of(wanted.scope).map(Partition::as_str);
    match partition {
        Some(partition) => {
            values.push(Sql::Text(partition.into()));
            let _ = write!(sql, " AND partition = ?{}", values.len());
        }
        None => {
            let _ = write!(sql, " AND {}", rows::NO_RESERVED_PARTITION);
        }
    }
    if let Some(after) = &wanted.after {
        values.push(Sql::Text(after.partition.as_str().into()));
        values.push(Sql::Text(after.id.as_str().into()));
        let (partition, id) = (values.len() - 1, values.len());
        let _ = match wanted.scope {
            Scope::Partition(_) => write!(sql, " AND ?{partition} = partition AND id > ?{id}"),
            _ => write!(sql, " AND (partition, id) > (?{partition}, ?{id})"),
        };
    }
    for (field, range) in ranges {
        if but.is_some_and(|but| std::ptr::eq(but, range)) {
            continue;
        }
        if let Some(expression) = expression(field) {
            // The sign keeps it from being looked for in an index: which one
            // serves is decided here, but for that of partition and id.
            let leads = match wanted.scope {
                Scope::Partition(_) => **field == Field::Id,
                _ => **field == Field::Partition,
            };
            let sign = if leads { "" } else { "+" };
            let _ = write!(sql, " AND {}", range.sql(&format!("{sign}{expression}"), values));
        }
    }
    sql
}
