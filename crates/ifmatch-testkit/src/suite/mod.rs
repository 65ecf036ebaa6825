//! The conformance suite of [`ConditionalBlobStore`]: one named case per clause
//! of its contract, run on any backend.
//!
//! Three lines make a test per case of a store:
//!
//! ```
//! use ifmatch_core::{Env, MemoryBlobStore};
//! use std::sync::Arc;
//! ifmatch_testkit::blob_store_suite!(memory, || async {
//!     Ok(Arc::new(MemoryBlobStore::new(Env::real())))
//! });
//! # fn main() {}
//! ```
//!
//! A runner of its own (`harness = false`, real servers) takes the same cases
//! from [`blob_cases`], lists those that [do not apply](Case::not_applicable)
//! or whose server is missing as ignored, and [runs](Case::run) the others.
//!
//! Each case works in a random folder of the store and sweeps it afterwards, so
//! a shared bucket will do. What a store says it cannot do (a conditional
//! delete, say) must be answered with `Unsupported`: that is what the case
//! then checks.

#[macro_use]
mod check;

mod case;
mod failure;
mod list;
pub mod meta;
mod report;
mod run;
mod subject;
mod trial;

mod cases {
    pub(super) mod create;
    pub(super) mod delete;
    pub(super) mod get;
    pub(super) mod handle;
    pub(super) mod keys;
    pub(super) mod list;
    pub(super) mod races;
    pub(super) mod update;
    pub(super) mod versions;
}

pub use case::{Case, Need};
pub use failure::Failure;
pub use list::blob_cases;
pub use report::{Report, summary};
#[doc(hidden)]
pub use run::run_named;
pub use run::{run_all, run_blocking};
pub use subject::Subject;

#[cfg(doc)]
use ifmatch_core::ConditionalBlobStore;
