//! Documents on every backend: one suite, one history, one meaning of queries.
//!
//! | cases | what they claim |
//! |---|---|
//! | `BACKEND::suite::*` | each clause of `MetaStore`'s contract: the testkit's cases |
//! | `BACKEND::races::*` | the same at length: counters, transfers, lists |
//! | `BACKEND::processes::*` | several processes, killed ones among them |
//! | `BACKEND::w17_*` | generated queries mean what the evaluator says |
//! | `history::*` | one random history, answered alike by all |
//!
//! Stores that need a server (`cargo xtask servers up`) are listed as ignored
//! where it is missing. With `IFMATCH_TEST_DOCUMENTS` set this program is one of
//! its own processes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]
#![allow(clippy::disallowed_methods)] // Processes live in real time.

mod backends;
#[path = "../clouds/harness.rs"]
#[allow(unused, reason = "shared with the cloud tests, which use all of it")]
mod harness;
mod histories;
mod processes;
mod queries;
mod races;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ifmatch::testkit::suite::meta::meta_cases;

use backends::{Backend, Roots};
use harness::{Cases, RUNTIME};

/// How many cases of the suite passed on a backend.
struct Tally {
    name: &'static str,
    passed: Arc<AtomicUsize>,
    not_applicable: usize,
}

fn main() -> ExitCode {
    harness::ensure_credentials();
    if std::env::var_os(worker::VARIABLE).is_some() {
        worker::serve();
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().unwrap();
    let roots = Arc::new(Roots { folder: folder.path().to_owned() });
    let backends = backends::all(&roots);
    let mut cases = Cases::default();
    let tallies: Vec<_> = backends.iter().map(|backend| suite(&mut cases, backend)).collect();
    for backend in &backends {
        races::add(&mut cases, backend);
        queries::add(&mut cases, backend);
        processes::add(&mut cases, backend, &roots);
    }
    histories::add(&mut cases, &backends);
    let listing = libtest_mimic::Arguments::from_args().list;
    let conclusion = cases.conclude();
    backends::sweep();
    // A list of names is read by other programs.
    for Tally { name, passed, not_applicable } in tallies.iter().filter(|_| !listing) {
        let passed = passed.load(Ordering::Relaxed);
        println!("{passed} cases on {name}, {not_applicable} not applicable");
    }
    conclusion.exit_code()
}

/// Adds every case of the suite, those that say nothing about this store as
/// ignored.
fn suite(cases: &mut Cases, backend: &Backend) -> Tally {
    let passed = Arc::new(AtomicUsize::new(0));
    let mut tally = Tally { name: backend.name, passed, not_applicable: 0 };
    let offer = backend.subject.as_ref().map_err(|missing| *missing);
    let offer = offer.map(|subject| (subject, RUNTIME.block_on(subject.offer()).unwrap()));
    for case in meta_cases() {
        let full = format!("{}::suite::{}", backend.name, case.name());
        match &offer {
            Err(missing) => cases.ignore(full, missing),
            Ok((subject, offer)) => {
                if let Some(reason) = case.not_applicable(offer) {
                    tally.not_applicable += 1;
                    cases.ignore_because(full, reason);
                    continue;
                }
                let (subject, passed) = ((*subject).clone(), tally.passed.clone());
                cases.add(full, move || async move {
                    case.run(&subject).await.unwrap_or_else(|failure| panic!("{failure}"));
                    passed.fetch_add(1, Ordering::Relaxed);
                });
            }
        }
    }
    tally
}
