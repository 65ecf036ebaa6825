//! JSON lines into a store: in batches, resumable, in bounded memory.

mod batches;
mod lines;
mod report;

use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;

pub use batches::{ImportEntry, Importer};
pub use report::{ImportFailed, ImportReport, LineError};

use crate::error::{Error, Result};
use crate::json::Json;
use crate::key::{DocId, DocKey, Partition};
use crate::ops::WriteOptions;
use crate::store::MetaStore;
use lines::{Line, Lines};

/// What to do where the document is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum OnExisting {
    /// Skip it where it equals the line, else report the conflict: the way to
    /// run an import again.
    #[default]
    SkipEqual,
    /// Report the conflict.
    Fail,
    /// Skip it where it equals the line, else replace it.
    Replace,
}

/// What to do about a line that cannot be imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum OnBadLine {
    /// Report it and go on.
    #[default]
    Continue,
    /// Stop there.
    Stop,
}

/// How lines become documents. The whole line is the body.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The field that names the partition: a name, or a JSON pointer where it
    /// begins with `/`. A text or a whole number.
    pub partition_field: Arc<str>,
    /// The field that is the id.
    pub id_field: Arc<str>,
    /// The partition where the field is missing or null; without one such a
    /// line is bad.
    pub default_partition: Option<Partition>,
    /// What to do where the document is there already.
    pub existing: OnExisting,
    /// What to do about a bad line.
    pub bad_line: OnBadLine,
    /// Most operations in a batch; never more than the store takes.
    pub batch_operations: usize,
    /// Most bytes held back at once, over all partitions.
    pub buffer_bytes: usize,
    /// How many errors the report keeps; all are counted.
    pub keep_errors: usize,
    /// What is said with each write.
    pub write: WriteOptions,
}

impl ImportOptions {
    /// Options with the fields that name partition and id.
    pub fn new(partition_field: impl Into<Arc<str>>, id_field: impl Into<Arc<str>>) -> Self {
        Self {
            partition_field: partition_field.into(),
            id_field: id_field.into(),
            default_partition: None,
            existing: OnExisting::default(),
            bad_line: OnBadLine::default(),
            batch_operations: 1_000,
            buffer_bytes: 16 << 20,
            keep_errors: 20,
            write: WriteOptions::default(),
        }
    }

    /// Sets what to do where the document is there already.
    pub fn existing(mut self, existing: OnExisting) -> Self {
        self.existing = existing;
        self
    }

    /// Sets what to do about a bad line.
    pub fn bad_line(mut self, bad_line: OnBadLine) -> Self {
        self.bad_line = bad_line;
        self
    }

    /// Sets the partition of lines without one.
    pub fn default_partition(mut self, partition: Partition) -> Self {
        self.default_partition = Some(partition);
        self
    }
}

/// Imports JSON lines, in batches per partition.
///
/// Empty lines are passed over. Within a partition lines are applied in their
/// order. Run again after a failure, it skips what is there ([`OnExisting`]).
///
/// # Errors
/// [`ImportFailed`] where the store or the reader failed for good, or at the
/// first bad line if asked ([`OnBadLine::Stop`]): it holds the report so far,
/// and everything the report counts as imported is stored.
///
/// # Cancellation
/// Whole batches are applied or not; run it again.
///
/// # Cost
/// One batch per [`ImportOptions::batch_operations`] lines of a partition; for
/// documents that are there already, one read each. Memory: at most
/// [`ImportOptions::buffer_bytes`] and one line of the largest document.
pub async fn import(
    store: &dyn MetaStore,
    lines: impl BufRead + Send,
    options: &ImportOptions,
) -> Result<ImportReport, ImportFailed> {
    let limit = store.limits().document;
    let mut lines = Lines::new(lines, limit);
    let mut importer = Importer::new(store, options);
    loop {
        let (number, line) = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err(importer.failed(error)),
        };
        let entry = match line {
            Line::TooLong(size) => Err(Error::too_large("the line", size, limit)),
            Line::Text(text) => entry(number, text, limit, options),
        };
        match entry {
            Ok(entry) => importer.add(entry).await?,
            Err(error) => importer.bad(number, error).await?,
        }
    }
    importer.finish().await
}

fn entry(number: u64, text: Vec<u8>, limit: usize, options: &ImportOptions) -> Result<ImportEntry> {
    let body = Json::with_limit(text, limit)?;
    let value = body.decode()?; // Not kept: lines wait as text.
    let partition = match (field(&value, &options.partition_field)?, &options.default_partition) {
        (Some(name), _) => Partition::new(name)?,
        (None, Some(partition)) => partition.clone(),
        (None, None) => return Err(missing(&options.partition_field)),
    };
    let id = field(&value, &options.id_field)?.ok_or_else(|| missing(&options.id_field))?;
    let key = DocKey { partition, id: DocId::new(id)? };
    Ok(ImportEntry { number, key, body })
}

fn missing(field: &str) -> Error {
    Error::invalid(format!("the field {field:?} is missing"))
}

/// The text of a field; `None` where it is missing or null.
fn field(value: &Value, field: &str) -> Result<Option<String>> {
    let found = if field.starts_with('/') { value.pointer(field) } else { value.get(field) };
    match found {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if !number.is_f64() => Ok(Some(number.to_string())),
        Some(_) => Err(Error::invalid(format!("the field {field:?} is neither text nor whole"))),
    }
}
