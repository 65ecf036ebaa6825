//! Development tasks of the workspace: `cargo xtask servers`, `test`, `bench`,
//! `sim`, `zoo`, `ci` and `nightly`.
//!
//! The tasks run on Linux: they look at `/proc` before they end a process.

mod bench;
mod campaign;
mod ci;
mod clock;
mod process;
mod servers;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Development tasks of the ifmatch workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Starts, stops and describes the real servers that the tests talk to.
    #[command(subcommand)]
    Servers(servers::Command),
    /// Runs the whole test suite against real servers and stops what it started.
    Test(test::Options),
    /// Measures ifmatch beside hand-written code, as ratios.
    Bench(bench::Options),
    /// Simulates the commit protocol under faults.
    Sim(campaign::Options),
    /// Hunts every planted bug by simulation; fails if one escapes.
    Zoo,
    /// Runs every check that a change must pass.
    Ci,
    /// Runs the long searches and campaigns: some hours.
    Nightly,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    process::stop_on_signals()?;
    let workspace = Workspace::locate()?;
    match cli.task {
        Task::Servers(command) => servers::run(&workspace, command),
        Task::Test(options) => test::run(&workspace, &options),
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Sim(options) => campaign::sim(&workspace, &options),
        Task::Zoo => campaign::zoo(&workspace, None),
        Task::Ci => ci::run(&workspace),
        Task::Nightly => campaign::nightly(&workspace),
    }
}
