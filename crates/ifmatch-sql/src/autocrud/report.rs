//! What an import of autocrud did.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ifmatch_meta::Error;
use serde::Serialize;

/// Why a row is not in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SkipReason {
    /// A pickled Python object. Reading one runs what it says, so nobody reads
    /// it here.
    Pickled,
    /// The data is neither a JSON object nor a `MessagePack` map.
    Unreadable(Arc<str>),
    /// A value that JSON has no word for: a binary, an extension, a key that is
    /// no text, a number that is not finite.
    Untranslatable(Arc<str>),
    /// It has no id or no partition.
    Unnamed(Error),
    /// Its body is no document: too large, too deep, a duplicate key.
    NotADocument(Error),
    /// The store refused it: a conflict with what is there.
    Refused(Error),
}

impl SkipReason {
    /// The reason as one word, as the report counts it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Pickled => "pickled",
            Self::Unreadable(_) => "unreadable",
            Self::Untranslatable(_) => "untranslatable",
            Self::Unnamed(_) => "unnamed",
            Self::NotADocument(_) => "not_a_document",
            Self::Refused(_) => "refused",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pickled => f.write_str("a pickled object, which is never loaded"),
            Self::Unreadable(what) | Self::Untranslatable(what) => f.write_str(what),
            Self::Unnamed(error) | Self::NotADocument(error) | Self::Refused(error) => {
                write!(f, "{error}")
            }
        }
    }
}

/// A row that is not in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SkippedRow {
    /// Its `rowid`.
    pub row: i64,
    /// Its `resource_id`, where it is a text that is not too long.
    pub id: Option<Arc<str>>,
    /// Why.
    pub reason: SkipReason,
}

impl fmt::Display for SkippedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "row {} ({:?}): {}", self.row, id, self.reason),
            None => write!(f, "row {}: {}", self.row, self.reason),
        }
    }
}

/// What an import of autocrud did, row by row: `imported + unchanged + skipped`
/// is the number of rows where it came to its end.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct AutocrudReport {
    /// Rows read.
    pub rows: u64,
    /// Documents written.
    pub imported: u64,
    /// Rows whose document is there and equal.
    pub unchanged: u64,
    /// Rows that are not in the store.
    pub skipped: u64,
    /// How many of them for which reason ([`SkipReason::kind`]).
    pub reasons: BTreeMap<&'static str, u64>,
    /// The first of them.
    #[serde(skip)]
    pub rows_skipped: Vec<SkippedRow>,
    #[serde(skip)]
    keep: usize,
}

impl AutocrudReport {
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    pub(super) fn skip(&mut self, row: SkippedRow) {
        self.skipped += 1;
        *self.reasons.entry(row.reason.kind()).or_default() += 1;
        self.keep(row);
    }

    pub(super) fn count_refused(&mut self, rows: u64) {
        self.skipped += rows;
        if rows > 0 {
            *self.reasons.entry("refused").or_default() += rows;
        }
    }

    /// Names rows that are counted already.
    pub(super) fn refused(&mut self, rows: Vec<SkippedRow>) {
        for row in rows {
            self.keep(row);
        }
    }

    fn keep(&mut self, row: SkippedRow) {
        if self.rows_skipped.len() < self.keep {
            self.rows_skipped.push(row);
        }
    }
}

/// An import that stopped. What the report counts as imported is stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("import stopped after {} documents", report.imported)]
#[non_exhaustive]
pub struct AutocrudFailed {
    /// What was done before.
    pub report: Box<AutocrudReport>,
    /// Why.
    #[source]
    pub error: Error,
}

impl AutocrudFailed {
    /// The kind of its error.
    pub const fn kind(&self) -> &'static str {
        self.error.kind()
    }
}
