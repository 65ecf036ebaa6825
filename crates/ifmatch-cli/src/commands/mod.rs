//! One file per command.

pub(crate) mod blob;
pub(crate) mod db;
mod doctor;
mod documents;
pub(crate) mod meta;
mod operations;
pub(crate) mod simulate;
pub(crate) mod tx;

use std::sync::Arc;

use clap::CommandFactory;
use ifmatch::{ConditionalBlobStore, OpenOptions};

use crate::arguments::{Arguments, Command, Global};
use crate::failure::Failure;
use crate::output::Output;

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let global = &arguments.global;
    match arguments.command {
        Command::Doctor { url } => doctor::run(&url, global, output).await,
        Command::Blob(command) => blob::run(command, global, output).await,
        Command::Db(command) => db::run(command, global, output).await,
        Command::Meta(command) => Box::pin(meta::run(command, global, output)).await,
        Command::Tx(command) => Box::pin(tx::run(command, global, output)).await,
        Command::Simulate(command) => simulate::run(&command, output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "ifmatch", &mut script);
            output.bytes(&script)
        }
    }
}

fn options(global: &Global) -> OpenOptions {
    OpenOptions::new().deadline(global.timeout)
}

fn open(url: &str, global: &Global) -> Result<Arc<dyn ConditionalBlobStore>, Failure> {
    Ok(options(global).open(url)?)
}
