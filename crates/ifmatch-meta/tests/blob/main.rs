//! Documents on blobs: what they mean, what they cost, who wins, how
//! transactions end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)] // Helpers of tests fail by panicking, as tests do.
#![allow(clippy::disallowed_methods)] // The clock is simulated.

mod begins;
mod cancellation;
mod costs;
mod documents;
mod feed;
mod partitions;
mod races;
mod staleness;
mod support;
mod takeover;
mod transactions;
mod watching;
