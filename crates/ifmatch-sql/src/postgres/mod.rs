//! Documents in a schema of a PostgreSQL database.

mod client;
mod connections;
mod error;
mod feed;
mod index;
mod mark;
mod notices;
mod options;
mod query;
mod queryable;
mod rows;
mod schema;
mod sql;
mod store;
mod transactions;

pub use options::PostgresOptions;
pub use store::PostgresMetaStore;
