//! Connections: a pool, one statement at a time, deadlines.
//!
//! Everything that writes is one statement: what a dropped future leaves behind
//! is at most that statement, which ends by itself; no transaction is ever left
//! open. Answers count only once the server is ready for the next command:
//! `fetch_all` reads to that point, and the commit is before it.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use futures::future::{Either, select};
use ifmatch_core::{Env, Operation};
use ifmatch_meta::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::connections::{Connections, FRESH};
use super::error::{Class, Failure, Sent};
use super::options::PostgresOptions;
use super::sql::{Schema, Statement};

/// How often a statement that the server rolled back because of others is sent
/// again.
const AGAIN: u32 = 20;

/// The connections of a store.
pub(super) struct Client {
    connections: Connections,
    connect: PgConnectOptions,
    pub(super) schema: Schema,
    pub(super) subject: Arc<str>,
    pub(super) env: Env,
    pub(super) deadline: Duration,
}

impl Client {
    /// Reads the URL; nothing is sent yet.
    pub(super) fn new(url: &str, options: &PostgresOptions) -> Result<Self> {
        let schema = Schema::new(&options.schema)?;
        // What cannot be read is not repeated: it may hold a password.
        let unreadable = || Error::invalid("the URL of the database cannot be read");
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Error::invalid("the URL of a database begins with postgres://"));
        }
        let connect: PgConnectOptions = url.parse().map_err(|_| unreadable())?;
        let connect = match connect.get_application_name() {
            Some(_) => connect,
            None => connect.application_name("ifmatch"),
        };
        let connect = connect.disable_statement_logging();
        let subject = format!(
            "postgres:{}:{}/{}/{}",
            connect.get_host(),
            connect.get_port(),
            connect.get_database().unwrap_or(connect.get_username()),
            schema.name()
        );
        let settings: Arc<str> = settings(options.deadline).into();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.deadline)
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for > FRESH {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move {
                    connection.execute(sqlx::AssertSqlSafe(settings.as_ref())).await.map(drop)
                })
            })
            .connect_lazy_with(connect.clone());
        let (env, deadline) = (options.env.clone(), options.deadline);
        let most = options.connections.max(1);
        let connections = Connections::new(pool, most, env.clone(), deadline);
        Ok(Self { connections, connect, schema, subject: subject.into(), env, deadline })
    }

    /// A connection of its own, without a time limit for its statements. Dropping
    /// it rolls back what it had begun.
    pub(super) async fn dedicated(&self) -> Result<PgConnection> {
        let connected = PgConnection::connect_with(&self.connect).await;
        connected.map_err(|error| self.failed(error.into(), Sent::Nothing, Operation::Open))
    }

    /// The rows of a statement that only reads. A lost connection is replaced
    /// once.
    pub(super) async fn read<'a>(
        &'a self,
        statement: impl Fn() -> Statement<'a>,
    ) -> Result<Vec<PgRow>> {
        self.run(Sent::Nothing, Operation::Get, statement).await
    }

    /// The same of a statement that may be refused.
    pub(super) async fn read_with<'a>(
        &'a self,
        statement: impl Fn() -> Result<Statement<'a>>,
    ) -> Result<Vec<PgRow>> {
        let mut first = Some(statement()?);
        let mut rows = Vec::new();
        self.each(
            || first.take().map_or_else(&statement, Ok),
            |row| {
                rows.push(row);
                Ok(ControlFlow::Continue(()))
            },
        )
        .await?;
        Ok(rows)
    }

    /// The rows of a statement that only reads, on a connection of its own, within
    /// a time; not tried again.
    pub(super) async fn once(
        &self,
        statement: Statement<'_>,
        at_most: Duration,
    ) -> Result<Vec<PgRow>> {
        let reading = Box::pin(async {
            let failed =
                |error: sqlx::Error| self.failed(error.into(), Sent::Nothing, Operation::Get);
            let (text, values) = statement.finish().map_err(failed)?;
            let mut connection = self.dedicated().await?;
            sqlx::query_with(text, values).fetch_all(&mut connection).await.map_err(failed)
        });
        match select(reading, Box::pin(self.env.sleep(at_most))).await {
            Either::Left((rows, _)) => rows,
            Either::Right(_) => {
                let slow = Failure::slow("the server did not answer in time");
                Err(self.failed(slow, Sent::Nothing, Operation::Get))
            }
        }
    }

    /// Hands over the rows of a statement that only reads, one by one, until
    /// there are no more or enough.
    pub(super) async fn each<'a>(
        &'a self,
        mut statement: impl FnMut() -> Result<Statement<'a>>,
        mut visit: impl FnMut(PgRow) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let unread = |error| self.failed(error, Sent::Nothing, Operation::Get);
        for attempt in 1.. {
            let (text, values) = statement()?.finish().map_err(|error| unread(error.into()))?;
            let acquired = self.connections.acquire().await;
            let mut connection = acquired.map_err(|error| unread(error.into()))?;
            let limit = Box::pin(self.env.sleep(self.deadline + Duration::from_secs(5)));
            let mut any = false;
            let reading = Box::pin(async {
                let mut rows = sqlx::query_with(text, values).fetch(&mut *connection);
                while let Some(row) = rows.try_next().await? {
                    any = true;
                    match visit(row) {
                        Ok(ControlFlow::Continue(())) => {}
                        Ok(ControlFlow::Break(())) => return Ok(Some(Ok(()))),
                        Err(error) => return Ok(Some(Err(error))),
                    }
                }
                Ok::<_, sqlx::Error>(None)
            });
            let ended = match select(reading, limit).await {
                Either::Left((ended, _)) => ended.map_err(Failure::from),
                Either::Right(_) => Err(Failure::slow("the server did not answer in time")),
            };
            match ended {
                Ok(None) => {
                    connection.keep();
                    return Ok(());
                }
                Ok(Some(early)) => {
                    // What is left of the answer is not waited for.
                    connection.close_on_drop();
                    return early;
                }
                Err(failure) => {
                    connection.close_on_drop();
                    let again = matches!(failure.class, Class::Lost | Class::Again);
                    if any || attempt == 3 || !again {
                        return Err(unread(failure));
                    }
                }
            }
        }
        Ok(())
    }

    /// The row of a statement that calls a function which writes.
    pub(super) async fn write<'a>(
        &'a self,
        operation: Operation,
        statement: impl Fn() -> Statement<'a>,
    ) -> Result<PgRow> {
        let mut rows = self.run(Sent::Write, operation, statement).await?;
        rows.pop().ok_or_else(|| Error::corrupt(self.subject.clone(), "a function without answer"))
    }

    async fn run<'a>(
        &'a self,
        sent: Sent,
        operation: Operation,
        statement: impl Fn() -> Statement<'a>,
    ) -> Result<Vec<PgRow>> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (failure, sent) = match self.attempt(statement(), sent).await {
                Ok(rows) => return Ok(rows),
                Err(failed) => failed,
            };
            match failure.class {
                Class::Again if attempt < AGAIN => {
                    let most = Duration::from_millis(1 << attempt.min(6));
                    self.env.sleep(self.env.jitter(most)).await;
                }
                Class::Lost if sent == Sent::Nothing && attempt < 3 => {}
                _ => return Err(self.failed(failure, sent, operation)),
            }
        }
    }

    async fn attempt(
        &self,
        statement: Statement<'_>,
        sent: Sent,
    ) -> Result<Vec<PgRow>, (Failure, Sent)> {
        let nothing = |error: sqlx::Error| (Failure::from(error), Sent::Nothing);
        let (text, values) = statement.finish().map_err(nothing)?;
        let mut connection = self.connections.acquire().await.map_err(nothing)?;
        let rows = Box::pin(sqlx::query_with(text, values).fetch_all(&mut *connection));
        // The server's own limit comes first, unless it does not answer at all.
        let limit = Box::pin(self.env.sleep(self.deadline + Duration::from_secs(5)));
        let answer = match select(rows, limit).await {
            Either::Left((rows, _)) => Some(rows),
            Either::Right(_) => None,
        };
        if let Some(rows) = answer {
            let rows = rows.map_err(|error| (error.into(), sent))?;
            connection.keep();
            return Ok(rows);
        }
        connection.close_on_drop();
        Err((Failure::slow("the server did not answer in time"), sent))
    }

    /// The error as callers see it.
    pub(super) fn failed(&self, failure: Failure, sent: Sent, operation: Operation) -> Error {
        failure.named(sent, operation, &self.subject)
    }

    /// The error of what a row holds.
    pub(super) fn unreadable(&self, error: sqlx::Error) -> Error {
        Failure::from(error).named(Sent::Nothing, Operation::Get, &self.subject)
    }

    /// Connections for those who listen, beside the pool: they stay open.
    pub(super) fn listening_pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(1).connect_lazy_with(self.connect.clone())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.connections.is_closed()
    }

    /// Waits for what is under way and lets go of the connections.
    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

/// What every connection of the pool is set to, whatever the role's defaults.
fn settings(deadline: Duration) -> String {
    let millis = deadline.as_millis().clamp(1, 2_000_000_000);
    format!(
        "SET statement_timeout = {millis}; SET default_transaction_isolation = 'read committed'"
    )
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.subject)
    }
}
