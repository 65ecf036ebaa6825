//! Which statement finds the candidates.

use std::fmt::Write as _;

use ifmatch_meta::{DocKey, Field, Filter, Index, Partition, Result, Scope, Sort, SortOrder};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::expression::expression;
use super::range::{self, Range};
use super::{indexes, sorted};
use crate::sqlite::error::Failure;
use crate::sqlite::rows;

/// Most entries of an index that are looked at where a scan in order of the id
/// could end early: where more documents match, it finds the first ones soon.
const SELECTIVE: i64 = 5_000;

/// What is looked for.
pub(super) struct Wanted<'a> {
    pub(super) scope: &'a Scope,
    pub(super) filter: &'a Filter,
    /// In which order, after which partition and id decide.
    pub(super) sort: &'a [Sort],
    /// Only those after this one, where they are wanted in order of the id.
    pub(super) after: Option<&'a DocKey>,
    /// Whether a page is enough, of those that are first.
    pub(super) page: bool,
}

impl Wanted<'_> {
    /// The order of partition and id, where it is the one that is wanted.
    pub(super) fn by_id(&self) -> Option<SortOrder> {
        match (self.scope, self.sort.first()) {
            _ if !self.page => None,
            (_, None) => Some(SortOrder::Ascending),
            // An id is there once in a partition.
            (Scope::Partition(_), Some(Sort { field: Field::Id, order })) => Some(*order),
            _ => None,
        }
    }
}

/// A statement that finds at least the documents that are wanted.
pub(super) struct Access {
    pub(super) sql: String,
    pub(super) values: Vec<Sql>,
    pub(super) comes: Comes,
}

/// In which order candidates come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comes {
    /// In the one that is wanted.
    InOrder,
    /// By the value of an index, which is in the column after the document's, so
    /// that the end of a page shows.
    ByValue(SortOrder),
    InNone,
}

impl Access {
    /// The best one that the declared indexes allow.
    pub(super) fn choose(connection: &Connection, wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let ranges = ranges(wanted.filter);
        let declared = indexes::list(connection)?;
        let access = match best(&declared, &ranges) {
            Some((index, range)) if range.rank() > Range::SIDED && wanted.by_id().is_none() => {
                // A few are read sooner than the first ones of many are found.
                if is_selective(connection, index, range)? {
                    Some(Self::indexed(wanted, &ranges, index, range))
                } else {
                    let sorted = Self::sorted(connection, wanted, &declared, &ranges)?;
                    Some(sorted.unwrap_or_else(|| Self::indexed(wanted, &ranges, index, range)))
                }
            }
            Some((index, range)) if wanted.by_id().is_some() => {
                let few =
                    matches!(range, Range::Equal(..)) || is_selective(connection, index, range)?;
                few.then(|| Self::indexed(wanted, &ranges, index, range))
            }
            other => match Self::sorted(connection, wanted, &declared, &ranges)? {
                Some(sorted) => Some(sorted),
                None => other.map(|(index, range)| Self::indexed(wanted, &ranges, index, range)),
            },
        };
        // Another tool may have dropped the index.
        Ok(match access {
            Some(access) if connection.prepare_cached(&access.sql).is_ok() => access,
            _ => Self::scan(wanted, &ranges),
        })
    }

    /// Without a declared index. What conditions say of the body is still looked
    /// at: SQLite passes over most rows faster than the evaluator.
    fn scan(wanted: &Wanted<'_>, ranges: &[(&Field, Range)]) -> Self {
        let mut values = Vec::new();
        let rest = conditions(wanted, ranges, None, &mut values);
        let mut sql = format!("{}{} WHERE {rest}", rows::CANDIDATES, rows::FROM);
        let Some(order) = wanted.by_id() else { return Self { sql, values, comes: Comes::InNone } };
        sql.push_str(by_id(order));
        Self { sql, values, comes: Comes::InOrder }
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
        let name = indexes::name(&index.name);
        let from = format!("{}{} INDEXED BY {name}", rows::CANDIDATES, rows::FROM);
        // Within one value the index is in order of partition and id. The few
        // values that are hardly different are put in between.
        let (Range::Equal(value, near), Some(order)) = (range, wanted.by_id()) else {
            let there = range.sql(&expression, &mut values);
            let sql = format!("{from} WHERE {there} AND {rest}");
            return Self { sql, values, comes: Comes::InNone };
        };
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
        sql.push_str(by_id(order));
        Self { sql, values, comes: Comes::InOrder }
    }

    /// In the order of an index on what is sorted by first, where the index has
    /// that order.
    fn sorted(
        connection: &Connection,
        wanted: &Wanted<'_>,
        declared: &[Index],
        ranges: &[(&Field, Range)],
    ) -> Result<Option<Self>, Failure> {
        let Some(Sort { field, order }) = wanted.sort.first().filter(|_| wanted.page) else {
            return Ok(None);
        };
        let Some(index) = declared.iter().find(|index| index.field == *field) else {
            return Ok(None);
        };
        let range = ranges.iter().map(|(other, range)| (*other, range));
        let range = range.filter(|(other, range)| *other == field && range.is_of_one_type());
        let range = range.map(|(_, range)| range).next();
        let has_its_order = match field {
            Field::Body(_) | Field::UpdatedBy => range.is_some(),
            _ => sorted::is_ordered(connection, field)?,
        };
        if !has_its_order {
            return Ok(None);
        }
        let mut values = Vec::new();
        let rest = conditions(wanted, ranges, range, &mut values);
        let value = expression(field).unwrap_or_default();
        let there = range.map_or("TRUE".into(), |range| range.sql(&value, &mut values));
        let direction = match order {
            SortOrder::Ascending => "",
            SortOrder::Descending => " DESC",
        };
        let sql = format!(
            "{}, {value} AS value{} INDEXED BY {} WHERE {there} AND {rest} ORDER BY value{direction}",
            rows::CANDIDATES,
            rows::FROM,
            indexes::name(&index.name),
        );
        Ok(Some(Self { sql, values, comes: Comes::ByValue(*order) }))
    }
}

const fn by_id(order: SortOrder) -> &'static str {
    match order {
        SortOrder::Ascending => " ORDER BY partition, id",
        SortOrder::Descending => " ORDER BY partition DESC, id DESC",
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
    if let (Some(after), Some(order)) = (wanted.after, wanted.by_id()) {
        values.push(Sql::Text(after.partition.as_str().into()));
        values.push(Sql::Text(after.id.as_str().into()));
        let (partition, id) = (values.len() - 1, values.len());
        let _ = match (wanted.scope, order) {
            (Scope::Partition(_), SortOrder::Ascending) => {
                write!(sql, " AND ?{partition} = partition AND id > ?{id}")
            }
            (Scope::Partition(_), SortOrder::Descending) => {
                write!(sql, " AND ?{partition} = partition AND id < ?{id}")
            }
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
