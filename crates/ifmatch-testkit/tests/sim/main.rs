//! The simulator: seeds without a violation, the same trace in every process,
//! and the parts that it is made of.
#![allow(clippy::unwrap_used, clippy::panic)]

mod by_hand;
mod campaign;
mod determinism;
mod faults;
#[cfg(ifmatch_zoo)]
mod zoo;
