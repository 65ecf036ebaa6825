//! What an import did.

use serde::Serialize;

use crate::error::Error;

/// Why a line was not imported.
#[derive(Clone, Debug)]
pub struct LineError {
    /// The line, counted from 1.
    pub line: u64,
    /// Why.
    pub error: Error,
}

impl std::fmt::Display for LineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

/// What an import did, line by line: `imported + skipped + failed` is the
/// number of lines that were not empty.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportReport {
    /// Documents written.
    pub imported: u64,
    /// Lines whose document is there and equal.
    pub skipped: u64,
    /// Lines that were not imported.
    pub failed: u64,
    /// The first of them, in the order in which they were found.
    #[serde(skip)]
    pub errors: Vec<LineError>,
}

/// An import that stopped. What the report counts as imported is stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("import stopped after {} documents", report.imported)]
pub struct ImportFailed {
    /// What was done before.
    pub report: Box<ImportReport>,
    /// The line, where one is at fault.
    pub line: Option<u64>,
    /// Why.
    #[source]
    pub error: Error,
}

impl ImportFailed {
    /// The kind of its error.
    pub const fn kind(&self) -> &'static str {
        self.error.kind()
    }
}
