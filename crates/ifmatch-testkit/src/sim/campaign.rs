//! Many seeds, on all cores.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ifmatch_core::Env;

use super::dice::scatter;
use super::report::{Report, SeedReport};
use super::run::run_seed;
use super::violation::{Broken, Violation};
use super::workload::Workload;

/// A run of many seeds, from a first one on. It ends after so many seeds, or
/// after some time, whatever comes first.
///
/// # Examples
/// ```
/// use ifmatch_testkit::sim::Campaign;
/// let report = Campaign::new(1).seeds(2).run();
/// assert!(report.violations.is_empty(), "{report}");
/// assert!(report.commits > 0);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Campaign {
    base_seed: u64,
    seeds: Option<u64>,
    time: Option<Duration>,
    threads: usize,
    workload: Workload,
    twice: f64,
}

impl Campaign {
    /// The seeds from `base_seed` on, a thousand of them unless told otherwise.
    pub fn new(base_seed: u64) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (seeds, time, workload) = (None, None, Workload::default());
        Self { base_seed, seeds, time, threads, workload, twice: 0.05 }
    }

    /// At most so many seeds.
    pub const fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = Some(seeds);
        self
    }

    /// No seed begins after this time.
    pub const fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// On so many threads (all cores). A seed runs on one thread.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Of this workload.
    pub const fn workload(mut self, workload: Workload) -> Self {
        self.workload = workload;
        self
    }

    /// This share of the seeds, 0 to 1, is run twice and must give the same
    /// trace (0.05).
    pub fn twice(mut self, share: f64) -> Self {
        self.twice = share.clamp(0.0, 1.0);
        self
    }

    /// Runs it.
    pub fn run(&self) -> Report {
        let (env, next) = (Env::real(), AtomicU64::new(0));
        let limit = self.seeds.unwrap_or(if self.time.is_some() { u64::MAX } else { 1_000 });
        let report = Mutex::new(Report::new(self.base_seed, self.workload));
        let cpu = cpu_time();
        let began = env.now();
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(|| {
                    let mut own = Report::new(self.base_seed, self.workload);
                    let in_time =
                        || self.time.is_none_or(|time| env.now().saturating_sub(began) < time);
                    while in_time() {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= limit {
                            break;
                        }
                        own.add(self.one(self.base_seed.wrapping_add(number)));
                    }
                    report.lock().unwrap_or_else(PoisonError::into_inner).join(own);
                });
            }
        });
        let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.seconds = env.now().saturating_sub(began).as_secs_f64();
        report.cpu_seconds = cpu.zip(cpu_time()).map(|(before, after)| after - before);
        report
    }

    fn one(&self, seed: u64) -> SeedReport {
        let mut report = run_caught(seed);
        #[expect(clippy::cast_precision_loss, reason = "a share of all numbers")]
        let drawn = scatter(seed ^ 0x7477_6963) as f64 / u64::MAX as f64;
        if drawn < self.twice {
            let again = run_caught(seed).trace_hash;
            report.twice = true;
            if again != report.trace_hash {
                let detail = format!("trace {:016x}, then {again:016x}", report.trace_hash);
                report.violations.push(Violation { seed, kind: Broken::Unrepeatable, detail });
            }
        }
        report
    }
}

fn run_caught(seed: u64) -> SeedReport {
    catch_unwind(|| run_seed(seed, false))
        .unwrap_or_else(|_| SeedReport::failed(seed, Broken::Panic, "the run panicked".to_owned()))
}

/// The CPU time of this process in seconds, where the system tells it.
fn cpu_time() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process, in brackets, may hold anything.
    let fields = stat.rsplit_once(") ")?.1;
    let mut times = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some((user + system) / 100.0)
}
