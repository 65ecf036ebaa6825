//! What came out.

use std::fmt;

use super::case::Case;
use super::coverage::Coverage;

/// An answer that is not the evaluator's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mismatch {
    /// Of which documents: the world's number.
    pub world: usize,
    /// The smallest case that was found to fail.
    pub case: Case,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
        write!(f, "world {}, {:?}: ", self.world, self.case.scope)?;
        write!(f, "{}", json(serde_json::to_string(&self.case.query)))?;
        if let Some(of) = &self.case.aggregation {
            write!(f, " {}", json(serde_json::to_string(of)))?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What came out of many cases.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// From which seed.
    pub seed: u64,
    /// Cases that were asked.
    pub cases: usize,
    /// Sets of documents that they were asked of.
    pub worlds: usize,
    /// Documents, summed over the worlds.
    pub documents: usize,
    /// Cases that matched at least one document.
    pub matching: usize,
    /// Cases answered otherwise than by the evaluator.
    pub wrong: usize,
    /// The first of them.
    pub mismatches: Vec<Mismatch>,
    /// What was asked of what.
    pub coverage: Coverage,
}

impl Report {
    /// Mismatches that are kept.
    pub(super) const KEPT: usize = 10;

    /// Whether all answers were those of the evaluator.
    pub const fn passed(&self) -> bool {
        self.wrong == 0 && self.cases > 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, cases, worlds, documents, matching, wrong, .. } = self;
        write!(f, "seed {seed}: {cases} cases on {documents} documents in {worlds} sets, ")?;
        write!(f, "{matching} matched something, {wrong} answered wrongly")?;
        for mismatch in &self.mismatches {
            write!(f, "\n{mismatch}")?;
        }
        Ok(())
    }
}
