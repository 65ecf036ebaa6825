//! Declared indexes.

use ifmatch_meta::{Error, Index, IndexName, Result};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::expression::expression;
use crate::sqlite::error::Failure;

/// Most indexes: each makes every write dearer.
const MOST: usize = 64;

/// The name of an index in the file.
pub(super) fn name(index: &IndexName) -> String {
    format!("\"_ifmatch_index_{index}\"")
}

/// Declares an index and fills it.
///
/// Its entries are ordered by the value, then by partition and id. So one serves
/// both scopes: equal values come in the order of an unsorted query, and a range
/// in one partition reads entries of others, but none of their documents.
pub(crate) fn create(connection: &Connection, index: &Index) -> Result<(), Failure> {
    index.field.validate()?;
    let Some(expression) = expression(&index.field) else {
        return Err(Error::unsupported(format!(
            "an index on {}: on SQLite a name in it holds no \", no \\ and no control character, \
             and at most two names are numbers",
            index.field
        ))
        .into());
    };
    let sql = "SELECT field FROM _ifmatch_indexes WHERE name = ?1";
    let there = connection.query_row(sql, [index.name.as_str()], |row| row.get::<_, String>(0));
    match there.optional()? {
        Some(field) if field == index.field.as_str() => {}
        Some(field) => {
            let what = format!("index {} is one on {field} already", index.name);
            return Err(Error::invalid(what).into());
        }
        None => {
            let count = list(connection)?.len();
            if count >= MOST {
                let (count, limit) = (count + 1, MOST);
                return Err(Error::TooMany { what: "declared indexes", count, limit }.into());
            }
            let sql = "INSERT INTO _ifmatch_indexes (name, field) VALUES (?1, ?2)";
            connection.execute(sql, [index.name.as_str(), index.field.as_str()])?;
        }
    }
    // Where another tool dropped it, it is made again.
    let columns = match expression.as_str() {
        "id" => "id, partition".into(),
        "partition" => "partition, id".into(),
        _ => format!("{expression}, partition, id"),
    };
    let name = name(&index.name);
    connection
        .execute(&format!("CREATE INDEX IF NOT EXISTS {name} ON documents ({columns})"), [])?;
    Ok(())
}

/// Drops an index; whether it was there.
pub(crate) fn drop(connection: &Connection, index: &IndexName) -> Result<bool, Failure> {
    connection.execute(&format!("DROP INDEX IF EXISTS {}", name(index)), [])?;
    let sql = "DELETE FROM _ifmatch_indexes WHERE name = ?1";
    Ok(connection.execute(sql, [index.as_str()])? > 0)
}

/// The declared indexes, in order of their names.
pub(crate) fn list(connection: &Connection) -> Result<Vec<Index>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT name, field FROM _ifmatch_indexes ORDER BY name")?;
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let found = statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let index = |(name, field): (String, String)| {
        Ok(Index { name: IndexName::new(name)?, field: field.parse()? })
    };
    Ok(found.into_iter().map(index).collect::<Result<_>>()?)
}
