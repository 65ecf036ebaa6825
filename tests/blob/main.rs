//! Documents on blobs behind a network that loses, delays and doubles requests:
//! every answer stays true.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::needless_pass_by_value)] // Helpers of tests fail by panicking, as tests do.
#![allow(clippy::disallowed_methods)] // The clock is simulated.

mod counters;
mod names;
mod network;
mod transfers;
mod watchers;
