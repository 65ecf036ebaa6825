//! What a handle keeps in memory: the state and the tail, not what was
//! committed. In a process of its own, for it measures the process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use ifmatch_core::{BlobPrefix, ConditionalBlobStore, MemoryBlobStore, Simulation};
use ifmatch_journal::kv::{Command, KeyValue};
use ifmatch_journal::{Journal, Options};

/// Keys of the state; each value is 1 KiB of random bytes.
const KEYS: u64 = 100;
/// What the process may grow by beyond what the store in memory holds.
const SLACK: i64 = 8 << 20;

#[tokio::test(start_paused = true)]
async fn a_handle_holds_the_state_and_not_the_commits() {
    let env = Simulation::seeded(5).env();
    let store: Arc<dyn ConditionalBlobStore> = Arc::new(MemoryBlobStore::new(env.clone()));
    let options = Options::create().env(env.clone());
    let journal = Journal::open(Arc::clone(&store), KeyValue, options).await.unwrap();
    let mut seen = Vec::new();
    for round in 0..4 {
        for number in 0..10_000 {
            let mut value = vec![0; 1 << 10];
            env.fill_random(&mut value);
            let key = format!("key {}", number % KEYS);
            journal.commit(Command::put(key, value)).await.unwrap();
        }
        env.sleep(Duration::from_secs(1)).await;
        let stored = stored(&*store).await;
        println!(
            "{} commits: {stored} bytes stored, {} resident",
            (round + 1) * 10_000,
            resident()
        );
        seen.push(resident() - stored);
    }
    let grown = seen[3] - seen[0];
    // 30,000 commits of 1 KiB: whoever kept them would have grown by 30 MiB.
    assert!(grown < SLACK, "{grown} bytes more than what the store holds");
}

async fn stored(store: &dyn ConditionalBlobStore) -> i64 {
    let sizes = store.list(&BlobPrefix::root(), None).map_ok(|blob| blob.size);
    let sizes: Vec<u64> = sizes.try_collect().await.unwrap();
    i64::try_from(sizes.iter().sum::<u64>()).unwrap()
}

/// The memory of this process, in bytes.
fn resident() -> i64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<i64>().unwrap() * 4_096
}
