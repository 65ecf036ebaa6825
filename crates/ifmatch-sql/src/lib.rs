//! Documents with ETags on SQL databases.
//!
//! `SqliteMetaStore` (feature `sqlite`) is the
//! [`MetaStore`](ifmatch_meta::MetaStore) on one SQLite file, shared by any
//! number of tasks and processes. Its SQL runs synchronously behind one seam,
//! `LocalDb`: a writer thread that commits what is queued in one transaction,
//! and a few readers; or, for simulation, inline in the calling task.
//! Applications get a pool of sqlx connections on the same file
//! (`SqliteMetaStore::pool`).
//!
//! Never open the database file or its `-shm` by other means in a process that
//! uses it, not even to read it: closing any descriptor drops the locks that
//! SQLite holds on it (POSIX).
//!
//! `PostgresMetaStore` (feature `postgres`) is the same on a schema of a
//! PostgreSQL database.

#[cfg(feature = "sqlite")]
mod autocrud;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub use autocrud::{
    AutocrudFailed, AutocrudOptions, AutocrudPartition, AutocrudReport, SkipReason, SkippedRow,
    import_autocrud, import_autocrud_blob,
};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresMetaStore, PostgresOptions};
#[cfg(feature = "sqlite")]
pub use rusqlite;
#[cfg(feature = "sqlite")]
pub use sqlite::{
    Durability, Executor, Failure, LocalDb, LocalOptions, OnClose, SqliteMetaStore, SqliteOptions,
};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use sqlx;
