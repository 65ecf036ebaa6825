//! The tables and functions of a store, and how they come into a database.

use ifmatch_core::{Error as CoreError, Operation};
use ifmatch_meta::{Error, Result};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::client::Client;
use super::error::Sent;

/// One script for each version, in order.
const VERSIONS: [&[&str]; 1] = [&[
    include_str!("sql/tables.sql"),
    include_str!("sql/write.sql"),
    include_str!("sql/trim.sql"),
    include_str!("sql/transactions.sql"),
]];

/// What a schema holds.
enum Found {
    /// A store of this version and id.
    Store(usize, u128),
    /// No such schema.
    Nothing,
    /// A schema without tables.
    Empty,
}

/// Makes sure that the schema holds a store of the newest version; answers its
/// id.
pub(super) async fn prepare(client: &Client, create: bool) -> Result<u128> {
    let mut connection = client.dedicated().await?;
    let id = match look(client, &mut connection).await? {
        Found::Store(version, id) if version == VERSIONS.len() => id,
        Found::Nothing | Found::Empty if !create => {
            let what = format!("a document store in {}", client.subject).into();
            return Err(CoreError::NotFound { what }.into());
        }
        _ => migrate(client, &mut connection).await?,
    };
    // An orderly end; dropping the connection would do.
    let _ = sqlx::Connection::close(connection).await;
    Ok(id)
}

/// One transaction, by one opener at a time. Whoever is dropped in it leaves a
/// connection behind that the server rolls back.
async fn migrate(client: &Client, connection: &mut PgConnection) -> Result<u128> {
    let failed = |error: sqlx::Error| client.failed(error.into(), Sent::Nothing, Operation::Open);
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 3))";
    connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(failed)?;
    let name = client.schema.name();
    sqlx::query(lock).bind(name).execute(&mut *connection).await.map_err(failed)?;
    let (from, id) = match look(client, connection).await? {
        Found::Store(version, id) => (version, id),
        found => {
            if matches!(found, Found::Nothing) {
                let create = AssertSqlSafe(format!("CREATE SCHEMA \"{name}\""));
                connection.execute(create).await.map_err(failed)?;
            }
            let draw = || u128::from(client.env.random_u64());
            (0, draw() << 64 | draw())
        }
    };
    for scripts in VERSIONS.iter().skip(from) {
        for script in *scripts {
            let script = sqlx::raw_sql(client.schema.script(script));
            script.execute(&mut *connection).await.map_err(failed)?;
        }
    }
    let row = client
        .schema
        .statement("INSERT INTO schema.store (ifmatch_version, id) VALUES (")
        .value(i32::try_from(VERSIONS.len()).unwrap_or(i32::MAX))
        .push(", ")
        .value(format!("{id:032x}"))
        .push(") ON CONFLICT (only_row) DO UPDATE SET ifmatch_version = excluded.ifmatch_version");
    let (text, values) = row.finish().map_err(failed)?;
    sqlx::query_with(text, values).execute(&mut *connection).await.map_err(failed)?;
    connection.execute("COMMIT").await.map_err(failed)?;
    Ok(id)
}

async fn look(client: &Client, connection: &mut PgConnection) -> Result<Found> {
    let failed = |error: sqlx::Error| client.failed(error.into(), Sent::Nothing, Operation::Open);
    let sql = "SELECT to_regnamespace($1) IS NOT NULL AS there,
        current_setting('server_encoding') AS encoding,
        current_setting('server_version_num')::integer AS version,
        (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1) AS relations,
        EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
            AND c.relname = 'store' AND a.attname = 'ifmatch_version') AS ours";
    let name = client.schema.name();
    let row = sqlx::query(sql).bind(name).fetch_one(&mut *connection).await.map_err(failed)?;
    let encoding: String = row.try_get("encoding").map_err(failed)?;
    let server: i32 = row.try_get("version").map_err(failed)?;
    if encoding != "UTF8" {
        return Err(Error::unsupported(format!("{}: encoding {encoding}", client.subject)));
    }
    if server < 130_000 {
        return Err(Error::unsupported(format!(
            "{}: PostgreSQL before 13 (it says {server})",
            client.subject
        )));
    }
    if !row.try_get::<bool, _>("there").map_err(failed)? {
        return Ok(Found::Nothing);
    }
    if !row.try_get::<bool, _>("ours").map_err(failed)? {
        return match row.try_get::<i64, _>("relations").map_err(failed)? {
            0 => Ok(Found::Empty),
            _ => Err(Error::unsupported(format!(
                "{}: the schema holds other tables",
                client.subject
            ))),
        };
    }
    let statement = client.schema.statement(
        "SELECT ifmatch_version, id, schema.newest() >=
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS ahead FROM schema.store",
    );
    let (text, values) = statement.finish().map_err(failed)?;
    let row = sqlx::query_with(text, values).fetch_one(connection).await.map_err(failed)?;
    let version: i32 = row.try_get("ifmatch_version").map_err(failed)?;
    let id: String = row.try_get("id").map_err(failed)?;
    // New commits would get positions below old ones, and no feed would tell them.
    if row.try_get::<bool, _>("ahead").map_err(failed)? {
        return Err(Error::unsupported(format!(
            "{}: its positions are those of another server (restored from a dump?): export \
             its documents and import them into a new store",
            client.subject
        )));
    }
    let id = u128::from_str_radix(&id, 16)
        .map_err(|_| Error::corrupt(client.subject.clone(), "the store's id"))?;
    match usize::try_from(version) {
        Ok(version) if (1..=VERSIONS.len()).contains(&version) => Ok(Found::Store(version, id)),
        _ => Err(Error::unsupported(format!(
            "{}: a store of version {version}, this library knows {}",
            client.subject,
            VERSIONS.len()
        ))),
    }
}
