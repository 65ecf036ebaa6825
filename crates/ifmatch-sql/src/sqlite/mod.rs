//! Documents on a SQLite file.

mod error;
mod local;
mod options;
mod pool;
mod queries;
mod rows;
mod schema;
mod store;
mod transactions;

pub use error::Failure;
pub(crate) use error::{file, other};
pub use local::{Durability, Executor, LocalDb, LocalOptions, OnClose};
pub use options::SqliteOptions;
pub use store::SqliteMetaStore;
