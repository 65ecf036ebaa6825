//! The command line: options before and after the subcommand.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{blob, db, meta, simulate, tx};

/// Share metadata on any object store without losing an update.
#[derive(Debug, Parser)]
#[command(name = "ifmatch", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 other, 2 invalid, 3 not found, 4 conflict, \
                        5 unavailable, 6 outcome unknown.\n\
                        Blob stores: memory://name, file:///dir, s3://bucket/prefix, \
                        gs://bucket/prefix, az://container/prefix, options as ?query.\n\
                        Document stores: memory://name, sqlite:PATH, \
                        postgres://host/database, or a blob store.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Print one JSON document, or JSON lines; errors as JSON on standard error.
    #[arg(long, global = true, env = "IFMATCH_JSON", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) json: bool,
    /// Print nothing but what was asked for.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Say what is sent; repeat for more.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How long to try an unavailable store, as 30s, 500ms or 2m.
    #[arg(long, global = true, default_value = "30s", value_parser = duration, env = "IFMATCH_TIMEOUT")]
    pub(crate) timeout: Duration,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Does this store keep its conditions? Fails if it lies.
    Doctor {
        /// The store: `s3://bucket/prefix` or another URL.
        url: String,
    },
    /// Read and write single blobs under conditions.
    #[command(subcommand)]
    Blob(blob::Blob),
    /// Share a SQLite database through a blob store.
    #[command(subcommand)]
    Db(db::Db),
    /// Read and write documents.
    #[command(subcommand)]
    Meta(meta::Meta),
    /// Write many documents of a partition as one commit, with a lock.
    #[command(subcommand)]
    Tx(tx::Tx),
    /// Simulate the commit protocol under faults; fails on a broken promise.
    Simulate(simulate::Simulate),
    /// Print a completion script.
    Completions {
        /// For this shell.
        shell: clap_complete::Shell,
    },
}

/// A file argument that may be `-`.
pub(crate) fn is_stream(path: Option<&PathBuf>) -> bool {
    path.is_none_or(|path| path.as_os_str() == "-")
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("write it as 30s, 500ms or 2m".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "write it as 30s, 500ms or 2m".to_owned())?;
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(|| "too long".to_owned())
}
