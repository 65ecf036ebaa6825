//! The store in memory, and what stands on any store: `update`, `Collection`,
//! `drain`. Names begin with the requirement that a test is about.
#![allow(clippy::unwrap_used, clippy::panic)]

mod audit;
mod collection;
mod drain;
mod faulty;
mod feed;
mod query;
mod races;
mod retention;
mod store;
mod throughput;
mod transactions;
mod update;

use ifmatch_core::{Env, Simulation};
use ifmatch_meta::{DocId, DocKey, Json, MemoryMetaStore, MemoryOptions, Partition};

fn env() -> Env {
    Simulation::seeded(7).env()
}

fn store() -> MemoryMetaStore {
    MemoryMetaStore::new(env())
}

fn options() -> MemoryOptions {
    MemoryOptions::default().env(env())
}

fn partition(name: &str) -> Partition {
    Partition::new(name).unwrap()
}

fn id(name: &str) -> DocId {
    DocId::new(name).unwrap()
}

fn key(partition: &str, id: &str) -> DocKey {
    DocKey::new(partition, id).unwrap()
}

fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}
