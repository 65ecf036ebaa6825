//! Reads and writes of a transaction.

use std::convert::identity;
use std::path::PathBuf;
use std::sync::Arc;

use ifmatch::meta::{
    Applied, DocId, DocKey, DocPrecondition, Error, MetaStore, Op, Partition, Transaction, TxId,
    WriteOptions,
};
use serde_json::json;

use crate::arguments::Global;
use crate::commands::documents::{Range, body, closing, input, open, print_document};
use crate::commands::operations;
use crate::failure::Failure;
use crate::output::Output;

/// Goes on with an open transaction, and its partition.
async fn resume(
    store: &Arc<dyn MetaStore>,
    id: &TxId,
) -> Result<(Transaction, Partition), Failure> {
    let tx = Transaction::resume(store.clone(), id).await?;
    match tx.partition().cloned() {
        Some(partition) => Ok((tx, partition)),
        None => {
            Err(Error::Expired { id: id.clone(), what: "it was committed before".into() }.into())
        }
    }
}

pub(super) async fn get(
    store: &str,
    tx: &TxId,
    id: &str,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let id = DocId::new(id)?;
    let store = open(store, false, global).await?;
    let read = async {
        let (tx, partition) = resume(&store, tx).await?;
        let key = DocKey { partition, id };
        Ok((tx.get(&key).await?, key))
    };
    let (found, key) = closing(store.clone(), read).await?;
    print_document(found, || format!("not found: document {key} in transaction {tx}"), output)
}

pub(super) async fn put(
    store: &str,
    tx: &TxId,
    (id, text): (&str, Option<String>),
    pre: DocPrecondition,
    options: WriteOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let op = Op::put(DocId::new(id)?, body(text)?, pre);
    one(store, tx, op, options, global, output).await
}

pub(super) async fn patch(
    store: &str,
    tx: &TxId,
    (id, text): (&str, Option<String>),
    pre: DocPrecondition,
    options: WriteOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let op = Op::patch(DocId::new(id)?, body(text)?, pre);
    one(store, tx, op, options, global, output).await
}

pub(super) async fn delete(
    store: &str,
    tx: &TxId,
    id: &str,
    pre: DocPrecondition,
    options: WriteOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let op = Op::delete(DocId::new(id)?, pre);
    one(store, tx, op, options, global, output).await
}

async fn one(
    store: &str,
    tx: &TxId,
    op: Op,
    options: WriteOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let (applied, bytes) = write(store, tx, vec![op], options, Error::alone, global).await?;
    let etag = applied.first().and_then(Applied::etag).map(|etag| etag.to_string());
    let text = etag.as_deref().unwrap_or("nothing there");
    output.result(text, &json!({ "staged_bytes": bytes, "etag": etag }))
}

pub(super) async fn batch(
    store: &str,
    tx: &TxId,
    file: Option<&PathBuf>,
    options: WriteOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let ops = operations::read(&input(file)?)?;
    let (applied, bytes) = write(store, tx, ops.clone(), options, identity, global).await?;
    operations::print(&ops, &applied, output)?;
    output.result("", &json!({ "staged_bytes": bytes }))
}

async fn write(
    store: &str,
    tx: &TxId,
    ops: Vec<Op>,
    options: WriteOptions,
    told: fn(Error) -> Error,
    global: &Global,
) -> Result<(Vec<Applied>, usize), Failure> {
    let store = open(store, false, global).await?;
    let written = async {
        let (tx, partition) = resume(&store, tx).await?;
        let applied = tx.batch_with(&partition, ops, options).await.map_err(told)?;
        tx.detach().await?;
        Ok((applied, tx.staged_bytes()?))
    };
    closing(store.clone(), written).await
}

pub(super) async fn range(
    store: &str,
    tx: &TxId,
    range: Range,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let (mut options, mut pages) = range.options()?;
    let store = open(store, false, global).await?;
    let print = async {
        let (tx, partition) = resume(&store, tx).await?;
        loop {
            let page = tx.scan(&partition, options.clone()).await?;
            if !pages.print(&page.documents, page.next.as_ref(), output)? {
                return Ok(());
            }
            options.limit = pages.next_page(options.limit);
            options.after = page.next;
        }
    };
    closing(store.clone(), print).await
}
