//! How the rows of autocrud become documents.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_meta::{OnExisting, Partition, WriteOptions};

/// Into which partition a row goes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AutocrudPartition {
    /// All into this one.
    Fixed(Partition),
    /// Into the one that a field names: a text or a whole number.
    Field {
        /// A JSON pointer into the body: `/created_by`,
        /// `/indexed_data/department`.
        pointer: Arc<str>,
        /// Where the field is missing or null; without one such a row is
        /// skipped.
        default: Option<Partition>,
    },
}

/// How an import of autocrud runs.
///
/// ```
/// use ifmatch_meta::{OnExisting, Partition};
/// use ifmatch_sql::AutocrudOptions;
/// let fixed = AutocrudOptions::into_partition(Partition::new("packages")?);
/// let by_field = AutocrudOptions::by_field("/indexed_data/section").existing(OnExisting::Replace);
/// assert_eq!(fixed.batch_operations, by_field.batch_operations);
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AutocrudOptions {
    /// Into which partition a row goes.
    pub partition: AutocrudPartition,
    /// What to do where the document is there already: equal ones are passed
    /// over, others reported, unless set.
    pub existing: OnExisting,
    /// Most documents in a batch; 1,000 unless set, never more than the store
    /// takes.
    pub batch_operations: usize,
    /// Largest database; 4 GiB unless set.
    pub max_file_bytes: u64,
    /// How many skipped rows the report names; all are counted. 100 unless set.
    pub keep_skipped: usize,
    /// Where a blob is downloaded to; the system's folder for temporary files
    /// unless set.
    pub scratch: Option<PathBuf>,
    /// What is said with each write.
    pub write: WriteOptions,
}

impl AutocrudOptions {
    /// All rows into one partition.
    pub fn into_partition(partition: Partition) -> Self {
        Self::new(AutocrudPartition::Fixed(partition))
    }

    /// Each row into the partition that a field of its body names, by JSON
    /// pointer.
    pub fn by_field(pointer: impl Into<Arc<str>>) -> Self {
        Self::new(AutocrudPartition::Field { pointer: pointer.into(), default: None })
    }

    fn new(partition: AutocrudPartition) -> Self {
        Self {
            partition,
            existing: OnExisting::default(),
            batch_operations: 1_000,
            max_file_bytes: 4 << 30,
            keep_skipped: 100,
            scratch: None,
            write: WriteOptions::default(),
        }
    }

    /// Sets what to do where the document is there already.
    pub fn existing(mut self, existing: OnExisting) -> Self {
        self.existing = existing;
        self
    }

    /// Sets the partition of rows whose field is missing or null.
    pub fn default_partition(mut self, partition: Partition) -> Self {
        if let AutocrudPartition::Field { default, .. } = &mut self.partition {
            *default = Some(partition);
        }
        self
    }

    /// Sets the largest database, in bytes.
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Sets where a blob is downloaded to.
    pub fn scratch(mut self, folder: impl Into<PathBuf>) -> Self {
        self.scratch = Some(folder.into());
        self
    }

    /// Sets what is said with each write.
    pub fn write(mut self, write: WriteOptions) -> Self {
        self.write = write;
        self
    }
}
