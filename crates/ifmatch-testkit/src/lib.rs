//! What it takes to trust a store: conformance suites, fault injection, a cloud
//! fault server, and a small model of the commit protocol.
//!
//! | module | what it is |
//! |---|---|
//! | [`suite`] | one named case per clause of `ConditionalBlobStore`'s contract: [`blob_store_suite!`] |
//! | [`suite::meta`] | the same for `MetaStore`: [`meta_store_suite!`] |
//! | [`history`] | many calls of a `MetaStore`, and what must be true of them all |
//! | [`fault`] | [`FaultStore`]: seeded faults around any store |
//! | [`cloud`] | an HTTP server that the real S3, GCS and Azure clients talk to, with faults |
//! | [`model`] | the commit protocol in the small, searched to its end |
//! | [`sim`] | many clients on a faulty store, in one thread, from one seed |
//! | [`check`] | whether a history of calls is one that the promises allow |
//! | [`cases`] | generated queries, whose answers must be those of the evaluator |

pub mod cases;
pub mod check;
pub mod cloud;
pub mod fault;
pub mod history;
pub mod model;
pub mod sim;
pub mod suite;

pub use fault::{FaultCoverage, FaultKind, FaultPlan, FaultStore};
