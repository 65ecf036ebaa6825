//! Hunts every planted bug by simulation alone; fails if one escapes.
//!
//! The bugs are compiled in by `--cfg ifmatch_zoo`: `cargo xtask zoo`.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

#[cfg(not(ifmatch_zoo))]
fn main() -> ExitCode {
    println!("no bug is compiled in: run `cargo xtask zoo`");
    ExitCode::FAILURE
}

#[cfg(ifmatch_zoo)]
fn main() -> ExitCode {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ifmatch_journal::zoo::Bug;
    use ifmatch_testkit::sim::{Caught, hunt};

    /// Seeds after which a bug counts as escaped.
    const LIMIT: u64 = 4_000;

    let base_seed = ifmatch_campaign::fresh_seed();
    println!("base seed {base_seed}; {} bugs", Bug::ALL.len());
    // A bug may make its own engine panic: that is a way of being found.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::<(Bug, Option<Caught>)>::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(bug) = Bug::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = hunt(*bug, base_seed, LIMIT);
                    let mut found = found.lock().unwrap_or_else(|poison| poison.into_inner());
                    found.push((*bug, caught));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(|poison| poison.into_inner());
    found.sort_by_key(|(bug, _)| *bug);
    println!("{:<22} {:>6} {:>9}  broke first", "bug", "seeds", "seconds");
    let mut escaped = 0;
    for (bug, caught) in &found {
        match caught {
            Some(caught) => println!(
                "{:<22} {:>6} {:>9.3}  {} (seed {})",
                format!("{bug:?}"),
                caught.seeds_tried,
                caught.seconds,
                caught.violation.kind,
                caught.seed
            ),
            None => {
                escaped += 1;
                println!("{:<22} ESCAPED {LIMIT} seeds", format!("{bug:?}"));
            }
        }
    }
    println!("{} of {} bugs found", found.len() - escaped, found.len());
    if escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
