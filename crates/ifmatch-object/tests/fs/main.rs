//! The file store, seen from outside: what it answers, what lies on the disk,
//! and what is left when a disk fails, a process dies or an enemy was there.

#![allow(clippy::unwrap_used, clippy::panic)] // All of it is test code, helpers too.

mod adversary;
mod corruption;
mod durability;
mod failures;
mod layout;
mod listing;
mod processes;
mod races;
mod semantics;
mod support;
