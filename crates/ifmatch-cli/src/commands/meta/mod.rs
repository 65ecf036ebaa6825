//! `ifmatch meta`: documents.

mod feed;
mod many;
mod single;
mod sync;
mod transfer;

use std::path::PathBuf;

use clap::Subcommand;
use ifmatch::meta::ChangeToken;

use super::documents::{Author, PresentCondition, PutCondition, Range};
use super::operations;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

/// Read and write documents.
#[derive(Debug, Subcommand)]
pub(crate) enum Meta {
    /// Read a document.
    Get {
        /// The document store: `memory://name`, `sqlite:PATH`,
        /// `postgres://host/database` or the URL of a blob store.
        store: String,
        /// Its partition.
        partition: String,
        /// Its id.
        id: String,
    },
    /// Write a document.
    Put {
        /// The document store.
        store: String,
        /// Its partition.
        partition: String,
        /// Its id.
        id: String,
        /// The JSON; `-` or nothing is standard input.
        body: Option<String>,
        #[command(flatten)]
        condition: PutCondition,
        #[command(flatten)]
        author: Author,
    },
    /// Delete a document.
    Delete {
        /// The document store.
        store: String,
        /// Its partition.
        partition: String,
        /// Its id.
        id: String,
        #[command(flatten)]
        condition: PresentCondition,
        #[command(flatten)]
        author: Author,
    },
    /// Apply operations on one partition, all or none.
    #[command(after_help = operations::FORM)]
    Batch {
        /// The document store.
        store: String,
        /// The partition.
        partition: String,
        /// The operations, JSON lines; `-` or nothing is standard input.
        file: Option<PathBuf>,
        #[command(flatten)]
        author: Author,
    },
    /// Read the documents of a partition in order of their ids.
    Scan {
        /// The document store.
        store: String,
        /// The partition.
        partition: String,
        #[command(flatten)]
        range: Range,
    },
    /// Find documents.
    Query(many::Query),
    /// Count documents.
    Count {
        /// The document store.
        store: String,
        /// Only in this partition.
        partition: Option<String>,
        /// Only those for which this filter is true.
        #[arg(long = "where", value_name = "JSON_FILTER")]
        filter: Option<String>,
    },
    /// What became of documents: each in its newest state, deleted ones too.
    Changes {
        /// The document store.
        store: String,
        /// Only in this partition.
        partition: Option<String>,
        /// What changed since this token; everything unless set.
        #[arg(long, value_name = "TOKEN")]
        since: Option<ChangeToken>,
        /// Go on until Ctrl-C.
        #[arg(long)]
        follow: bool,
        /// Print at most so many.
        #[arg(long, conflicts_with = "follow", value_parser = clap::value_parser!(u64).range(1..))]
        limit: Option<u64>,
    },
    /// Import JSON lines, or a database of autocrud. Run it again after a
    /// failure: what is there and equal is skipped.
    Import(transfer::Import),
    /// Export documents as JSON lines.
    Export(transfer::Export),
    /// Publish what is local, or adopt what is remote.
    Sync(sync::Sync),
}

pub(crate) async fn run(command: Meta, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        Meta::Get { store, partition, id } => {
            single::get(&store, partition, id, global, output).await
        }
        Meta::Put { store, partition, id, body, condition, author } => {
            let (precondition, options) = (condition.precondition()?, author.options());
            let put = single::Put { partition, id, body, precondition, options };
            single::put(&store, put, global, output).await
        }
        Meta::Delete { store, partition, id, condition, author } => {
            let (precondition, options) = (condition.precondition()?, author.options());
            let delete = single::Delete { partition, id, precondition, options };
            single::delete(&store, delete, global, output).await
        }
        Meta::Batch { store, partition, file, author } => {
            many::batch(&store, &partition, file.as_ref(), author.options(), global, output).await
        }
        Meta::Scan { store, partition, range } => {
            many::scan(&store, &partition, range, global, output).await
        }
        Meta::Query(query) => many::query(query, global, output).await,
        Meta::Count { store, partition, filter } => {
            many::count(&store, partition, filter.as_deref(), global, output).await
        }
        Meta::Changes { store, partition, since, follow, limit } => {
            let what = feed::Changes { partition, since, follow, limit };
            feed::changes(&store, what, global, output).await
        }
        Meta::Import(import) => transfer::import(import, global, output).await,
        Meta::Export(export) => transfer::export(export, global, output).await,
        Meta::Sync(sync) => sync::run(sync, global, output).await,
    }
}
