//! `ifmatch meta`: documents.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use ifmatch::OpenMetaOptions;
use ifmatch::meta::{
    DocKey, DocPrecondition, ImportOptions, ImportReport, Json, MetaStore, OnBadLine, OnExisting,
    WriteOptions, import,
};
use serde_json::{Value, json};

use crate::arguments::{Global, is_stream};
use crate::failure::Failure;
use crate::output::Output;

/// Read and write documents.
#[derive(Debug, Subcommand)]
pub(crate) enum Meta {
    /// Read a document.
    Get {
        /// The document store, as sqlite:PATH.
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
        /// Who writes.
        #[arg(long, env = "IFMATCH_AUTHOR")]
        author: Option<String>,
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
        condition: DeleteCondition,
        /// Who deletes.
        #[arg(long, env = "IFMATCH_AUTHOR")]
        author: Option<String>,
    },
    /// Import JSON lines. Run it again after a failure: what is there and equal
    /// is skipped.
    Import {
        /// The document store.
        store: String,
        /// The lines; `-` or nothing is standard input.
        file: Option<PathBuf>,
        /// The field that names the partition; a JSON pointer if it begins
        /// with `/`.
        #[arg(long)]
        partition_field: String,
        /// The field that is the id.
        #[arg(long)]
        id_field: String,
        /// Replace documents that are there and differ.
        #[arg(long)]
        replace: bool,
        /// Stop at the first line that cannot be imported.
        #[arg(long)]
        stop: bool,
        /// Who writes.
        #[arg(long, env = "IFMATCH_AUTHOR")]
        author: Option<String>,
    },
}

/// What must hold for a put.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PutCondition {
    /// Only if there is no such document.
    #[arg(long)]
    if_absent: bool,
    /// Only if there is one.
    #[arg(long)]
    if_exists: bool,
    /// Only if its ETag is this one.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Whatever is there: the last writer wins.
    #[arg(long)]
    overwrite: bool,
}

/// What must hold for a delete.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct DeleteCondition {
    /// Only if there is one.
    #[arg(long)]
    if_exists: bool,
    /// Only if its ETag is this one.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Whatever is there.
    #[arg(long)]
    overwrite: bool,
}

fn condition(
    if_match: Option<&str>,
    if_absent: bool,
    if_exists: bool,
) -> Result<DocPrecondition, Failure> {
    Ok(match if_match {
        Some(etag) => DocPrecondition::IfMatch(etag.parse()?),
        None if if_absent => DocPrecondition::IfAbsent,
        None if if_exists => DocPrecondition::IfExists,
        None => DocPrecondition::Overwrite,
    })
}

pub(crate) async fn run(command: Meta, _: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        Meta::Get { store, partition, id } => {
            let key = DocKey::new(partition, id)?;
            let store = open(&store, false).await?;
            let found = store.get(&key).await;
            store.close().await?;
            let document = found?.ok_or_else(|| {
                Failure::not_found(format!("not found: document {key} in {store}"))
            })?;
            output.remark(&format!("etag {}", document.etag));
            output.result(document.body.as_str(), &document)
        }
        Meta::Put { store, partition, id, body, condition: c, author } => {
            let key = DocKey::new(partition, id)?;
            let precondition = condition(c.if_match.as_deref(), c.if_absent, c.if_exists)?;
            let body = Json::new(text(body)?)?;
            let store = open(&store, true).await?;
            let written = store.put_with(&key, body, precondition, by(author)).await;
            store.close().await?;
            let written = written?;
            let etag = written.etag.to_string();
            output.result(&etag, &json!({ "etag": etag, "created": written.created }))
        }
        Meta::Delete { store, partition, id, condition: c, author } => {
            let key = DocKey::new(partition, id)?;
            let precondition = condition(c.if_match.as_deref(), false, c.if_exists)?;
            let store = open(&store, false).await?;
            let deleted = store.delete_with(&key, precondition, by(author)).await;
            store.close().await?;
            let etag = deleted?.etag.map(|etag| etag.to_string());
            output.result(etag.as_deref().unwrap_or("nothing there"), &json!({ "etag": etag }))
        }
        Meta::Import { store, file, partition_field, id_field, replace, stop, author } => {
            let mut options = ImportOptions::new(partition_field, id_field);
            options.write = by(author);
            if replace {
                options = options.existing(OnExisting::Replace);
            }
            if stop {
                options = options.bad_line(OnBadLine::Stop);
            }
            let lines = lines(file.as_deref(), output)?;
            let store = open(&store, true).await?;
            let imported = import(&*store, lines, &options).await;
            store.close().await?;
            told(imported, output)
        }
    }
}

async fn open(url: &str, create: bool) -> Result<Arc<dyn MetaStore>, Failure> {
    Ok(OpenMetaOptions::new().create(create).open(url).await?)
}

fn by(author: Option<String>) -> WriteOptions {
    match author {
        Some(author) => WriteOptions::default().author(author),
        None => WriteOptions::default(),
    }
}

fn text(body: Option<String>) -> Result<Vec<u8>, Failure> {
    if let Some(body) = body.filter(|body| body != "-") {
        return Ok(body.into_bytes());
    }
    let mut body = Vec::new();
    std::io::stdin()
        .read_to_end(&mut body)
        .map_err(|e| Failure::other(format!("standard input cannot be read: {e}")))?;
    Ok(body)
}

/// The lines of a file, with a progress bar where somebody looks.
fn lines(file: Option<&Path>, output: &Output) -> Result<Box<dyn BufRead + Send>, Failure> {
    let Some(path) = file.filter(|path| !is_stream(Some(&path.to_path_buf()))) else {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure::not_found(format!("there is no file {}", path.display()))
        }
        _ => Failure::other(format!("{}: {error}", path.display())),
    };
    let file = File::open(path).map_err(failed)?;
    if !output.shows_progress() {
        return Ok(Box::new(BufReader::new(file)));
    }
    let bar = indicatif::ProgressBar::new(file.metadata().map_err(failed)?.len());
    Ok(Box::new(BufReader::new(bar.wrap_read(file))))
}

fn told(
    imported: Result<ImportReport, ifmatch::meta::ImportFailed>,
    output: &Output,
) -> Result<(), Failure> {
    let (report, failure) = match imported {
        Ok(report) => (report, None),
        Err(failed) => (*failed.report, Some(Failure::from(failed.error))),
    };
    for line in &report.errors {
        output.remark(&format!("line {}: {}", line.line, line.error));
    }
    let errors: Vec<Value> = report
        .errors
        .iter()
        .map(|line| json!({ "line": line.line, "message": line.error.to_string() }))
        .collect();
    let text = format!(
        "{} imported, {} skipped, {} failed",
        report.imported, report.skipped, report.failed
    );
    let json = json!({
        "imported": report.imported,
        "skipped": report.skipped,
        "failed": report.failed,
        "errors": errors,
    });
    output.result(&text, &json)?;
    match failure {
        Some(failure) => Err(failure),
        None if report.failed > 0 => {
            Err(Failure::invalid(format!("{} lines could not be imported", report.failed)))
        }
        None => Ok(()),
    }
}
