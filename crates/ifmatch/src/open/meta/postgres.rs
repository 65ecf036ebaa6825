//! `postgres://host/database`: documents in a schema of a PostgreSQL database.

use std::sync::Arc;

use ifmatch_meta::{Error, MetaStore, Result};
use ifmatch_sql::{PostgresMetaStore, PostgresOptions};

use super::OpenMetaOptions;

/// What a connection may be told.
const CONNECTION: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

pub(super) async fn open(url: &str, options: &OpenMetaOptions) -> Result<Arc<dyn MetaStore>> {
    let mut settings = options.settings(url)?;
    let mut postgres = PostgresOptions::default()
        .create(options.create)
        .limits(settings.limits)
        .transactions(settings.transactions())
        .audit(settings.audit)
        .deadline(options.policy.deadline)
        .env(options.env.clone());
    if let Some(schema) = settings.take("schema") {
        postgres = postgres.schema(schema);
    }
    if let Some(connections) = settings.take("connections") {
        postgres = postgres.connections(number("connections", &connections)?);
    }
    postgres.author = settings.author.take().map(Into::into);
    let address = settings.rest();
    settings.others.retain(|other| !CONNECTION.contains(&other.name.as_str()));
    let also = format!("schema, connections; and of the connection: {}", CONNECTION.join(", "));
    settings.all_known("postgres", &also)?;
    Ok(Arc::new(PostgresMetaStore::open(&address, postgres).await?))
}

/// A number of at least 1.
fn number(name: &str, value: &str) -> Result<u32> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Error::invalid(format!("{name}={value:?} must be a number from 1")))
}
