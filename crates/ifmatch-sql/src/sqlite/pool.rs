//! Connections for applications, on the store's file.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};

use crate::sqlite::local::{Durability, LocalOptions};

/// Most connections that the pool opens.
const CONNECTIONS: u32 = 4;

/// A pool that opens its connections when they are needed, with the settings
/// that those of the store have. Nothing runs in the background.
pub(crate) fn open(path: &Path, options: &LocalOptions) -> SqlitePool {
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Process => SqliteSynchronous::Normal,
    };
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .synchronous(synchronous)
        .pragma("trusted_schema", "OFF")
        .pragma("wal_autocheckpoint", options.checkpoint_pages.to_string());
    SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(connect)
}
