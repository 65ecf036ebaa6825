//! The document store on SQLite: its promises, one by one, on a file with the
//! writer thread, on a file inline, and in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod batches;
mod cancellation;
mod concurrency;
mod documents;
mod feed;
mod files;
mod forms;
mod importing;
mod kills;
mod local;
mod model;
mod pool;
mod queries;
mod scans;
mod support;
mod transactions;
