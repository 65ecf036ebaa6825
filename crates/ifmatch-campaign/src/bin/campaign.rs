//! Simulates the commit protocol for some time on all cores, from a fresh seed
//! on; fails on the first broken promise.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ifmatch_testkit::sim::Campaign;

/// A campaign of the simulator.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed; drawn where it is not given.
    #[arg(long)]
    base_seed: Option<u64>,
    /// At most so many seeds.
    #[arg(long)]
    seeds: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let base_seed = arguments.base_seed.unwrap_or_else(ifmatch_campaign::fresh_seed);
    println!("base seed {base_seed}");
    let mut campaign = Campaign::new(base_seed).time(Duration::from_secs(arguments.seconds));
    if let Some(seeds) = arguments.seeds {
        campaign = campaign.seeds(seeds);
    }
    let report = campaign.run();
    println!("{report}");
    if report.is_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
