//! `ifmatch tx`: local transactions, across processes by their ids.
//!
//! Each command goes on with the transaction, does one thing and leaves what it
//! wrote for the next.

mod end;
mod work;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use ifmatch::meta::TxId;

use super::documents::{Author, PresentCondition, PutCondition, Range};
use super::operations;
use crate::arguments::{Global, duration};
use crate::failure::Failure;
use crate::output::Output;

/// Write many documents of a partition as one commit; nobody else writes there
/// meanwhile. The store's URL needs the option transactions=on.
#[derive(Debug, Subcommand)]
pub(crate) enum Tx {
    /// Begin a transaction, or hear that it is open.
    Begin {
        /// The document store, with transactions=on.
        store: String,
        /// The name of the transaction: 1 to 64 letters, digits, -, _ and .
        txid: TxId,
        /// The partition that it writes in.
        #[arg(long)]
        partition: String,
        /// How long it lives, at most 60s.
        #[arg(long, default_value = "60s", value_parser = duration)]
        lifetime: Duration,
    },
    /// Read a document as the transaction sees it.
    Get {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
        /// The document's id.
        id: String,
    },
    /// Write a document.
    Put {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
        /// The document's id.
        id: String,
        /// The JSON; `-` or nothing is standard input.
        body: Option<String>,
        #[command(flatten)]
        condition: PutCondition,
        #[command(flatten)]
        author: Author,
    },
    /// Change members of a document that is there (JSON merge patch).
    Patch {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
        /// The document's id.
        id: String,
        /// The merge patch; `-` or nothing is standard input.
        patch: Option<String>,
        #[command(flatten)]
        condition: PresentCondition,
        #[command(flatten)]
        author: Author,
    },
    /// Delete a document.
    Delete {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
        /// The document's id.
        id: String,
        #[command(flatten)]
        condition: PresentCondition,
        #[command(flatten)]
        author: Author,
    },
    /// Apply operations, all or none.
    #[command(after_help = operations::FORM)]
    Batch {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
        /// The operations, JSON lines; `-` or nothing is standard input.
        file: Option<PathBuf>,
        #[command(flatten)]
        author: Author,
    },
    /// Read documents in order of their ids, as the transaction sees them.
    Range {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
        #[command(flatten)]
        range: Range,
    },
    /// Apply everything that was written, as one commit. Asking again is safe.
    Commit {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
    },
    /// Discard everything that was written.
    Abort {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
    },
    /// What became of it: open, committed, aborted or forgotten.
    Outcome {
        /// The document store.
        store: String,
        /// The transaction.
        txid: TxId,
    },
}

pub(crate) async fn run(command: Tx, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        Tx::Begin { store, txid, partition, lifetime } => {
            end::begin(&store, txid, &partition, lifetime, global, output).await
        }
        Tx::Get { store, txid, id } => work::get(&store, &txid, &id, global, output).await,
        Tx::Put { store, txid, id, body, condition, author } => {
            let (pre, options) = (condition.precondition()?, author.options());
            work::put(&store, &txid, (&id, body), pre, options, global, output).await
        }
        Tx::Patch { store, txid, id, patch, condition, author } => {
            let (pre, options) = (condition.precondition()?, author.options());
            work::patch(&store, &txid, (&id, patch), pre, options, global, output).await
        }
        Tx::Delete { store, txid, id, condition, author } => {
            let (pre, options) = (condition.precondition()?, author.options());
            work::delete(&store, &txid, &id, pre, options, global, output).await
        }
        Tx::Batch { store, txid, file, author } => {
            work::batch(&store, &txid, file.as_ref(), author.options(), global, output).await
        }
        Tx::Range { store, txid, range } => work::range(&store, &txid, range, global, output).await,
        Tx::Commit { store, txid } => end::commit(&store, &txid, global, output).await,
        Tx::Abort { store, txid } => end::abort(&store, &txid, global, output).await,
        Tx::Outcome { store, txid } => end::outcome(&store, &txid, global, output).await,
    }
}
