//! Documents from files and to files.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use futures::TryStreamExt;
use ifmatch::meta::{
    self, Document, ImportFailed, ImportOptions, ImportReport, MetaStore, OnBadLine, OnExisting,
    Partition, ScanOptions,
};
use ifmatch::sql::{self, AutocrudOptions, AutocrudReport};
use ifmatch::{BlobKey, ConditionalBlobStore};
use serde_json::{Value, json};

use crate::arguments::{Global, is_stream};
use crate::commands::documents::{Author, closing, open, unreadable};
use crate::failure::Failure;
use crate::output::Output;

/// What is imported.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The document store.
    store: String,
    /// The lines; `-` or nothing is standard input.
    file: Option<PathBuf>,
    /// The field that names the partition; a JSON pointer if it begins with `/`.
    #[arg(long, required_unless_present = "partition")]
    partition_field: Option<String>,
    /// The field that is the id.
    #[arg(long, required_unless_present = "autocrud")]
    id_field: Option<String>,
    /// The documents are those of a database of autocrud: a SQLite file, or the
    /// URL of the blob that is one.
    #[arg(long, value_name = "FILE|URL", conflicts_with_all = ["file", "id_field", "stop"])]
    autocrud: Option<String>,
    /// The partition of all documents of --autocrud; with --partition-field of
    /// those without the field.
    #[arg(long, requires = "autocrud")]
    partition: Option<String>,
    /// Replace documents that are there and differ.
    #[arg(long)]
    replace: bool,
    /// Stop at the first line that cannot be imported.
    #[arg(long)]
    stop: bool,
    #[command(flatten)]
    author: Author,
}

/// What is exported.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The document store.
    store: String,
    /// The file; `-` or nothing is standard output. It is there once it is whole.
    file: Option<PathBuf>,
    /// Only this partition.
    #[arg(long)]
    partition: Option<String>,
    /// Only the bodies, each on a line, as `meta import` reads them.
    #[arg(long)]
    bodies: bool,
}

pub(super) async fn import(
    import: Import,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let existing = if import.replace { OnExisting::Replace } else { OnExisting::default() };
    let write = import.author.options();
    if let Some(source) = &import.autocrud {
        let mut options = match (import.partition_field, import.partition) {
            (Some(field), default) => {
                let options = AutocrudOptions::by_field(pointer(&field));
                match default {
                    Some(partition) => options.default_partition(Partition::new(partition)?),
                    None => options,
                }
            }
            (None, Some(partition)) => AutocrudOptions::into_partition(Partition::new(partition)?),
            (None, None) => return Err(Failure::invalid("--partition or --partition-field")),
        };
        options = options.existing(existing).write(write);
        return Box::pin(autocrud(&import.store, source, options, global, output)).await;
    }
    let (Some(partition_field), Some(id_field)) = (import.partition_field, import.id_field) else {
        return Err(Failure::invalid("--partition-field and --id-field are needed"));
    };
    let mut options = ImportOptions::new(partition_field, id_field).existing(existing);
    options.write = write;
    if import.stop {
        options = options.bad_line(OnBadLine::Stop);
    }
    let lines = lines(import.file.as_deref(), output)?;
    let store = open(&import.store, true, global).await?;
    let imported = async { Ok(meta::import(&*store, lines, &options).await) };
    told(closing(store.clone(), imported).await?, output)
}

/// A field as `meta import` names it, as a JSON pointer.
fn pointer(field: &str) -> String {
    if field.starts_with('/') {
        return field.to_owned();
    }
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}

async fn autocrud(
    store: &str,
    source: &str,
    options: AutocrudOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let blob = match source.split_once("://") {
        Some(_) => Some(blob(source, global)?),
        None => None,
    };
    let store = open(store, true, global).await?;
    let imported = async {
        Ok(match &blob {
            Some((blobs, key)) => sql::import_autocrud_blob(&*store, &**blobs, key, &options).await,
            None => sql::import_autocrud(&*store, Path::new(source), &options).await,
        })
    };
    match closing(store.clone(), imported).await? {
        Ok(report) => autocrud_told(&report, output),
        Err(failed) => {
            autocrud_told(&failed.report, output)?;
            Err(failed.error.into())
        }
    }
}

