//! `ifmatch simulate`: the commit protocol under faults, in simulated time.

use std::time::Duration;

use clap::Args;
use ifmatch::Env;
use ifmatch::testkit::sim::{Campaign, Workload, run_seed};

use crate::failure::Failure;
use crate::output::Output;

/// What to simulate.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// What the simulated clients do.
    #[arg(long, default_value = "protocol")]
    workload: Workload,
    /// How many seeds (1,000, or as many as the time allows).
    #[arg(long)]
    seeds: Option<u64>,
    /// For how long, in seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// The first seed; drawn where it is not given.
    #[arg(long)]
    base_seed: Option<u64>,
    /// Only this seed.
    #[arg(long, conflicts_with_all = ["seeds", "seconds", "base_seed"])]
    seed: Option<u64>,
    /// Print every event of that seed.
    #[arg(long, requires = "seed")]
    trace: bool,
}

pub(crate) fn run(command: &Simulate, output: &Output) -> Result<(), Failure> {
    if let (Some(seed), true) = (command.seed, command.trace) {
        // A simulation brings a runtime of its own.
        let run = std::thread::spawn(move || run_seed(seed, true)).join();
        let report = run.map_err(|_| Failure::other(format!("the run of seed {seed} panicked")))?;
        let mut text = report.trace.join("\n");
        text.push('\n');
        output.bytes(text.as_bytes())?;
    }
    // Short enough to be typed again.
    let drawn = || Env::real().random_u64() >> 20;
    let base_seed = command.seed.or(command.base_seed).unwrap_or_else(drawn);
    let mut campaign = Campaign::new(base_seed).workload(command.workload);
    if let Some(seeds) = command.seed.map(|_| 1).or(command.seeds) {
        campaign = campaign.seeds(seeds);
    }
    if let Some(seconds) = command.seconds {
        campaign = campaign.time(Duration::from_secs(seconds));
    }
    if command.seed.is_some() {
        campaign = campaign.twice(1.0);
    }
    let report = campaign.run();
    let json = serde_json::to_value(&report).map_err(|error| Failure::other(error.to_string()))?;
    output.result(&report.to_string(), &json)?;
    match report.violation_count {
        0 => Ok(()),
        broken => Err(Failure::other(format!("{broken} promises were broken"))),
    }
}
