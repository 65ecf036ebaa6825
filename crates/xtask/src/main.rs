//! Development tasks of the workspace: `cargo xtask servers`, `test` and `ci`.
//!
//! The tasks run on Linux: they look at `/proc` before they end a process.

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
    /// Runs every check that a change must pass.
    Ci,
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
        Task::Ci => ci::run(&workspace),
    }
}
