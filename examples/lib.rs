//! Runnable examples of ifmatch: `cargo run --example NAME`.
