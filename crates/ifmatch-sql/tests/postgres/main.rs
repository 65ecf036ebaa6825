//! What is this backend's own, on a real PostgreSQL server; the conformance suite
//! and generated queries run on it in the workspace's tests.
//!
//! The server is that of `IFMATCH_TEST_POSTGRES_URL` (`cargo xtask servers up`);
//! without it every case is listed as ignored. Each case has a schema of its own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod connections;
mod faults;
mod harness;
mod history;
mod lost;
mod marks;
mod network;
mod opening;
mod queries;
mod replacing;
mod staged;
mod transactions;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut cases = harness::Cases::default();
    opening::add(&mut cases);
    queries::add(&mut cases);
    history::add(&mut cases);
    connections::add(&mut cases);
    faults::add(&mut cases);
    replacing::add(&mut cases);
    transactions::add(&mut cases);
    staged::add(&mut cases);
    marks::add(&mut cases);
    lost::add(&mut cases);
    cases.conclude()
}
