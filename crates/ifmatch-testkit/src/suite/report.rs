//! What came of all cases.

use std::fmt;

use super::case::Case;
use super::failure::Failure;
use super::list::blob_cases;

/// "N cases on BACKEND", for the closing line of a runner.
pub fn summary(backend: &str) -> String {
    format!("{} cases on {backend}", blob_cases().len())
}

/// What came of all cases on one store.
#[derive(Debug)]
pub struct Report {
    backend: String,
    passed: Vec<Case>,
    skipped: Vec<(Case, &'static str)>,
    failed: Vec<(Case, Failure)>,
}

impl Report {
    pub(super) fn new(backend: String) -> Self {
        Self { backend, passed: Vec::new(), skipped: Vec::new(), failed: Vec::new() }
    }

    pub(super) fn add(
        &mut self,
        case: Case,
        skipped: Option<&'static str>,
        ended: Result<(), Failure>,
    ) {
        match (ended, skipped) {
            (Err(failure), _) => self.failed.push((case, failure)),
            (Ok(()), Some(reason)) => self.skipped.push((case, reason)),
            (Ok(()), None) => self.passed.push(case),
        }
    }

    /// The cases that passed.
    pub fn passed(&self) -> &[Case] {
        &self.passed
    }

    /// The cases that say nothing about this store, and why.
    pub fn skipped(&self) -> &[(Case, &'static str)] {
        &self.skipped
    }

    /// The cases that failed, and why.
    pub fn failed(&self) -> &[(Case, Failure)] {
        &self.failed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [passed, skipped, failed] = [self.passed.len(), self.skipped.len(), self.failed.len()];
        write!(f, "{}: {passed} passed, {failed} failed", summary(&self.backend))?;
        write!(f, ", {skipped} not applicable")?;
        self.failed.iter().try_for_each(|(_, failure)| write!(f, "\n  {failure}"))
    }
}
