//! Which faults have happened.

use std::collections::BTreeMap;
use std::fmt;

use ifmatch_core::Operation;
use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::kind::{FaultKind, OPERATIONS};

/// How often each fault happened to each operation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FaultCoverage {
    counts: BTreeMap<(Operation, FaultKind), u64>,
}

impl FaultCoverage {
    pub(super) fn enable(&mut self, operation: Operation, kind: FaultKind) {
        self.counts.entry((operation, kind)).or_default();
    }

    pub(super) fn hit(&mut self, operation: Operation, kind: FaultKind) {
        *self.counts.entry((operation, kind)).or_default() += 1;
    }

    /// How often this fault happened to this operation.
    pub fn count(&self, kind: FaultKind, operation: Operation) -> u64 {
        self.counts.get(&(operation, kind)).copied().unwrap_or_default()
    }

    /// How many faults happened.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// What was enabled and never happened.
    pub fn missing(&self) -> Vec<(FaultKind, Operation)> {
        let never = self.counts.iter().filter(|(_, count)| **count == 0);
        never.map(|((operation, kind), _)| (*kind, *operation)).collect()
    }

    /// The sum of this and another run.
    pub fn plus(mut self, other: &Self) -> Self {
        for (cell, count) in &other.counts {
            *self.counts.entry(*cell).or_default() += count;
        }
        self
    }
}

/// As a list of `{fault, operation, count}`.
impl Serialize for FaultCoverage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Cell {
            fault: &'static str,
            operation: &'static str,
            count: u64,
        }
        let mut cells = serializer.serialize_seq(Some(self.counts.len()))?;
        for ((operation, kind), count) in &self.counts {
            let (fault, operation) = (kind.as_str(), operation.as_str());
            cells.serialize_element(&Cell { fault, operation, count: *count })?;
        }
        cells.end()
    }
}

impl fmt::Display for FaultCoverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20}", "fault")?;
        for operation in OPERATIONS {
            write!(f, "{:>8}", operation.as_str())?;
        }
        for kind in FaultKind::ALL {
            if !self.counts.keys().any(|(_, enabled)| *enabled == kind) {
                continue;
            }
            write!(f, "\n{kind:<20}")?;
            for operation in OPERATIONS {
                match self.counts.get(&(operation, kind)) {
                    Some(count) => write!(f, "{count:>8}")?,
                    None => write!(f, "{:>8}", "-")?,
                }
            }
        }
        Ok(())
    }
}
