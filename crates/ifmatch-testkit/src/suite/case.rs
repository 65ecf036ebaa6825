//! One case of the suite.

use std::fmt;

use futures::future::BoxFuture;
use ifmatch_core::{Capabilities, ListOrder, Versions};

use super::failure::Failure;
use super::run;
use super::subject::Subject;
use super::trial::Trial;

/// What a store must offer for a case to say something about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Need {
    /// Nothing: every store passes.
    Nothing,
    /// `put` under `IfAbsent`; a store without it must say `Unsupported`.
    Create,
    /// `put` under `IfMatch`; a store without it must say `Unsupported`.
    Update,
    /// `delete` under `IfMatch`; a store without it must say `Unsupported`.
    ConditionalDelete,
    /// `put` under `IfMatch`, and versions that are unique.
    UniqueVersions,
    /// Listings in byte order of the key.
    KeyOrder,
    /// A largest body that is small enough to try.
    SmallBodies,
}

/// The largest body limit that a case exceeds, in bytes.
pub(crate) const TRIED_LIMIT: u64 = 64 << 20;

type Run = fn(Trial) -> BoxFuture<'static, Result<(), Failure>>;

/// One case: a claim about every conforming store, with the clause of the
/// contract that it belongs to.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    clause: u8,
    need: Need,
    body: Run,
}

impl Case {
    pub(crate) const fn new(name: &'static str, clause: u8, need: Need, body: Run) -> Self {
        Self { name, clause, need, body }
    }

    /// The claim, in words joined by `_`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number of the clause in the contract of
    /// [`ConditionalBlobStore`](ifmatch_core::ConditionalBlobStore#contract).
    pub fn clause(&self) -> u8 {
        self.clause
    }

    /// What a store must offer for it.
    pub fn need(&self) -> Need {
        self.need
    }

    /// Why this case says nothing about a store with these capabilities; `None`
    /// where it does. A runner lists such a case as ignored with this reason.
    pub fn not_applicable(&self, can: &Capabilities) -> Option<&'static str> {
        match self.need {
            Need::UniqueVersions if can.versions != Versions::Unique => {
                Some("versions are hashes of bodies here")
            }
            Need::UniqueVersions if !can.put_if_match => Some("there is no put under if-match"),
            Need::KeyOrder if can.list_order != ListOrder::ByKey => {
                Some("listings are in no order here")
            }
            Need::SmallBodies if can.max_body > TRIED_LIMIT => {
                Some("the largest body is too large to be exceeded in a test")
            }
            _ => None,
        }
    }

    /// Runs the case in a random folder of the store, and sweeps it.
    ///
    /// A case that is [not applicable](Self::not_applicable) passes.
    ///
    /// # Errors
    /// What the store did against the contract.
    pub fn run(&self, subject: &Subject) -> BoxFuture<'static, Result<(), Failure>> {
        let (case, subject) = (*self, subject.clone());
        Box::pin(run::in_a_folder(case, subject))
    }

    pub(crate) async fn body(self, trial: Trial) -> Result<(), Failure> {
        let can = trial.store().capabilities();
        if self.not_applicable(&can).is_some() {
            return Ok(());
        }
        match self.need {
            Need::Create if !can.put_if_absent => trial.create_is_unsupported().await,
            Need::Update if !can.put_if_match => trial.update_is_unsupported().await,
            Need::ConditionalDelete if !can.delete_if_match => trial.delete_is_unsupported().await,
            _ => (self.body)(trial).await,
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (clause {}, needs {:?})", self.name, self.clause, self.need)
    }
}
