//! Databases of autocrud, imported.
//!
//! autocrud (Python) keeps the metadata of its resources in a SQLite file, often
//! one that lies as an object in S3. Such a file is data of others: it is
//! verified before it is read, opened so that nothing in it can run or change
//! anything, and a row that is a pickled object is reported and never loaded.

mod decode;
mod download;
mod file;
mod msgpack;
mod options;
mod report;
#[cfg(test)]
mod tests;
mod verify;

use std::path::Path;
use std::sync::Arc;

use ifmatch_core::{BlobKey, ConditionalBlobStore, Operation};
use ifmatch_meta::{ImportFailed, ImportOptions, ImportReport, Importer, MetaStore, Result};

pub use options::{AutocrudOptions, AutocrudPartition};
pub use report::{AutocrudFailed, AutocrudReport, SkipReason, SkippedRow};

use file::{Entry, File};

/// Imports the database file of autocrud's `SqliteMetaStore`.
///
/// Every row of the table `resource_meta`, of both its generations (with and
/// without `rev_*` columns), becomes a document: its id is `resource_id`, its
/// body the `ResourceMeta` as autocrud encodes it - JSON as it is, `MessagePack`
/// as the JSON of it (times as RFC 3339 with six digits). Soft-deleted rows
/// are documents like others. A row that is no document (a pickle, a value that
/// JSON has no word for, ...) is skipped and reported.
///
/// Run it again after a failure: documents that are there and equal are passed
/// over ([`OnExisting`](ifmatch_meta::OnExisting)).
///
/// # Consistency
/// The file is read page by page; rows that others write meanwhile may be
/// missed. It is never written.
///
/// # Errors
/// [`AutocrudFailed`] with what was done before: `NotFound`, `Corrupt` (no
/// database, or a damaged one), `Invalid` (not one of autocrud), `TooLarge`, or
/// what the store says.
///
/// # Cancellation
/// Whole batches are applied or not; run it again.
///
/// # Cost
/// One batch per 1,000 rows of a partition. Memory: some pages of 4 MiB and
/// what [`ImportOptions::buffer_bytes`] holds back, whatever the size of the
/// file.
pub async fn import_autocrud(
    store: &dyn MetaStore,
    path: &Path,
    options: &AutocrudOptions,
) -> Result<AutocrudReport, AutocrudFailed> {
    let mut report = AutocrudReport::new(options.keep_skipped);
    match run(store, path, options, &mut report).await {
        Ok(()) => Ok(report),
        Err(error) => Err(AutocrudFailed { report: Box::new(report), error }),
    }
}

/// [`import_autocrud`] of a blob that holds such a file, as autocrud's
/// `S3SqliteMetaStore` leaves it in a bucket. It is downloaded to a temporary
/// file first, one version of it.
///
/// # Errors
/// As [`import_autocrud`]; `NotFound` where there is no such blob.
///
/// # Cost
/// One request for its size, and one for each 8 MiB.
pub async fn import_autocrud_blob(
    store: &dyn MetaStore,
    blobs: &dyn ConditionalBlobStore,
    key: &BlobKey,
    options: &AutocrudOptions,
) -> Result<AutocrudReport, AutocrudFailed> {
    match download::download(blobs, key, options).await {
        Ok(file) => import_autocrud(store, file.path(), options).await,
        Err(error) => {
            let report = Box::new(AutocrudReport::new(options.keep_skipped));
            Err(AutocrudFailed { report, error })
        }
    }
}

async fn run(
    store: &dyn MetaStore,
    path: &Path,
    options: &AutocrudOptions,
    report: &mut AutocrudReport,
) -> Result<()> {
    let (path, most) = (path.to_owned(), options.max_file_bytes);
    let rules = decode::Rules::new(&options.partition, store.limits().document);
    let mut file = blocking(move || File::open(&path, most, rules)).await??;
    let import = import_options(options);
    let mut importer = Importer::new(store, &import);
    loop {
        let (back, page) = blocking(move || {
            let page = file.page();
            (file, page)
        })
        .await?;
        file = back;
        let page = match page {
            Ok(page) if page.is_empty() => break,
            Ok(page) => page,
            Err(error) => return stopped(importer.failed(error), report, file).await,
        };
        for entry in page {
            report.rows += 1;
            match entry {
                Entry::Document(entry) => {
                    if let Err(failed) = importer.add(entry).await {
                        return stopped(failed, report, file).await;
                    }
                }
                Entry::Skipped(row) => report.skip(row),
            }
        }
    }
    match importer.finish().await {
        Ok(done) => settle(done, report, file).await,
        Err(failed) => stopped(failed, report, file).await,
    }
}

async fn stopped(failed: ImportFailed, report: &mut AutocrudReport, file: File) -> Result<()> {
    // The ids of a report that nobody can complete are not worth another error.
    let _ = settle(*failed.report, report, file).await;
    Err(failed.error)
}

/// Adds what became of the rows in the store, and names those it refused.
async fn settle(done: ImportReport, report: &mut AutocrudReport, file: File) -> Result<()> {
    report.imported = done.imported;
    report.unchanged = done.skipped;
    report.count_refused(done.failed);
    let refused = blocking(move || file.named(done.errors)).await?;
    report.refused(refused);
    Ok(())
}

fn import_options(options: &AutocrudOptions) -> ImportOptions {
    let mut import = ImportOptions::new("", "").existing(options.existing);
    import.batch_operations = options.batch_operations;
    import.keep_errors = options.keep_skipped;
    import.write = options.write.clone();
    import
}

/// Runs `work` where it may wait for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        let subject = Arc::from("the import");
        crate::sqlite::other(Operation::Get, subject, Arc::new(error))
    })
}
