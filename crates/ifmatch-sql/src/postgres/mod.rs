//! Documents in a schema of a PostgreSQL database.

mod client;
mod error;
mod feed;
mod mark;
mod notices;
mod options;
mod queryable;
mod rows;
mod schema;
mod sql;
mod store;
mod transactions;

pub use options::PostgresOptions;
pub use store::PostgresMetaStore;
