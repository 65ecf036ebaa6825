//! Requirements C1 to C19 on the store in memory.
#![allow(clippy::unwrap_used, clippy::panic)]

mod conflicts;
mod contention;
mod merging;
mod passing;
mod queries;
mod writes;

use std::sync::Arc;

use ifmatch_core::Env;
use ifmatch_meta::{Features, MemoryMetaStore, MemoryOptions, MetaStore, Partition};
use ifmatch_recipes::item::Items;
use serde_json::{Value, json};

fn store() -> Arc<dyn MetaStore> {
    Arc::new(MemoryMetaStore::new(Env::real()))
}

fn audited() -> Arc<dyn MetaStore> {
    let features = Features::none().audit(true);
    Arc::new(MemoryMetaStore::with(MemoryOptions::default().features(features)))
}

fn items() -> Items {
    Items::new(store())
}

fn p() -> Partition {
    Partition::new("p").unwrap()
}

fn item(id: &str, n: i64) -> Value {
    json!({ "id": id, "n": n })
}
