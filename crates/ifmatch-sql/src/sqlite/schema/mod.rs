//! The tables of a document store in a SQLite file, and their forms.

mod tables;

use ifmatch_core::Env;
use ifmatch_meta::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use crate::sqlite::error::Failure;

/// "IFMD": marks the file as a document store of ours.
const APPLICATION: i32 = i32::from_be_bytes(*b"IFMD");
/// The form of the tables.
const VERSION: i32 = 2;

/// What is not found in a database without tables.
pub(crate) const EMPTY: &str = "a document store";

/// What a database holds.
enum Found {
    Ours,
    /// A document store of form 1.
    Older,
    /// Nothing but tables of ours for other purposes.
    Empty,
}

/// Makes sure that the database is a document store of this form: makes an empty
/// one into it if asked, and an older one in any case.
pub(crate) fn prepare(connection: &mut Connection, create: bool, env: &Env) -> Result<(), Failure> {
    // Most of the time it is: that needs no lock, but one snapshot.
    match look(&*connection.transaction()?)? {
        Found::Ours => return Ok(()),
        Found::Empty if !create => {
            return Err(ifmatch_core::Error::NotFound { what: EMPTY.into() }.into());
        }
        Found::Empty | Found::Older => {}
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match look(&transaction)? {
        Found::Ours => return Ok(()),
        Found::Empty => {
            transaction.execute_batch(tables::DOCUMENTS)?;
            let mut id = [0; 16];
            env.fill_random(&mut id);
            let sql = "INSERT INTO _ifmatch_store (only_row, store_id, commits, etags)
                       VALUES (1, ?1, 0, 0)";
            transaction.execute(sql, [&id[..]])?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
        }
        Found::Older => transaction.execute_batch(tables::FROM_1)?,
    }
    transaction.execute_batch(tables::BESIDE)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
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
            VERSION => ours(&tables).map(|()| Found::Ours),
            1 => ours(&tables).map(|()| Found::Older),
            newer => Err(Error::unsupported(format!(
                "a document store of form {newer}; this build reads forms up to {VERSION}"
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

fn ours(tables: &[String]) -> Result<(), Failure> {
    for needed in ["documents", "_ifmatch_store"] {
        if !tables.iter().any(|table| table == needed) {
            let detail = format!("the table {needed} is missing; restore a backup");
            return Err(Error::corrupt("the document store", detail).into());
        }
    }
    Ok(())
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}
