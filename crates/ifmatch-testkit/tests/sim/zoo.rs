//! Every planted bug falls to the simulation alone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ifmatch_journal::zoo::Bug;
use ifmatch_testkit::sim::hunt;

/// A healthy engine passes all of these.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_planted_bug_is_caught() {
    let base = number("FROM").unwrap_or(0);
    let wanted = std::env::var("BUG").ok();
    let bugs: Vec<_> = Bug::ALL
        .into_iter()
        .filter(|bug| wanted.as_ref().is_none_or(|wanted| *wanted == format!("{bug:?}")))
        .collect();
    let (next, escaped) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name = format!("{bug:?}");
                    match hunt(*bug, base, number("LIMIT").unwrap_or(SEEDS)) {
                        Some(caught) => println!(
                            "{name:<22} {:>5} seeds {:>7.2} s  {}",
                            caught.seeds_tried, caught.seconds, caught.violation
                        ),
                        None => {
                            println!("{name:<22} ESCAPED");
                            escaped.lock().unwrap().push(name);
                        }
                    }
                }
            });
        }
    });
    let escaped = escaped.into_inner().unwrap();
    assert!(escaped.is_empty(), "escaped: {escaped:?}");
}
