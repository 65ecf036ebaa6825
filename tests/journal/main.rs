//! The journal against what it cannot trust: bad bytes, operators, callers that
//! are dropped, and real processes that are killed.
//!
//! This binary is its own child: see `processes` and `bad_input::bombs`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::needless_pass_by_value)] // Helpers of tests fail by panicking, as tests do.
#![allow(clippy::disallowed_methods)] // Processes live in real time.

mod bad_input;
mod bench;
mod cancellation;
mod harness;
mod meddler;
mod patience;
mod processes;
mod tally;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = bad_input::child().or_else(processes::child) {
        return code;
    }
    let mut cases = harness::Cases::default();
    bad_input::cases(&mut cases);
    cancellation::cases(&mut cases);
    patience::cases(&mut cases);
    processes::cases(&mut cases);
    cases.run()
}
