//! Documents in a schema of a PostgreSQL database.

mod client;
mod error;
mod mark;
mod options;
mod queryable;
mod rows;
mod schema;
mod sql;
mod store;

pub use options::PostgresOptions;
pub use store::PostgresMetaStore;
