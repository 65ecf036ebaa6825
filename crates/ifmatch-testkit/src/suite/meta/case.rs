//! One case of the suite.

use std::fmt;

use futures::future::BoxFuture;

use super::run;
use super::subject::{MetaSubject, Offer};
use super::trial::Trial;
use crate::suite::Failure;

/// What a store must offer for a case to say something about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MetaNeed {
    /// Nothing: every store passes.
    Nothing,
    /// Opened with local transactions.
    Transactions,
    /// Opened with a record of changes.
    Audit,
    /// Opened with local transactions and a record of changes.
    AuditedTransactions,
    /// Declared indexes.
    Indexes,
    /// More than one handle on one place.
    Persistent,
    /// More than one handle on one place, opened with local transactions.
    PersistentTransactions,
}

impl MetaNeed {
    /// Whether stores are opened with local transactions.
    pub(super) const fn transactions(self) -> bool {
        matches!(
            self,
            Self::Transactions | Self::AuditedTransactions | Self::PersistentTransactions
        )
    }

    /// Whether stores are opened with a record of changes.
    pub(super) const fn audit(self) -> bool {
        matches!(self, Self::Audit | Self::AuditedTransactions)
    }
}

type Run = fn(Trial) -> BoxFuture<'static, Result<(), Failure>>;

/// One case: a claim about every conforming store, with the clause of the
/// contract that it belongs to.
#[derive(Clone, Copy)]
pub struct MetaCase {
    name: &'static str,
    clause: u8,
    need: MetaNeed,
    body: Run,
}

impl MetaCase {
    pub(crate) const fn new(name: &'static str, clause: u8, need: MetaNeed, body: Run) -> Self {
        Self { name, clause, need, body }
    }

    /// The claim, in words joined by `_`, after the requirements that it stands
    /// for.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of the clause in the contract of
    /// [`MetaStore`](ifmatch_meta::MetaStore#contract); 0 for what the methods
    /// promise beside it.
    pub fn clause(&self) -> u8 {
        self.clause
    }

    /// What a store must offer for it.
    pub fn need(&self) -> MetaNeed {
        self.need
    }

    /// Why this case says nothing about a store that offers this; `None` where
    /// it does. A runner lists such a case as ignored with this reason.
    pub fn not_applicable(&self, offer: &Offer) -> Option<&'static str> {
        if self.need.transactions() && !offer.features.transactions {
            return Some("there are no local transactions");
        }
        if self.need.audit() && !offer.features.audit {
            return Some("no record of changes is kept");
        }
        match self.need {
            MetaNeed::Indexes if !offer.features.indexes => Some("indexes cannot be declared"),
            MetaNeed::Persistent | MetaNeed::PersistentTransactions if !offer.persistent => {
                Some("a place is opened once only")
            }
            _ => None,
        }
    }

    /// Runs the case on a store of its own, and closes it.
    ///
    /// # Errors
    /// What the store did against the contract.
    pub fn run(&self, subject: &MetaSubject) -> BoxFuture<'static, Result<(), Failure>> {
        let (case, subject) = (*self, subject.clone());
        Box::pin(run::in_a_place(case, subject))
    }

    pub(crate) async fn body(self, trial: Trial) -> Result<(), Failure> {
        (self.body)(trial).await
    }
}

impl fmt::Debug for MetaCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (clause {}, needs {:?})", self.name, self.clause, self.need)
    }
}
