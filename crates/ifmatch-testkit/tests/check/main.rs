//! The checkers of histories: each violation planted and found, and each
//! checker against another way to decide.
#![allow(clippy::unwrap_used, clippy::panic)]

mod chain;
mod chain_time;
mod chain_truth;
mod cycles;
mod cycles_found;
mod cycles_oracle;
mod cycles_systems;
mod differential;
mod large;
mod linear;
mod mutate;
mod register;
mod simulate;
