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
    // Before the servers: Azurite stands still now and then, the longer it runs.
    build(workspace, None)?;
    let session = if options.no_servers { None } else { Some(Session::open(workspace)?) };
    let variables = session.as_ref().map(Session::variables).transpose()?.unwrap_or_default();
    suites(workspace, &variables, &options.extra, None)?;
    doctests(workspace, &variables, None)?;
    session.map_or(Ok(()), Session::close)
}

/// Compiles every test.
pub(crate) fn build(workspace: &Workspace, deadline: Option<Instant>) -> Result<()> {
    let words = if has_nextest(workspace) {
        "nextest run --workspace --all-features --no-run"
    } else {
        "test --workspace --all-features --no-run"
    };
    process::run(&mut workspace.cargo(words), deadline)
}

/// Every test except doctests, in all packages.
pub(crate) fn suites(
    workspace: &Workspace,
    variables: &Variables,
    extra: &[String],
    deadline: Option<Instant>,
) -> Result<()> {
    if !has_nextest(workspace) {
        // All targets but benchmarks.
        let words =
            "test --workspace --all-features --no-fail-fast --lib --bins --tests --examples";
        let mut command = workspace.cargo(words);
        return process::run(command.args(extra).envs(variables), deadline);
    }
    let mut command = workspace.cargo("nextest run --workspace --all-features --no-fail-fast");
    if !extra.is_empty() {
        return process::run(command.args(extra).envs(variables), deadline);
    }
    // The conformance suite in one process: it counts its cases per backend.
    command.args(["-E", "not binary(conformance)"]);
    process::run(command.envs(variables), deadline)?;
    let mut command = workspace.cargo("test --workspace --all-features --test conformance");
    process::run(command.args(["--", "--quiet"]).envs(variables), deadline)
}

fn has_nextest(workspace: &Workspace) -> bool {
    process::output(&mut workspace.cargo("nextest --version")).is_ok()
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
