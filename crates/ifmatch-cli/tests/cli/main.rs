//! The command as a person and a script use it: what it prints, its JSON and
//! its exit codes. A changed snapshot is a changed interface.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that cannot go on fails.

mod autocrud;
mod blob;
mod db;
mod documents;
mod general;
mod meta;
mod session;
mod tx;
