//! Blobs as local files, with a compare-and-swap of their own.
//!
//! What lies where, below the root:
//!
//! | name | what |
//! |---|---|
//! | `<segment>.d/` | a folder of keys |
//! | `<segment>.o` | an object: its body, then a [trailer] of 128 bytes |
//! | `<200 bytes>.c/` | the first part of a segment too long for one file name |
//! | `.ifmatch-store/<shard>/lock` | the lock of one of 64 shards of keys |
//! | `.ifmatch-store/<shard>/new-*` | an object that is being written |
//! | `.ifmatch-store/rename.lock`, `list.lock` | keep renames out while a folder is listed |
//!
//! A write takes the lock of its key's shard, checks its precondition against
//! the trailer that is there, writes a new file beside the store, syncs it,
//! renames it over and syncs the folder. Whoever holds a shard's lock owns the
//! shard's folder, so that whatever lies there is debris of a killed writer.

#[cfg(not(unix))]
compile_error!("the feature `fs` of ifmatch-object needs Unix: it relies on openat and flock");

mod config;
mod core;
mod delete;
mod error;
mod files;
mod layout;
mod list;
mod lock;
mod object;
mod put;
mod read;
#[doc(hidden)]
pub mod seam;
mod shard;
mod store;
mod trailer;
mod tree;

pub use config::FsOptions;
pub use store::FsBlobStore;
