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

mod audit;
mod blob;
mod changes;
mod collection;
mod document;
mod drain;
mod error;
mod etag;
mod evaluate;
mod features;
mod import;
mod json;
mod key;
mod limits;
mod mark;
mod memory;
mod ops;
mod patch;
mod precondition;
mod projection;
pub mod query;
mod scan;
mod store;
mod transaction;
mod update;

pub use audit::{AuditOperation, AuditPosition, AuditRecord};
pub use blob::{BlobMetaOptions, BlobMetaStore};
pub use changes::{Change, ChangePage, ChangeToken, FeedPosition, Tombstone, watch};
pub use collection::{Collection, Entries, Entry};
pub use document::{Changed, Document};
pub use drain::{DrainError, DrainOptions, Drained, drain};
pub use error::{DocConflict, Error, InBatch, Result};
pub use etag::{ETag, Nonce};
pub use evaluate::{Batch, Effect, Evaluated, Present, evaluate};
pub use features::Features;
pub use import::{
    ImportEntry, ImportFailed, ImportOptions, ImportReport, Importer, LineError, OnBadLine,
    OnExisting, import,
};
pub use json::{Json, MAX_DEPTH, json_equal};
pub use key::{
    DocId, DocKey, MAX_ID_BYTES, MAX_PARTITION_BYTES, Partition, RESERVED_END, RESERVED_START,
};
pub use limits::Limits;
pub use mark::Mark;
pub use memory::{MemoryMetaStore, MemoryOptions};
pub use ops::{Applied, Cost, Deleted, Op, WriteOptions, Written};
pub use patch::merge_patch;
pub use precondition::DocPrecondition;
pub use projection::Projection;
pub use query::{
    AggregateOf, AggregateRow, Aggregation, Comparison, Field, Filter, Index, IndexName,
    Quantifier, Query, QueryPage, QueryToken, Sort, SortOrder,
};
pub use scan::{Direction, Page, ScanOptions, ScanToken, Scope};
pub use store::MetaStore;
pub use transaction::{
    Committed, Draft, Transacted, Transaction, TxAddress, TxBackend, TxCommit, TxId, TxOptions,
    TxOutcome, TxRecord, transact,
};
pub use update::{Edit, UpdateError, Updated, update};
