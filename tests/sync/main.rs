//! Working copies against stores that lie, forget and break.

mod bad_remote;
mod copies;
mod lost_answers;
mod support;
