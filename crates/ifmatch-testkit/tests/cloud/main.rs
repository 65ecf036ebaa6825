//! The cloud fault server proved: on the wire, under the real clients, in
//! races, and fault by fault. Whoever distrusts a result of the other suites
//! starts here.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod clients;
mod evidence;
mod faults;
mod golden_azure;
mod golden_gcs;
mod golden_s3;
mod matrix;
mod races;
mod raw;
mod reads;
mod wire;
