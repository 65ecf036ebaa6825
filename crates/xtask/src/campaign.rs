//! `cargo xtask sim`, `zoo` and `nightly`: what proves the commit protocol.

use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::process;
use crate::workspace::Workspace;

/// How long to simulate.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Seconds; every run draws its own seeds and prints the first.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// Runs `cargo xtask sim`.
pub(crate) fn sim(workspace: &Workspace, options: &Options) -> Result<()> {
    simulate(workspace, options.seconds, None)
}

/// Simulates on all cores, from a fresh seed on, which is printed.
pub(crate) fn simulate(
    workspace: &Workspace,
    seconds: u64,
    deadline: Option<Instant>,
) -> Result<()> {
    let mut command =
        workspace.cargo("run --profile sim --locked -p ifmatch-campaign --bin campaign --");
    process::run(command.args(["--seconds", &seconds.to_string()]), deadline)
}

/// Runs `cargo xtask zoo`: every planted bug must be found.
///
/// The bugs are compiled in by a flag that changes every crate, so they have a
/// target folder of their own.
pub(crate) fn zoo(workspace: &Workspace, deadline: Option<Instant>) -> Result<()> {
    let mut command = workspace.cargo("run --profile sim --locked -p ifmatch-campaign --bin zoo");
    command.env("RUSTFLAGS", "--cfg ifmatch_zoo");
    command.env("CARGO_TARGET_DIR", workspace.root().join("target/zoo"));
    process::run(&mut command, deadline)
}

/// The journal's figures in simulated time, those over a million commits too.
pub(crate) fn reach(workspace: &Workspace, deadline: Option<Instant>) -> Result<()> {
    let words = "test --profile sim --locked -p ifmatch-campaign --test reach -- --include-ignored \
                 --nocapture";
    process::run(&mut workspace.cargo(words), deadline)
}

/// Runs `cargo xtask nightly`: the long searches and campaigns.
pub(crate) fn nightly(workspace: &Workspace) -> Result<()> {
    let words = "test --profile sim --locked -p ifmatch-core -p ifmatch-journal \
                 -p ifmatch-testkit -p ifmatch-campaign --lib --tests -- --include-ignored --nocapture";
    process::run(&mut workspace.cargo(words), None)?;
    zoo(workspace, None)?;
    simulate(workspace, 3_600, None)
}
