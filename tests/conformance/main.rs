//! One suite on every blob store.
//!
//! The cases are the testkit's; each is named `backend::case`. `s3` and `azure`
//! are real servers (`cargo xtask servers up`), listed as ignored where they
//! are missing; the fakes are the testkit's fault server, which behaves here.
//! No server within reach keeps the preconditions of Google's XML API, so GCS
//! is tested against a fake alone.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

#[path = "../clouds/fixture.rs"]
#[allow(unused, reason = "shared with the cloud tests, which use all of it")]
mod fixture;
#[path = "../clouds/harness.rs"]
#[allow(unused, reason = "shared with the cloud tests, which use all of it")]
mod harness;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ifmatch::testkit::suite::{Subject, blob_cases};
use ifmatch::{ConditionalBlobStore, Env, FsBlobStore, FsOptions, MemoryBlobStore};

use fixture::{CLOUDS, World};
use harness::{Cases, RUNTIME};

/// A backend and how many of its cases passed.
struct Backend {
    name: String,
    passed: Arc<AtomicUsize>,
    not_applicable: usize,
}

/// How long a real server is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(3);

fn main() -> ExitCode {
    harness::ensure_credentials();
    let mut cases = Cases::default();
    let mut backends = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(MemoryBlobStore::new(Env::real()));
    backends.push(add(&mut cases, "memory", memory));
    let fs = FsBlobStore::new(folder.path(), FsOptions::default(), Env::real()).unwrap();
    backends.push(add(&mut cases, "fs", Arc::new(fs)));
    // Servers stop when they are dropped.
    let mut worlds = Vec::new();
    for cloud in CLOUDS {
        let world = RUNTIME.block_on(World::start(cloud));
        let store = world.facade("&probe=never").unwrap();
        backends.push(add(&mut cases, &format!("{cloud}-fake"), store));
        worlds.push(world);
    }
    for (name, variable) in [("s3", "IFMATCH_TEST_S3_URL"), ("azure", "IFMATCH_TEST_AZURE_URL")] {
        if let Ok(url) = std::env::var(variable) {
            // Azurite stands still for a minute when it collects its garbage.
            let patient = ifmatch::OpenOptions::new().deadline(PATIENCE);
            let store = patient.open(&format!("{url}&probe=never&timeout=120s")).unwrap();
            backends.push(add(&mut cases, name, store));
        } else {
            for case in blob_cases() {
                cases.ignore(format!("{name}::{}", case.name()), variable);
            }
        }
    }
    let listing = libtest_mimic::Arguments::from_args().list;
    let conclusion = cases.conclude();
    // A list of names is read by other programs.
    for Backend { name, passed, not_applicable } in backends.iter().filter(|_| !listing) {
        let passed = passed.load(Ordering::Relaxed);
        println!("{passed} cases on {name}, {not_applicable} not applicable");
    }
    conclusion.exit_code()
}

/// Adds every case of the suite, those that say nothing about this store as
/// ignored.
fn add(cases: &mut Cases, name: &str, store: Arc<dyn ConditionalBlobStore>) -> Backend {
    let can = store.capabilities();
    let subject = Subject::new(store);
    let passed = Arc::new(AtomicUsize::new(0));
    let mut not_applicable = 0;
    for case in blob_cases() {
        let full = format!("{name}::{}", case.name());
        if let Some(reason) = case.not_applicable(&can) {
            not_applicable += 1;
            cases.ignore_because(full, reason);
            continue;
        }
        let (subject, passed) = (subject.clone(), Arc::clone(&passed));
        cases.add(full, move || async move {
            case.run(&subject).await.unwrap_or_else(|failure| panic!("{failure}"));
            passed.fetch_add(1, Ordering::Relaxed);
        });
    }
    Backend { name: name.to_owned(), passed, not_applicable }
}
