//! SQLite databases shared through any blob store under an optimistic lock.
//!
//! A [`SyncedDatabase`] is a working copy: a stock SQLite file that any tool can
//! read and write. [`push`](SyncedDatabase::push) publishes it only if nobody
//! published since; otherwise the answer is a [`SyncConflict`] with both
//! versions, and nothing was changed. [`pull`](SyncedDatabase::pull) and
//! [`reload`](SyncedDatabase::reload) adopt what others published.
//!
//! In the store lie an immutable snapshot per commit (`snapshots/<id>`, a
//! compressed image of the database) and a small `head` that names the newest
//! one. The head is the only blob that is ever compared and swapped.
//!
//! Beside the database lie `<file>-ifmatch`, what this copy knows of the remote,
//! and `<file>-ifmatch-lock`: one process at a time syncs a copy. Inside it
//! lies the one-row table `_ifmatch`, which says which commit the content
//! belongs to.

mod commit_id;
mod database;
mod error;
mod local;
mod options;
mod remote;

pub use commit_id::{CommitId, JournalId};
pub use database::{Outcome, Status, SyncReport, SyncedDatabase, remote_url};
pub use error::{Error, Result, SyncConflict};
pub use options::{Locking, OnConflict, SyncOptions};
