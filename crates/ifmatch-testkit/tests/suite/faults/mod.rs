//! The fault store: each kind by itself, and all of them under load.

mod kinds;
mod load;
mod verdicts;
mod workload;
