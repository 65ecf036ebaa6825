//! What the check is given, and what it says.

use std::collections::BTreeMap;
use std::fmt;

use super::super::Moment;
use super::Anomaly;

/// Transactions on lists, and what the lists were in the end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// Every transaction, in any order; anomalies name them by index.
    pub transactions: Vec<Transaction>,
    /// The lists after everything had ended, as far as they are known. Of a
    /// list without an entry the longest read stands for the order.
    pub finals: BTreeMap<u64, Vec<u64>>,
}

/// One transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// What became of it, as its client was told.
    pub outcome: Outcome,
    /// What it did, in order; reads that failed are left out.
    pub steps: Vec<Step>,
    /// When it began.
    pub invoked: Moment,
    /// When its client was told, if it was. Of an unknown one it says nothing:
    /// it may be committed later.
    pub returned: Option<Moment>,
}

impl Transaction {
    /// A committed transaction of which it is not known when it was.
    pub const fn committed(steps: Vec<Step>) -> Self {
        let invoked = Moment::new(0, 0);
        Self { outcome: Outcome::Committed, steps, invoked, returned: None }
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is committed.
    Committed,
    /// It is not, nor ever will be.
    Aborted,
    /// It counts as committed if anybody saw what it appended.
    Unknown,
}

/// One step of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// `value` was appended to list `key`; nobody else appends it there.
    Append {
        /// The list.
        key: u64,
        /// The value.
        value: u64,
    },
    /// List `key` was read, the transaction's own appends included.
    Read {
        /// The list.
        key: u64,
        /// The whole list.
        values: Vec<u64>,
    },
}

/// What is asked of a history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Consistency {
    /// Some serial order explains it.
    Serializable,
    /// One does in which a transaction comes after all those that had returned
    /// before it began.
    Strict,
}

/// The outcome of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Report {
    /// Transactions that count as committed.
    pub transactions: usize,
    /// Dependencies between them.
    pub edges: usize,
    /// What is wrong; nothing, if the history is serializable.
    pub anomalies: Vec<Anomaly>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (transactions, edges) = (self.transactions, self.edges);
        let anomalies = self.anomalies.len();
        write!(f, "{transactions} transactions, {edges} dependencies, {anomalies} anomalies")?;
        self.anomalies.iter().try_for_each(|anomaly| write!(f, "\n  {anomaly}"))
    }
}
