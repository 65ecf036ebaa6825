//! A store in memory under a simulated clock, and journals on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use ifmatch::{
    BlobKey, BlobPrefix, ConditionalBlobStore, Env, GetOptions, Instrumented, MemoryBlobStore,
    Operation, Precondition, RetryPolicy, Simulation, Version,
};
use ifmatch_journal::kv::KeyValue;
use ifmatch_journal::{Error, Journal, Options};

pub(crate) type Kv = Journal<KeyValue>;

/// How long a call on a [`Bench`] may take.
pub(crate) const DEADLINE: Duration = Duration::from_millis(400);

/// A store, seen from two sides: as journals reach it, with a log of their
/// requests, and bare, for whoever meddles with it.
pub(crate) struct Bench {
    pub(crate) env: Env,
    pub(crate) bare: Arc<dyn ConditionalBlobStore>,
    logged: Instrumented,
}

/// Everything that lies in a store.
pub(crate) type Contents = BTreeMap<String, (Version, Bytes)>;

impl Bench {
    pub(crate) fn new(seed: u64) -> Self {
        let env = Simulation::seeded(seed).env();
        let bare: Arc<dyn ConditionalBlobStore> = Arc::new(MemoryBlobStore::new(env.clone()));
        Self { env, logged: Instrumented::new(Arc::clone(&bare)), bare }
    }

    /// The store as journals reach it.
    pub(crate) fn store(&self) -> Arc<dyn ConditionalBlobStore> {
        Arc::new(self.logged.clone())
    }

    pub(crate) async fn open(&self, options: Options) -> Result<Kv, Error> {
        Journal::open(self.store(), KeyValue, options).await
    }

    /// A new journal with this many commits behind the first.
    pub(crate) async fn create(&self, commits: u64) -> Kv {
        let journal = self.open(quick_create()).await.unwrap();
        add(&journal, commits).await;
        journal
    }

    pub(crate) async fn contents(&self) -> Contents {
        let mut contents = BTreeMap::new();
        let all: Vec<_> = self.bare.list(&BlobPrefix::root(), None).try_collect().await.unwrap();
        for info in all {
            contents
                .insert(info.key.to_string(), (info.version, self.body(info.key.as_str()).await));
        }
        contents
    }

    pub(crate) async fn body(&self, key: &str) -> Bytes {
        let found = self.bare.get(&BlobKey::new(key).unwrap(), GetOptions::new()).await.unwrap();
        found.found().unwrap_or_else(|| panic!("{key} is there")).body
    }

    pub(crate) async fn write(&self, key: &str, body: impl Into<Bytes>) {
        let key = BlobKey::new(key).unwrap();
        self.bare.put(&key, body.into(), Precondition::Overwrite).await.unwrap();
    }

    pub(crate) async fn remove(&self, key: &str) {
        let key = BlobKey::new(key).unwrap();
        self.bare.delete(&key, Precondition::Overwrite).await.unwrap();
    }

    /// The keys that journals have written since the log was last asked.
    pub(crate) fn written(&self) -> Vec<String> {
        let writes = |operation| matches!(operation, Operation::Put | Operation::Delete);
        let requests = self.logged.log().take().into_iter();
        requests
            .filter(|at| writes(at.operation) && at.outcome == "applied")
            .map(|at| at.subject)
            .collect()
    }

    /// Does something that must write nothing.
    pub(crate) async fn untouched<A>(&self, what: &str, work: impl Future<Output = A>) -> A {
        let before = self.contents().await;
        self.written();
        let answer = work.await;
        assert_eq!(self.written(), Vec::<String>::new(), "{what}: nothing is written");
        assert!(self.contents().await == before, "{what}: the store is as it was");
        answer
    }
}

/// Short pauses and a short deadline.
const QUICK: RetryPolicy = RetryPolicy::new()
    .with_pauses(Duration::from_millis(5), Duration::from_millis(40))
    .with_deadline(DEADLINE);

/// Opens what is there.
pub(crate) fn quick() -> Options {
    Options::open().retry(QUICK)
}

/// Opens what is there, or creates it.
pub(crate) fn quick_create() -> Options {
    Options::create().retry(QUICK)
}

/// Adds 1 to `n` so many times.
pub(crate) async fn add(journal: &Kv, times: u64) {
    for _ in 0..times {
        journal.commit(ifmatch_journal::kv::Command::add("n", 1)).await.unwrap();
    }
}
