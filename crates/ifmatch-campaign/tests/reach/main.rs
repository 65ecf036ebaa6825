//! The journal's figures, in simulated time: requests, bytes and commits per
//! second are exact, whatever machine runs this.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod bounded;
mod distant;
mod throughput;

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, Instrumented, MemoryBlobStore, Simulation};
use ifmatch_journal::kv::KeyValue;
use ifmatch_journal::{Journal, Options};

use distant::Distant;

/// One store, and journals on it that are a round trip away.
struct Place {
    env: Env,
    store: Instrumented,
    round_trip: Duration,
}

impl Place {
    fn new(seed: u64, round_trip: Duration) -> Self {
        let env = Simulation::seeded(seed).env();
        let store = Instrumented::new(Arc::new(MemoryBlobStore::new(env.clone())));
        Self { env, store, round_trip }
    }

    async fn open(&self, options: Options) -> Journal<KeyValue> {
        let near = self.store.clone();
        let store = Distant { near, round_trip: self.round_trip, env: self.env.clone() };
        Journal::open(Arc::new(store), KeyValue, options).await.unwrap()
    }
}
