//! Share metadata on any object store without losing an update.
//!
//! Read a version, change a copy, write it back only if that version still
//! holds (HTTP `If-Match`): the same on S3, GCS, Azure, local files and memory,
//! with answers that are true even when the network loses them.
//!
//! [`open()`] takes a URL and gives a [`ConditionalBlobStore`]; on it stand the
//! [`journal`], a state machine that any number of writers share, documents, and
//! shared SQLite databases. [`open_meta_store()`] takes a URL and gives a
//! [`meta::MetaStore`]: documents in memory, on SQLite, on PostgreSQL or on any
//! blob store.
//!
//! | feature | adds |
//! |---|---|
//! | `fs`, `s3`, `gcs`, `azure` | the backends behind [`open()`] |
//! | `sqlite`, `postgres` | [`sql`]: documents with ETags on SQLite and PostgreSQL |
//! | `sync` | [`sync`]: SQLite databases shared through a blob store |
//! | `recipes` | [`recipes`]: items in the manner of Cosmos DB |
//! | `testkit` | [`testkit`]: conformance suites and fault injection |
//! | `full` | all of them |
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! use ifmatch::{BlobKey, Precondition};
//!
//! let store = ifmatch::open("memory://example")?;
//! let key = BlobKey::new("config")?;
//! let first = store.put(&key, "v1".into(), Precondition::IfAbsent).await?;
//! let second = store.put(&key, "v2".into(), Precondition::IfMatch(first.version)).await?;
//! # let _ = second;
//! # Ok::<(), ifmatch::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod open;

pub use ifmatch_core::*;
#[cfg(feature = "sqlite")]
pub use open::sqlite_path;
pub use open::{OpenMetaOptions, OpenOptions, open, open_meta_store};

/// The optimistic-lock engine: a state machine that any number of writers share,
/// one conditional PUT per commit.
pub use ifmatch_journal as journal;
/// Documents with ETags: the trait and its vocabulary.
pub use ifmatch_meta as meta;
/// Ready-made uses of documents.
#[cfg(feature = "recipes")]
pub use ifmatch_recipes as recipes;
/// Documents on SQLite and PostgreSQL.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use ifmatch_sql as sql;
/// SQLite databases shared through a blob store.
#[cfg(feature = "sync")]
pub use ifmatch_sync as sync;
/// Conformance suites, fault injection, the cloud fault server, the simulator.
#[cfg(feature = "testkit")]
pub use ifmatch_testkit as testkit;

/// Local files.
#[cfg(feature = "fs")]
pub use ifmatch_object::{FsBlobStore, FsOptions};
/// Stores over clients that you build yourself.
#[cfg(feature = "cloud")]
pub use ifmatch_object::{ObjectBlobStore, Provider};
