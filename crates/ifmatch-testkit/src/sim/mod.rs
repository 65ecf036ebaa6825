//! The deterministic simulator.

mod audit;
mod campaign;
mod caller;
mod client;
mod dice;
mod ledger;
mod load;
mod machine;
mod net;
mod operator;
mod patience;
mod report;
mod run;
mod scenario;
mod scribe;
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
