//! `cargo xtask bench`: ratios beside hand-written code.

use anyhow::Result;
use clap::Args;

use crate::process;
use crate::servers::{Session, Variables};
use crate::workspace::Workspace;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs without servers: what needs one is skipped.
    #[arg(long)]
    no_servers: bool,
    /// Arguments for the benchmarks: `--quick`, `--only GROUP`.
    #[arg(last = true)]
    extra: Vec<String>,
}

/// Runs `cargo xtask bench`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    // Before the servers, which need the cores too.
    let words = "build --release --locked -p ifmatch-bench";
    process::run(&mut workspace.cargo(words), None)?;
    let session = if options.no_servers { None } else { Some(Session::open(workspace)?) };
    let variables: Variables =
        session.as_ref().map(Session::variables).transpose()?.unwrap_or_default();
    let mut command = workspace.cargo("run --release --locked -p ifmatch-bench --");
    process::run(command.args(&options.extra).envs(&variables), None)?;
    session.map_or(Ok(()), Session::close)
}
