//! Documents with ETags, in partitions.
//!
//! A [`MetaStore`] keeps JSON documents. A document lives in a partition, has
//! an id there and an [`ETag`] that changes with every write; a write states
//! what it expects ([`DocPrecondition`]) and answers with the new ETag, or with
//! a [`DocConflict`] in which nothing was applied. A partition is the unit of
//! atomicity and of order on every backend.
//!
//! This crate holds the trait and its vocabulary, the one evaluator of
//! preconditions that every backend uses ([`DocPrecondition::check`]), and the
//! importer of JSON lines ([`import()`]). It does no I/O.

mod document;
mod error;
mod etag;
mod import;
mod json;
mod key;
mod limits;
mod ops;
mod precondition;
mod scan;
mod store;

pub use document::{Changed, Document};
pub use error::{DocConflict, Error, InBatch, Result};
pub use etag::{ETag, Nonce};
pub use import::{
    ImportFailed, ImportOptions, ImportReport, LineError, OnBadLine, OnExisting, import,
};
pub use json::{Json, MAX_DEPTH, json_equal};
pub use key::{
    DocId, DocKey, MAX_ID_BYTES, MAX_PARTITION_BYTES, Partition, RESERVED_END, RESERVED_START,
};
pub use limits::Limits;
pub use ops::{Applied, Cost, Deleted, Op, WriteOptions, Written};
pub use precondition::DocPrecondition;
pub use scan::{Direction, Page, ScanOptions, ScanToken, Scope};
pub use store::MetaStore;
