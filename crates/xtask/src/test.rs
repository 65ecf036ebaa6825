//! `cargo xtask test`: the whole suite, with real servers behind it.

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::process;
use crate::servers::{Session, Variables};
use crate::workspace::Workspace;

/// What to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Runs offline: the server tests report themselves as ignored.
    #[arg(long)]
    no_servers: bool,
    /// Arguments for `cargo nextest run` (for example `-E 'package(ifmatch-core)'`),
    /// or for `cargo test` where it is missing.
    #[arg(last = true)]
    extra: Vec<String>,
}

/// Runs `cargo xtask test`.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let session = if options.no_servers { None } else { Some(Session::open(workspace)?) };
    let variables = session.as_ref().map(Session::variables).transpose()?.unwrap_or_default();
    suites(workspace, &variables, &options.extra, None)?;
    doctests(workspace, &variables, None)?;
    session.map_or(Ok(()), Session::close)
}

/// Every test except doctests, in all packages.
pub(crate) fn suites(
    workspace: &Workspace,
    variables: &Variables,
    extra: &[String],
    deadline: Option<Instant>,
) -> Result<()> {
    let nextest = process::output(&mut workspace.cargo("nextest --version")).is_ok();
    let words = if nextest {
        "nextest run --workspace --all-features --no-fail-fast"
    } else {
        // All targets but benchmarks.
        "test --workspace --all-features --no-fail-fast --lib --bins --tests --examples"
    };
    let mut command = workspace.cargo(words);
    process::run(command.args(extra).envs(variables), deadline)
}

/// The examples in the documentation, which nextest does not run.
pub(crate) fn doctests(
    workspace: &Workspace,
    variables: &Variables,
    deadline: Option<Instant>,
) -> Result<()> {
    let mut command = workspace.cargo("test --doc --workspace --all-features");
    process::run(command.envs(variables), deadline)
}
