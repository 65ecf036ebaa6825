//! A runner whose cases share one runtime and one server.

use std::future::Future;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_meta::{DocKey, Json, Partition, Scope};
use ifmatch_sql::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use ifmatch_sql::{PostgresMetaStore, PostgresOptions};
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

/// Where the server's URL stands.
const VARIABLE: &str = "IFMATCH_TEST_POSTGRES_URL";

/// The runtime of all cases: connections live as long as it.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// The URL of the server, where there is one.
fn url() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// The cases of this program.
#[derive(Default)]
pub(crate) struct Cases(Vec<Trial>);

impl Cases {
    /// A case that is given a schema of its own.
    pub(crate) fn add<F, A>(&mut self, name: impl Into<String>, case: F)
    where
        F: FnOnce(Place) -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let name = name.into();
        let Some(url) = url() else { return self.ignore(&name, VARIABLE) };
        self.0.push(Trial::test(name, move || {
            let place = Place::new(url);
            let (end, task) = (place.clone(), async move { case(place).await });
            // Each case is a task: its polls are spread over the workers.
            let ended = RUNTIME.block_on(RUNTIME.spawn(task));
            RUNTIME.block_on(end.drop());
            match ended {
                Ok(()) => Ok(()),
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            }
        }));
    }

    /// A case that is listed, and why it does not run.
    fn ignore(&mut self, name: &str, reason: &str) {
        let said = format!("{name}: skipped ({reason})");
        let case = move || {
            println!("{said}");
            Ok(())
        };
        self.0.push(Trial::test(name, case).with_ignored_flag(true).with_kind(reason));
    }

    pub(crate) fn conclude(self) -> ExitCode {
        libtest_mimic::run(&Arguments::from_args(), self.0).exit_code()
    }
}

/// A schema that no other case has.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) schema: String,
}

impl Place {
    fn new(url: String) -> Self {
        Self { url, schema: format!("t_{:016x}", Env::real().random_u64()) }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::default().schema(self.schema.as_str()).connections(4)
    }

    pub(crate) async fn open(&self) -> PostgresMetaStore {
        self.open_with(self.options()).await
    }

    pub(crate) async fn open_with(&self, options: PostgresOptions) -> PostgresMetaStore {
        PostgresMetaStore::open(&self.url, options).await.expect("a store")
    }

    /// A connection that knows nothing of the store.
    pub(crate) async fn raw(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("a connection")
    }

    /// SQL with the schema's name for `schema`.
    pub(crate) fn sql(&self, sql: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(sql.replace("schema.", &format!("\"{}\".", self.schema)))
    }

    /// Runs SQL of its own.
    pub(crate) async fn execute(&self, sql: &str) {
        self.raw().await.execute(self.sql(sql)).await.expect("SQL that runs");
    }

    /// A transaction of somebody else that has put a document and is not over.
    pub(crate) async fn open_put(&self, id: &str) -> PgConnection {
        let mut raw = self.raw().await;
        raw.execute("BEGIN").await.expect("a transaction");
        self.put_in(&mut raw, id).await;
        raw
    }

    /// Puts a document by SQL of its own, in whatever transaction is open.
    pub(crate) async fn put_in(&self, raw: &mut PgConnection, id: &str) {
        let put = format!(
            "SELECT * FROM schema.write('p', false, ARRAY['{id}'], ARRAY[0]::smallint[],
                ARRAY[NULL]::text[], ARRAY[1]::smallint[], ARRAY['1-{:024x}'],
                ARRAY[NULL]::bigint[], ARRAY[0]::bigint[], ARRAY[NULL]::text[], ARRAY['{{}}'],
                ARRAY[NULL]::text[], NULL, true)",
            u128::from(Env::real().random_u64())
        );
        raw.execute(self.sql(&put)).await.expect("a put by SQL");
    }

    async fn drop(self) {
        let Ok(mut raw) = PgConnection::connect(&self.url).await else { return };
        let sql = format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", self.schema);
        let _ = raw.execute(AssertSqlSafe(sql)).await;
    }
}

/// Waits.
pub(crate) async fn pause(time: Duration) {
    Env::real().sleep(time).await;
}

pub(crate) fn key(id: &str) -> DocKey {
    DocKey::new("p", id).expect("a key")
}

pub(crate) fn partition() -> Partition {
    Partition::new("p").expect("a partition")
}

pub(crate) fn scope() -> Scope {
    Scope::Partition(partition())
}

pub(crate) fn json(text: &str) -> Json {
    Json::new(text).expect("JSON")
}

pub(crate) fn number(n: i64) -> Json {
    json(&format!("{{\"n\":{n}}}"))
}
