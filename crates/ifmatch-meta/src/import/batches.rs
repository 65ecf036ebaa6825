//! Lines held back until there are enough of one partition for a batch.

use std::collections::{BTreeMap, HashSet};

use super::{ImportFailed, ImportOptions, ImportReport, LineError, OnBadLine, OnExisting};
use crate::error::Error;
use crate::json::{Json, json_equal};
use crate::key::{DocId, DocKey, Partition};
use crate::ops::Op;
use crate::precondition::DocPrecondition;
use crate::store::MetaStore;

/// How often a batch is tried again because somebody else wrote in between.
const MAX_RACES: u32 = 100;

/// A line, or what stands for one, that names a document.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct ImportEntry {
    /// Its number, for the report.
    pub number: u64,
    /// The document.
    pub key: DocKey,
    /// Its body.
    pub body: Json,
}

impl ImportEntry {
    fn size(&self) -> usize {
        self.key.id.as_str().len() + self.body.len()
    }
}

/// The lines of one partition that wait.
#[derive(Default, Debug)]
struct Waiting {
    entries: Vec<ImportEntry>,
    ids: HashSet<DocId>,
    bytes: usize,
}

/// Documents into a store, in batches per partition, from whatever holds them:
/// what [`import`](super::import()) does with its lines. Of the options it takes
/// all but those that say how a line becomes a document.
#[derive(Debug)]
pub struct Importer<'a> {
    store: &'a dyn MetaStore,
    options: &'a ImportOptions,
    waiting: BTreeMap<Partition, Waiting>,
    bytes: usize,
    report: ImportReport,
}

impl<'a> Importer<'a> {
    /// Into this store.
    pub fn new(store: &'a dyn MetaStore, options: &'a ImportOptions) -> Self {
        let report = ImportReport::default();
        Self { store, options, waiting: BTreeMap::new(), bytes: 0, report }
    }

    /// Takes a document, and applies a batch where one is full.
    ///
    /// # Errors
    /// [`ImportFailed`] where the store failed for good, or an earlier document
    /// could not be imported under [`OnBadLine::Stop`].
    pub async fn add(&mut self, entry: ImportEntry) -> Result<(), ImportFailed> {
        let limits = self.store.limits();
        let partition = entry.key.partition.clone();
        let most = self.options.batch_operations.clamp(1, limits.batch_operations);
        if let Some(waiting) = self.waiting.get(&partition) {
            // A second line of one document is judged by what the first stored.
            let full = waiting.entries.len() >= most
                || waiting.bytes + entry.size() > limits.batch_bytes
                || waiting.ids.contains(&entry.key.id);
            if full {
                self.flush(&partition).await?;
            }
        }
        while self.bytes + entry.size() > self.options.buffer_bytes {
            let largest = self.waiting.iter().max_by_key(|(_, waiting)| waiting.bytes);
            let Some(largest) = largest.map(|(partition, _)| partition.clone()) else { break };
            self.flush(&largest).await?;
        }
        self.bytes += entry.size();
        let waiting = self.waiting.entry(partition).or_default();
        waiting.bytes += entry.size();
        waiting.ids.insert(entry.key.id.clone());
        waiting.entries.push(entry);
        Ok(())
    }

    /// Counts a bad line; stops there if asked, after the lines before it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn bad(&mut self, line: u64, error: Error) -> Result<(), ImportFailed> {
        if self.options.bad_line == OnBadLine::Stop {
            self.flush_all().await?;
        }
        self.count_bad(line, error)
    }

    /// Applies what is left.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn finish(mut self) -> Result<ImportReport, ImportFailed> {
        self.flush_all().await?;
        Ok(self.report)
    }

    /// The end by an error that no line is to blame for, with the report so far;
    /// what waited is not applied.
    pub fn failed(&mut self, error: Error) -> ImportFailed {
        let report = Box::new(std::mem::take(&mut self.report));
        ImportFailed { report, line: None, error }
    }

    fn count_bad(&mut self, line: u64, error: Error) -> Result<(), ImportFailed> {
        self.report.failed += 1;
        if self.report.errors.len() < self.options.keep_errors {
            self.report.errors.push(LineError { line, error: error.clone() });
        }
        match self.options.bad_line {
            OnBadLine::Continue => Ok(()),
            OnBadLine::Stop => Err(ImportFailed { line: Some(line), ..self.failed(error) }),
        }
    }

    async fn flush_all(&mut self) -> Result<(), ImportFailed> {
        while let Some(partition) = self.waiting.keys().next().cloned() {
            self.flush(&partition).await?;
        }
        Ok(())
    }

    /// Applies the waiting lines of a partition. Only after a conflict, or where
    /// documents may be replaced, does it read what is there.
    async fn flush(&mut self, partition: &Partition) -> Result<(), ImportFailed> {
        let Some(waiting) = self.waiting.remove(partition) else { return Ok(()) };
        self.bytes -= waiting.bytes;
        let unread = |entry| (entry, DocPrecondition::IfAbsent);
        let mut entries: Vec<_> = waiting.entries.into_iter().map(unread).collect();
        let mut look = self.options.existing == OnExisting::Replace;
        let mut races = 0;
        loop {
            if look {
                entries = self.look(entries).await?;
            }
            if entries.is_empty() {
                return Ok(());
            }
            let ops = entries
                .iter()
                .map(|(entry, pre)| Op::put(entry.key.id.clone(), entry.body.clone(), pre.clone()))
                .collect();
            let write = self.options.write.clone();
            match self.store.batch_with(partition, ops, write).await {
                Ok(_) => {
                    self.report.imported += entries.len() as u64;
                    return Ok(());
                }
                Err(error) if error.conflict().is_some() && races < MAX_RACES => {
                    look = true;
                    races += 1;
                }
                Err(error) => match error.operation_index() {
                    Some(index) if index < entries.len() => {
                        let (entry, _) = entries.remove(index);
                        self.count_bad(entry.number, error)?;
                    }
                    _ => return Err(self.failed(error)),
                },
            }
        }
    }

    /// Reads what is there, and leaves the lines that are still to be written.
    async fn look(
        &mut self,
        entries: Vec<(ImportEntry, DocPrecondition)>,
    ) -> Result<Vec<(ImportEntry, DocPrecondition)>, ImportFailed> {
        let mut left = Vec::with_capacity(entries.len());
        for (entry, _) in entries {
            let current = match self.store.get(&entry.key).await {
                Ok(current) => current,
                Err(error) => return Err(self.failed(error)),
            };
            let Some(current) = current else {
                left.push((entry, DocPrecondition::IfAbsent));
                continue;
            };
            let equal = same(&current.body, &entry.body);
            match self.options.existing {
                OnExisting::SkipEqual | OnExisting::Replace if equal => self.report.skipped += 1,
                OnExisting::Replace => left.push((entry, DocPrecondition::IfMatch(current.etag))),
                OnExisting::SkipEqual | OnExisting::Fail => {
                    let conflict = DocPrecondition::IfAbsent.check(&entry.key, Some(&current));
                    if let Err(error) = conflict {
                        self.count_bad(entry.number, error)?;
                    }
                }
            }
        }
        Ok(left)
    }
}

/// Whether two bodies say the same, whatever their blanks and the order of keys.
fn same(a: &Json, b: &Json) -> bool {
    a == b || matches!((a.value(), b.value()), (Ok(a), Ok(b)) if json_equal(a, b))
}
