//! The cloud stores against servers: what they answer when the network lies.
//!
//! Most cases run the real S3, GCS and Azure clients, opened by URL, against
//! the testkit's fault server on loopback, whose log is the ground truth: which
//! write was applied, how often, and what the client was told. The rest runs
//! against the real servers that `cargo xtask servers up` starts; without them
//! those cases are listed as ignored, with the variable that is missing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod answers;
mod campaign;
mod fixture;
mod foreign;
mod harness;
mod interposed;
mod names;
mod others;
mod own_client;
mod probes;
mod process;
mod reads;
mod refusals;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = process::child() {
        return code;
    }
    harness::ensure_credentials();
    let mut cases = harness::Cases::default();
    answers::cases(&mut cases);
    others::cases(&mut cases);
    own_client::cases(&mut cases);
    reads::cases(&mut cases);
    names::cases(&mut cases);
    refusals::cases(&mut cases);
    probes::cases(&mut cases);
    process::cases(&mut cases);
    campaign::cases(&mut cases);
    cases.run()
}
