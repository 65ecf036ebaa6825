//! The file store, seen from outside: what it answers, what lies on the disk,
//! and what is left when a disk fails, a process dies or an enemy was there.

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
mod zz_bench;
