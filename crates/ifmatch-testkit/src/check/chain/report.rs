//! What the check says.

use std::fmt;

use super::truth::Truth;
use super::{Answer, History, Told, Violation};

/// The outcome of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Report<O> {
    /// How much was checked: a clean report of nothing proves nothing.
    pub counts: Counts,
    /// What is wrong: of the chain, of the answers, then of their order in
    /// time.
    pub violations: Vec<Violation<O>>,
}

impl<O> Report<O> {
    /// Whether nothing is wrong.
    pub const fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}

impl<O: fmt::Debug> fmt::Display for Report<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {} violations", self.counts, self.violations.len())?;
        self.violations.iter().try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}

/// How much a check was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Commits in the chain.
    pub commits: usize,
    /// Operations in the chain, each once.
    pub operations: usize,
    /// Operations in the chain that no call asked for.
    pub unasked: usize,
    /// Calls.
    pub calls: usize,
    /// Answers "committed".
    pub committed: usize,
    /// Answers "rejected".
    pub rejected: usize,
    /// Answers "never".
    pub never: usize,
    /// Answers "unknown", and commits that were never answered.
    pub unknown: usize,
    /// Of the unknown ones, those that are in the chain.
    pub unknown_applied: usize,
    /// Reads that must be current.
    pub reads: usize,
    /// Reads that may be stale.
    pub stale_reads: usize,
}

impl Counts {
    pub(super) fn of<O: Ord>(history: &History<O>, truth: &Truth<'_, O>) -> Self {
        let mut counts = Self {
            commits: history.chain.len(),
            operations: truth.operations(),
            unasked: truth.unasked(),
            calls: history.calls.len(),
            ..Self::default()
        };
        for call in &history.calls {
            match &call.answer {
                Answer::Read { may_be_stale: false, .. } => counts.reads += 1,
                Answer::Read { may_be_stale: true, .. } => counts.stale_reads += 1,
                Answer::Commit { operation, told } => match told {
                    Told::Committed { .. } => counts.committed += 1,
                    Told::Rejected => counts.rejected += 1,
                    Told::Never => counts.never += 1,
                    Told::Unknown => {
                        counts.unknown += 1;
                        counts.unknown_applied += usize::from(truth.place(operation).is_some());
                    }
                },
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} operations in {} commits ({} unasked); {} calls: {} committed, {} rejected, \
             {} never, {} unknown ({} applied), {} reads, {} that may be stale",
            self.operations,
            self.commits,
            self.unasked,
            self.calls,
            self.committed,
            self.rejected,
            self.never,
            self.unknown,
            self.unknown_applied,
            self.reads,
            self.stale_reads,
        )
    }
}
