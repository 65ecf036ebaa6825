//! Working copies against stores that lie, forget and break.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that cannot go on fails.

mod adversary;
mod bad_remote;
mod copies;
mod dropped;
mod kinds;
mod lost_answers;
mod lost_forces;
mod meddler;
mod support;
