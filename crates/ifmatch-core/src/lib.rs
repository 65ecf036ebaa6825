//! Truthful conditional writes on blob stores.
//!
//! A [`ConditionalBlobStore`] reads a blob with its [`Version`] and writes it
//! back only if that version still holds (HTTP `If-Match`). Its answers are
//! true on every backend: a write is committed, a [`Conflict`] in which nothing
//! was applied, or [`OutcomeUnknown`] - never a guess.
//!
//! This crate holds the trait and its vocabulary, the outcome rule
//! ([`put_resolved`]), the probe that tells whether a store keeps its
//! conditions ([`probe()`]), the store in memory, and wrappers. It does no I/O.

mod capabilities;
mod env;
mod error;
mod instrumented;
mod key;
mod memory;
mod precondition;
mod prefixed;
mod probe;
mod range;
mod store;
mod timestamp;
mod version;
mod write_id;

pub use capabilities::{Capabilities, ListOrder, Reach, Versions};
pub use env::{Background, BoxFuture, Env, Environment, Simulation};
pub use error::{
    Conflict, Current, Error, Operation, OutcomeUnknown, Reason, Result, Retry, Source,
};
pub use instrumented::{Instrumented, Request, RequestLog, Totals};
pub use key::{BlobKey, BlobPrefix, MAX_KEY_BYTES, MAX_SEGMENT_BYTES};
pub use memory::MemoryBlobStore;
pub use precondition::Precondition;
pub use prefixed::Prefixed;
pub use probe::{Check, Gated, ProbeGate, ProbePolicy, ProbeReport, Verdict, probe};
pub use range::clamp as clamp_range;
pub use store::{
    Attempt, Blob, BlobInfo, ConditionalBlobStore, Deleted, Endpoint, Fetched, GetOptions,
    Resolved, RetryPolicy, Stored, delete_resolved, put_resolved, resolve_put, retry_read,
};
pub use timestamp::Timestamp;
pub use version::Version;
pub use write_id::{Base, WriteId, WriteRecord};
