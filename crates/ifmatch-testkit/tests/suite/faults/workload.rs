//! Clients that count, create, delete and read, and note what they were told.

use std::sync::Arc;

use futures::TryStreamExt;
use ifmatch_core::{
    BlobKey, BlobPrefix, ConditionalBlobStore, Error, Fetched, GetOptions, MemoryBlobStore,
    Precondition, Simulation, Stored, WriteId, put_resolved,
};
use ifmatch_testkit::{FaultPlan, FaultStore};

/// What a client was told about one of its puts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Done,
    Conflict,
    Unknown,
    /// Any other error: nothing was applied.
    Failed,
}

/// One put, and whether others write its key too.
#[derive(Clone, Debug)]
pub(super) struct Put {
    pub(super) key: BlobKey,
    pub(super) write: WriteId,
    pub(super) told: Told,
}

pub(super) struct Client {
    store: FaultStore,
    number: usize,
    random: fastrand::Rng,
    puts: Vec<Put>,
    fresh: u64,
}

/// The keys that everybody counts on.
pub(super) const COUNTERS: [&str; 2] = ["counters/one", "counters/two"];

fn key(text: &str) -> BlobKey {
    BlobKey::new(text).unwrap()
}

/// A body that shows damage and never returns.
fn seal(count: u64, nonce: u64) -> String {
    let text = format!("{count} {nonce}");
    let sum = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
    format!("{text} {sum}")
}

/// The count in a body, unless the body is damaged.
pub(super) fn unseal(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?;
    let mut parts = text.split(' ').map(|part| part.parse().ok());
    let (count, nonce) = (parts.next()??, parts.next()??);
    (seal(count, nonce) == text).then_some(count)
}

impl Client {
    async fn put(&mut self, key: &BlobKey, count: u64, pre: Precondition) -> Option<Stored> {
        let write = WriteId::random(self.store.env());
        let body = seal(count, self.random.u64(..));
        let answer = put_resolved(&self.store, key, body.into(), pre, Some(write)).await;
        let (told, stored) = match answer {
            Ok(stored) => (Told::Done, Some(stored)),
            Err(Error::Conflict(_)) => (Told::Conflict, None),
            Err(Error::OutcomeUnknown(_)) => (Told::Unknown, None),
            Err(_) => (Told::Failed, None),
        };
        self.puts.push(Put { key: key.clone(), write, told });
        stored
    }

    /// Reads, adds one, writes: once.
    async fn count(&mut self) {
        let counter = key(COUNTERS[self.random.usize(..2)]);
        let Ok(Fetched::Found(blob)) = self.store.get(&counter, GetOptions::new()).await else {
            return;
        };
        // A damaged body, or one that is not what its size says, is read again.
        let whole = blob.body.len() as u64 == blob.info.size;
        if let Some(count) = unseal(&blob.body).filter(|_| whole) {
            let there = Precondition::IfMatch(blob.info.version);
            self.put(&counter, count + 1, there).await;
        }
    }

    /// Creates a blob of its own, reads a part of it and deletes it.
    async fn come_and_go(&mut self) {
        self.fresh += 1;
        let own = key(&format!("own/{}-{}", self.number, self.fresh));
        let Some(stored) = self.put(&own, 0, Precondition::IfAbsent).await else { return };
        let _ = self.store.get(&own, GetOptions::new().range(0..4)).await;
        let _ = self.store.delete(&own, Precondition::IfMatch(stored.version)).await;
        let _ = self.store.delete(&own, Precondition::Overwrite).await;
    }

    async fn look_around(&mut self) {
        let prefix = BlobPrefix::new(["own", "counters"][self.random.usize(..2)]).unwrap();
        let listed: Result<Vec<_>, _> = self.store.list(&prefix, None).try_collect().await;
        if let Ok(infos) = listed {
            assert!(infos.is_sorted_by_key(|info| info.key.clone()), "{infos:?}");
        }
        let _ = self.store.head(&key(COUNTERS[0])).await;
    }

    async fn run(mut self, operations: usize) -> Vec<Put> {
        for _ in 0..operations {
            match self.random.u8(..10) {
                0..5 => self.count().await,
                5..8 => self.come_and_go().await,
                _ => self.look_around().await,
            }
        }
        self.puts
    }
}

/// A run that is over: faults have stopped and late requests have arrived.
pub(super) struct Run {
    pub(super) store: FaultStore,
    pub(super) puts: Vec<Put>,
}

/// Lets `clients` act this often each, on a store in memory with these faults.
pub(super) async fn run(seed: u64, plan: FaultPlan, clients: usize, operations: usize) -> Run {
    let memory = Arc::new(MemoryBlobStore::new(Simulation::seeded(seed).env()));
    let store = FaultStore::new(memory, plan);
    store.set_quiet(true);
    for counter in COUNTERS {
        let first = seal(0, 0).into();
        store.put(&key(counter), first, Precondition::IfAbsent).await.unwrap();
    }
    store.set_quiet(false);
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let random = fastrand::Rng::with_seed(seed ^ (number as u64) << 32);
            let client = Client { store: store.clone(), number, random, puts: vec![], fresh: 0 };
            tokio::spawn(client.run(operations))
        })
        .collect();
    let mut puts = Vec::new();
    for task in tasks {
        puts.extend(task.await.unwrap());
    }
    store.set_quiet(true);
    store.deliver_delayed().await;
    Run { store, puts }
}
