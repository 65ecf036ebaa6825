//! Declared indexes: one of PostgreSQL's for each type of values, over the
//! expressions that compiled conditions use. They are built beside writes, never in a
//! transaction; what a builder that died left behind is dropped and built anew.

use std::time::Duration;

use ifmatch_core::Operation;
use ifmatch_meta::{Error, Field, Index, IndexName, Result};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::client::Client;
use super::error::Sent;
use super::query::Operand;
use super::rows::Reader;
use super::sql::{Piece, Statement};

/// How long somebody else's building is waited for, at a time.
const PAUSE: Duration = Duration::from_millis(50);

/// Declares an index and builds it.
pub(super) async fn create(client: &Client, index: &Index) -> Result<()> {
    index.field.validate()?;
    let mut builder = Builder::new(client).await?;
    let built = builder.build(index).await;
    builder.close().await;
    built
}

/// Drops an index.
pub(super) async fn drop(client: &Client, name: &IndexName) -> Result<bool> {
    let mut builder = Builder::new(client).await?;
    let dropped = builder.drop(name).await;
    builder.close().await;
    dropped
}

/// The declared indexes.
pub(super) async fn list(client: &Client) -> Result<Vec<Index>> {
    let sql = "SELECT name, field FROM schema.indexes WHERE ready ORDER BY name";
    let rows = client.read(|| client.schema.statement(sql)).await?;
    let index = |row| {
        let reader = Reader::new(client, row);
        let name = IndexName::new(reader.column::<&str>("name")?)?;
        Ok(Index { name, field: reader.column::<&str>("field")?.parse()? })
    };
    rows.iter().map(index).collect()
}

/// A connection that holds the lock of builders. Dropped, it lets go of the lock
/// at the latest when its statement ends.
struct Builder<'a> {
    client: &'a Client,
    connection: PgConnection,
}

impl<'a> Builder<'a> {
    async fn new(client: &'a Client) -> Result<Self> {
        if client.is_closed() {
            return Err(Error::closed(client.subject.clone()));
        }
        let mut builder = Self { client, connection: client.dedicated().await? };
        // Waiting for it in a statement would keep its holder waiting too: an
        // index is done once older statements are.
        while !builder.try_lock().await? {
            client.env.sleep(PAUSE).await;
        }
        Ok(builder)
    }

    async fn try_lock(&mut self) -> Result<bool> {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended('schema.', 4)) AS locked";
        let rows = self.run(self.client.schema.statement(sql)).await?;
        let locked = rows.first().map(|row| row.try_get("locked"));
        locked.unwrap_or(Ok(false)).map_err(|error| self.client.unreadable(error))
    }

    async fn build(&mut self, index: &Index) -> Result<()> {
        let name = index.name.as_str();
        let schema = &self.client.schema;
        let sql = "SELECT field, ready FROM schema.indexes WHERE name = $1";
        let rows = self.run(schema.statement(sql).bind(name)).await?;
        if let Some(row) = rows.first() {
            let reader = Reader::new(self.client, row);
            let field: Field = reader.column::<&str>("field")?.parse()?;
            if field != index.field {
                return Err(Error::invalid(format!("index {name} stands for {field}")));
            }
            if reader.column("ready")? {
                return Ok(());
            }
        }
        self.drop_all(name).await?;
        let sql = "INSERT INTO schema.indexes (name, field, ready) VALUES ($1, $2, false)
            ON CONFLICT (name) DO NOTHING";
        self.run(schema.statement(sql).bind(name).bind(index.field.as_str())).await?;
        for (kind, expression) in expressions(&index.field)? {
            let statement = schema
                .statement("CREATE INDEX CONCURRENTLY ")
                .piece(&own_name(name, kind))
                .push(" ON schema.documents (")
                .piece(&expression)
                .push(", partition)");
            self.run(statement).await?;
        }
        let sql = "UPDATE schema.indexes SET ready = true WHERE name = $1";
        self.run(schema.statement(sql).bind(name)).await.map(std::mem::drop)
    }

    async fn drop(&mut self, name: &IndexName) -> Result<bool> {
        let sql = "UPDATE schema.indexes SET ready = false WHERE name = $1 RETURNING name";
        let known = self.run(self.client.schema.statement(sql).bind(name.as_str())).await?;
        self.drop_all(name.as_str()).await?;
        let sql = "DELETE FROM schema.indexes WHERE name = $1";
        self.run(self.client.schema.statement(sql).bind(name.as_str())).await?;
        Ok(!known.is_empty())
    }

    async fn drop_all(&mut self, name: &str) -> Result<()> {
        for kind in KINDS {
            let statement =
                self.client.schema.statement("DROP INDEX CONCURRENTLY IF EXISTS schema.");
            self.run(statement.piece(&own_name(name, kind))).await?;
        }
        Ok(())
    }

    async fn run(&mut self, statement: Statement<'_>) -> Result<Vec<sqlx::postgres::PgRow>> {
        let client = self.client;
        let failed =
            |error: sqlx::Error| client.failed(error.into(), Sent::Nothing, Operation::Put);
        let (text, values) = statement.finish().map_err(failed)?;
        let AssertSqlSafe(text) = text;
        let rows = sqlx::query_with(AssertSqlSafe(text), values).persistent(false);
        rows.fetch_all(&mut self.connection).await.map_err(failed)
    }

    async fn close(self) {
        let _ = sqlx::Connection::close(self.connection).await;
    }
}

const TEXTS: &str = "t";
const NUMBERS: &str = "n";
const BOOLEANS: &str = "b";
const KINDS: [&str; 3] = [TEXTS, NUMBERS, BOOLEANS];

/// The name of an index in the schema: those that are declared have at most 40
/// plain characters.
fn own_name(name: &str, kind: &'static str) -> Piece {
    Piece::fixed("\"declared_").identifier(name).then("_").then(kind).then("\"")
}

fn expressions(field: &Field) -> Result<Vec<(&'static str, Piece)>> {
    let operand = Operand::new(field, &Piece::fixed("doc"), "")?;
    let wrapped = |piece: Piece| Piece::fixed("(").and(&piece).then(")");
    Ok(match &operand {
        Operand::Json(_) => {
            let [text, number, truth] = [operand.start(), operand.number(), operand.boolean()];
            let all = [(TEXTS, text), (NUMBERS, number), (BOOLEANS, truth)];
            all.into_iter().filter_map(|(kind, one)| Some((kind, wrapped(one?)))).collect()
        }
        Operand::Text(column, _) | Operand::Time(column) => vec![(TEXTS, wrapped(column.clone()))],
    })
}
