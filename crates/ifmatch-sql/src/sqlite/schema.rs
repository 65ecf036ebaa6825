//! The tables of a document store in a SQLite file.
//!
//! Small changes must be small page deltas: a table by rowid, the narrow
//! columns before the body, the body as plain JSON text, one index.

use ifmatch_core::Env;
use ifmatch_meta::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::sqlite::error::Failure;

/// "IFMD": marks the file as a document store of ours.
const APPLICATION: i32 = i32::from_be_bytes(*b"IFMD");
/// The form of the tables.
const VERSION: i32 = 1;

/// What is not found in a database without tables.
pub(crate) const EMPTY: &str = "a document store";

const TABLES: &str = "
CREATE TABLE documents (
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,          -- without quotes
    position INTEGER NOT NULL,   -- the commit that wrote this state
    created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    body TEXT NOT NULL,          -- JSON, byte for byte as put
    UNIQUE (partition, id)
) STRICT;
-- One row: what is counted in this store.
CREATE TABLE _ifmatch_store (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    store_id BLOB NOT NULL,      -- 128 random bits
    commits INTEGER NOT NULL,    -- position of the newest commit
    etags INTEGER NOT NULL       -- ETags ever minted
) STRICT;
";

/// What a database holds.
enum Found {
    Ours,
    /// Nothing but tables of ours for other purposes.
    Empty,
}

/// Makes sure that the database is a document store; makes an empty one into it
/// if asked.
pub(crate) fn prepare(connection: &mut Connection, create: bool, env: &Env) -> Result<(), Failure> {
    // Most of the time it is: that needs no lock, but one snapshot.
    if let Found::Ours = look(&*connection.transaction()?)? {
        return Ok(());
    }
    if !create {
        return Err(ifmatch_core::Error::NotFound { what: EMPTY.into() }.into());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Found::Empty = look(&transaction)? {
        transaction.execute_batch(TABLES)?;
        let mut id = [0; 16];
        env.fill_random(&mut id);
        transaction.execute("INSERT INTO _ifmatch_store VALUES (1, ?1, 0, 0)", [&id[..]])?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(transaction.commit()?)
}

/// Whether the database is a working copy that is synced (its mark says so).
pub(crate) fn is_synced(connection: &Connection) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_ifmatch'";
    Ok(connection.query_row(sql, [], |_| Ok(())).optional()?.is_some())
}

fn look(connection: &Connection) -> Result<Found, Failure> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables = tables(connection)?;
    if application == APPLICATION {
        return match version {
            VERSION => ours(&tables),
            newer => Err(Error::unsupported(format!(
                "a document store of form {newer}; this build reads form {VERSION}"
            ))
            .into()),
        };
    }
    let foreign: Vec<_> = tables.iter().filter(|name| !name.starts_with("_ifmatch")).collect();
    if application == 0 && foreign.is_empty() {
        return Ok(Found::Empty);
    }
    let mut what = match foreign.as_slice() {
        [] => format!("application id {application:#010x}"),
        few if few.len() <= 3 => format!("the tables {few:?}"),
        [a, b, c, rest @ ..] => format!("the tables {a:?}, {b:?}, {c:?} and {} more", rest.len()),
        _ => String::new(),
    };
    what.push_str(": it is not a document store; give documents a file of their own");
    Err(Error::unsupported(format!("a database with {what}")).into())
}

fn ours(tables: &[String]) -> Result<Found, Failure> {
    for needed in ["documents", "_ifmatch_store"] {
        if !tables.iter().any(|table| table == needed) {
            let detail = format!("the table {needed} is missing; restore a backup");
            return Err(Error::corrupt("the document store", detail).into());
        }
    }
    Ok(Found::Ours)
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}
