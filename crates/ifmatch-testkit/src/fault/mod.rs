//! A store that fails on demand: [`FaultStore`] wraps any other and does to its
//! requests what networks and servers do.
//!
//! A seed reproduces a run: the same seed and the same calls in the same order
//! meet the same faults. [`FaultStore::truth`] tells what was really applied,
//! so a checker need not believe anybody: a conflict whose write stands there is
//! false, a write that stands there twice was doubled.
//!
//! # Examples
//! ```
//! use ifmatch_core::{BlobKey, ConditionalBlobStore, MemoryBlobStore, Operation, Precondition, Simulation};
//! use ifmatch_testkit::{FaultKind, FaultPlan, FaultStore};
//! use std::sync::Arc;
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! let memory = Arc::new(MemoryBlobStore::new(Simulation::seeded(1).env()));
//! let store = FaultStore::new(memory, FaultPlan::seeded(1));
//! store.inject(Operation::Put, FaultKind::LostAnswer);
//! let key = BlobKey::new("key")?;
//! // The first answer is lost; the object says that the write was applied.
//! store.put(&key, "body".into(), Precondition::IfAbsent).await?;
//! assert_eq!(store.truth().len(), 1);
//! # Ok::<(), ifmatch_core::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod coverage;
mod kind;
mod plan;
mod read;
mod shared;
mod store;
mod truth;
mod write;

pub use coverage::FaultCoverage;
pub use kind::FaultKind;
pub use plan::FaultPlan;
pub use store::FaultStore;
pub use truth::{Call, Delivery, Effect};
