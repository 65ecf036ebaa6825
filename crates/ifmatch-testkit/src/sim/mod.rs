//! The deterministic simulator: many clients on one journal, in one thread, from
//! one seed.
//!
//! Each client is a process of its own: a host whose clocks may jump and which
//! may stop for hours, a way to the store that takes time, handles with many
//! callers, mishaps. Between the clients and the one store in memory stands a
//! [`FaultStore`](crate::FaultStore). The engine is the one that is shipped;
//! there is no second implementation of the protocol, and the machine is the
//! key-value machine with the number of each command before its entry.
//!
//! ```text
//! seed -> scenario: who, how many, how far, which options, which faults
//!      -> work under faults, until enough commands are acknowledged
//!      -> faults end; everybody finishes and finds out what is unknown
//!      -> late requests land; the log is replayed; every answer is judged
//! ```
//!
//! What a run checks is the list of [`Broken`] promises. A seed gives the same
//! trace, event by event, in every process; some seeds of a [`Campaign`] are run
//! twice to show it.
//!
//! ```
//! use ifmatch_testkit::sim::run_seed;
//! let report = run_seed(11, false);
//! assert!(report.violations.is_empty() && report.commits > 0);
//! assert_eq!(report.trace_hash, run_seed(11, true).trace_hash);
//! ```

mod audit;
mod caller;
mod campaign;
mod client;
mod dice;
mod ledger;
mod load;
mod machine;
mod net;
mod operator;
mod report;
mod run;
mod scenario;
mod scribe;
#[cfg(test)]
mod tests;
mod violation;
mod workload;
mod world;
#[cfg(ifmatch_zoo)]
mod zoo;

pub use campaign::Campaign;
pub use report::{Report, SeedReport};
pub use run::run_seed;
pub use violation::{Broken, Violation};
pub use workload::{UnknownWorkload, Workload};
#[cfg(ifmatch_zoo)]
pub use zoo::{Caught, hunt};
