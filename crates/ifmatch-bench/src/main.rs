//! `cargo xtask bench`: ifmatch beside hand-written code.
//!
//! Each figure is a ratio: ours and the other way take turns in one run, on the
//! same machine, the same data, the same disk, and the median of the rounds
//! counts. Rates alone say more about the machine. (That is why this is a small
//! harness of its own: criterion measures one thing after the other.)
#![allow(clippy::print_stdout)]

mod corpus;
mod harness;
mod import;
mod memory;
mod postgres;
mod queries;
mod raw;
mod rss;
mod sqlite;

use anyhow::Result;
use clap::Parser;

use crate::harness::Bench;

/// Measures ifmatch beside hand-written code.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// Few rounds: whether it works, not how fast.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only groups whose name begins so: memory, sqlite, query, import, postgres.
    #[arg(long)]
    pub(crate) only: Vec<String>,
}

fn main() -> Result<()> {
    let mut bench = Bench::new(Options::parse());
    if cfg!(debug_assertions) {
        println!("A debug build: the ratios mean nothing.");
    }
    if bench.wants("memory") {
        // On one core.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(memory::run(&mut bench))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if bench.wants("sqlite") {
            sqlite::run(&mut bench).await?;
        }
        if bench.wants("query") {
            queries::run(&mut bench).await?;
        }
        if bench.wants("import") {
            import::run(&mut bench).await?;
        }
        if bench.wants("postgres") {
            postgres::run(&mut bench).await?;
        }
        Ok(())
    })
}
