//! What runs say.

mod seed;
mod sum;

pub use seed::SeedReport;
pub use sum::Report;
