//! The steps, in their order.

use anyhow::{Context, Result};

use super::{Run, Step, dependencies, features, house, layers, metadata};
use crate::servers::{Session, Variables};
use crate::{campaign, process, test};

/// Every step.
pub(super) const ALL: [Step; 16] = [
    ("format", format),
    ("lints", lints),
    ("dependencies", |run| dependencies::check(&run.workspace)),
    ("layers", |run| layers::check(&metadata::read(&run.workspace)?)),
    ("single features", |run| features::check(&run.workspace, run.deadline)),
    ("documentation", documentation),
    ("house rules", |run| house::check(&run.workspace)),
    ("build of the tests", build),
    ("servers up", servers_up),
    ("tests", tests),
    ("documentation tests", doctests),
    ("servers down", servers_down),
    ("quickstart", quickstart),
    ("simulation", simulation),
    ("figures", |run| campaign::reach(&run.workspace, Some(run.deadline))),
    ("bug zoo", |run| campaign::zoo(&run.workspace, Some(run.deadline))),
];

fn format(run: &mut Run) -> Result<()> {
    component(run, "fmt", "rustfmt")?;
    cargo(run, "fmt --all --check")
}

fn lints(run: &mut Run) -> Result<()> {
    component(run, "clippy", "clippy")?;
    cargo(run, "clippy --workspace --all-targets --all-features --locked -- -D warnings")
}

fn documentation(run: &mut Run) -> Result<()> {
    let mut command = run.workspace.cargo("doc --workspace --all-features --no-deps --locked");
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"), Some(run.deadline))
}

fn build(run: &mut Run) -> Result<()> {
    test::build(&run.workspace, Some(run.deadline))
}

fn servers_up(run: &mut Run) -> Result<()> {
    run.session = Some(Session::open(&run.workspace)?);
    Ok(())
}

fn tests(run: &mut Run) -> Result<()> {
    test::suites(&run.workspace, &variables(run)?, &[], Some(run.deadline))
}

fn doctests(run: &mut Run) -> Result<()> {
    test::doctests(&run.workspace, &variables(run)?, Some(run.deadline))
}

fn servers_down(run: &mut Run) -> Result<()> {
    run.session.take().map_or(Ok(()), Session::close)
}

fn quickstart(run: &mut Run) -> Result<()> {
    let readme = std::fs::read_to_string(run.workspace.root().join("README.md"));
    let promised = readme.is_ok_and(|text| text.contains("quickstart"));
    let examples = metadata::read(&run.workspace)?;
    if !promised || examples.package("ifmatch-examples").is_none() {
        println!("the README promises no quickstart yet");
        return Ok(());
    }
    cargo(run, "run --locked -p ifmatch-examples --example quickstart")
}

fn simulation(run: &mut Run) -> Result<()> {
    campaign::simulate(&run.workspace, 60, Some(run.deadline))
}

fn variables(run: &Run) -> Result<Variables> {
    run.session.as_ref().context("the servers are not up")?.variables()
}

fn cargo(run: &Run, words: &str) -> Result<()> {
    process::run(&mut run.workspace.cargo(words), Some(run.deadline))
}

/// Makes sure that the toolchain has a component; a minimal one lacks both.
fn component(run: &Run, subcommand: &str, name: &str) -> Result<()> {
    let there = process::output(run.workspace.cargo(subcommand).arg("--version"));
    let Err(missing) = there else { return Ok(()) };
    eprintln!("`cargo {subcommand}` is missing: adding the component {name}");
    let mut add = run.workspace.command("rustup");
    process::run(add.args(["component", "add", name]), Some(run.deadline))
        .context(missing)
        .with_context(|| format!("the toolchain lacks {name} and it cannot be added"))
}
