//! Test kit.

pub mod cloud;
pub mod fault;
pub mod suite;

pub use fault::{FaultCoverage, FaultKind, FaultPlan, FaultStore};
