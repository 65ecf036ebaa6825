//! Working copies against stores that lie, forget and break.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that cannot go on fails.

mod bad_remote;
mod copies;
mod lost_answers;
mod support;
