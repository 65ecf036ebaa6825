//! Documents with ETags on SQLite.
//!
//! [`SqliteMetaStore`] is the [`MetaStore`](ifmatch_meta::MetaStore) on one
//! SQLite file, shared by any number of tasks and processes. Its SQL runs
//! synchronously behind one seam, [`LocalDb`]: a writer thread that commits what
//! is queued in one transaction, and a few readers; or, for simulation, inline
//! in the calling task. Applications get a pool of sqlx connections on the same
//! file ([`SqliteMetaStore::pool`]).
//!
//! Never open the database file or its `-shm` by other means in a process that
//! uses it, not even to read it: closing any descriptor drops the locks that
//! SQLite holds on it (POSIX).

mod error;
mod local;
mod options;
mod pool;
mod rows;
mod schema;
mod store;

pub use error::Failure;
pub use local::{Durability, Executor, LocalDb, LocalOptions, OnClose};
pub use options::SqliteOptions;
pub use rusqlite;
pub use sqlx;
pub use store::SqliteMetaStore;