/// The store and the key of a blob's URL: the last part of the path is the key.
fn blob(
    url: &str,
    global: &Global,
) -> Result<(std::sync::Arc<dyn ConditionalBlobStore>, BlobKey), Failure> {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (url, String::new()),
    };
    let Some((folder, name)) = address.rsplit_once('/').filter(|(_, name)| !name.is_empty()) else {
        return Err(Failure::invalid(format!("{address}: name a blob")));
    };
    Ok((super::super::open(&format!("{folder}{query}"), global)?, BlobKey::new(name)?))
}

fn autocrud_told(report: &AutocrudReport, output: &Output) -> Result<(), Failure> {
    for row in &report.rows_skipped {
        output.remark(&row.to_string());
    }
    let text = format!(
        "{} rows: {} imported, {} unchanged, {} skipped",
        report.rows, report.imported, report.unchanged, report.skipped
    );
    output.result(&text, report)
}

/// The lines of a file, with a progress bar where somebody looks.
fn lines(file: Option<&Path>, output: &Output) -> Result<Box<dyn BufRead + Send>, Failure> {
    let Some(path) = file.filter(|path| !is_stream(Some(&path.to_path_buf()))) else {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    };
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    if !output.shows_progress() {
        return Ok(Box::new(BufReader::new(file)));
    }
    let size = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    let bar = indicatif::ProgressBar::new(size);
    Ok(Box::new(BufReader::new(bar.wrap_read(file))))
}

fn told(imported: Result<ImportReport, ImportFailed>, output: &Output) -> Result<(), Failure> {
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

pub(super) async fn export(
    export: Export,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let only = export.partition.map(Partition::new).transpose()?;
    let file = export.file.filter(|file| !is_stream(Some(file)));
    let store = open(&export.store, false, global).await?;
    let written = async {
        let Some(file) = &file else {
            let mut print = |line: &str| output.bytes(line.as_bytes());
            return each(&*store, only.as_ref(), export.bodies, &mut print).await;
        };
        let unwritable =
            |error: std::io::Error| Failure::other(format!("{}: {error}", file.display()));
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = file.with_file_name(name);
        let mut lines = BufWriter::new(File::create(&partial).map_err(unwritable)?);
        let mut print = |line: &str| lines.write_all(line.as_bytes()).map_err(unwritable);
        let count = each(&*store, only.as_ref(), export.bodies, &mut print).await?;
        let written = lines.into_inner().map_err(|error| unwritable(error.into_error()))?;
        written.sync_all().map_err(unwritable)?;
        std::fs::rename(&partial, file).map_err(unwritable)?;
        Ok(count)
    };
    let count = closing(store.clone(), written).await?;
    if file.is_some() {
        output.result(&format!("{count} exported"), &json!({ "exported": count }))?;
    }
    Ok(())
}

/// Gives each document to `print`, by partition and id; how many there were.
async fn each(
    store: &dyn MetaStore,
    only: Option<&Partition>,
    bodies: bool,
    print: &mut (dyn FnMut(&str) -> Result<(), Failure> + Send),
) -> Result<u64, Failure> {
    let mut count = 0;
    let mut partitions = match only {
        Some(only) => vec![only.clone()],
        None => store.partitions(None, 1_000).await?,
    };
    while let Some(last) = partitions.last().cloned() {
        for partition in &partitions {
            let mut documents = store.documents(partition, ScanOptions::default());
            while let Some(document) = documents.try_next().await? {
                print(&format!("{}\n", exported(&document, bodies)?))?;
                count += 1;
            }
        }
        if only.is_some() {
            break;
        }
        partitions = store.partitions(Some(&last), 1_000).await?;
    }
    Ok(count)
}

fn exported(document: &Document, bodies: bool) -> Result<String, Failure> {
    let line = if bodies {
        serde_json::to_string(&document.body)
    } else {
        serde_json::to_string(document)
    };
    line.map_err(|error| Failure::other(error.to_string()))
}
