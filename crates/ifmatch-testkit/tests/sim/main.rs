//! The simulator: seeds without a violation, and the same twice.
#![allow(clippy::unwrap_used, clippy::panic)]

mod by_hand;
#[cfg(ifmatch_zoo)]
mod zoo;
