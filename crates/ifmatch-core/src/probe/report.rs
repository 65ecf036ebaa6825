//! What a probe found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::store::Endpoint;

/// Whether a store may carry shared state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// Every condition was honoured.
    Safe,
    /// Every condition on writes was honoured; something optional is missing.
    Limited,
    /// A condition was ignored: updates would be lost.
    Unsafe,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safe => "safe",
            Self::Limited => "limited",
            Self::Unsafe => "unsafe",
        })
    }
}

/// One thing that was tried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// Its name, in words with blanks.
    pub name: &'static str,
    /// Whether the store did what it must.
    pub ok: bool,
    /// What the store did.
    pub detail: String,
    /// What a failure means.
    #[serde(skip)]
    pub(super) weight: Weight,
}

/// What a failed check says about the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weight {
    /// It is unsafe.
    Required,
    /// It is limited.
    Optional,
    /// Nothing: a fact that is worth knowing.
    Fact,
}

/// Everything that a probe found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProbeReport {
    pub(super) store: String,
    pub(super) endpoint: Endpoint,
    pub(super) checks: Vec<Check>,
}

impl ProbeReport {
    /// The store, as its messages name it.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The endpoint that the verdict holds for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Everything that was tried, in order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether the store may carry shared state.
    pub fn verdict(&self) -> Verdict {
        let limited = |check: &Check| !check.ok && check.weight == Weight::Optional;
        if self.broken().next().is_some() {
            Verdict::Unsafe
        } else if self.checks.iter().any(limited) {
            Verdict::Limited
        } else {
            Verdict::Safe
        }
    }

    /// The conditions that it does not keep.
    pub(super) fn broken(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.ok && check.weight == Weight::Required)
    }

    /// Refuses an unsafe store.
    ///
    /// # Errors
    /// [`Error::Unsupported`] names the conditions that were ignored and what
    /// to do.
    pub fn require_safe(&self) -> Result<Verdict> {
        let verdict = self.verdict();
        if verdict != Verdict::Unsafe {
            return Ok(verdict);
        }
        let ignored: Vec<_> =
            self.broken().map(|check| format!("{} ({})", check.name, check.detail)).collect();
        Err(Error::unsupported(format!(
            "{} does not keep its conditions: {}. Writers would overwrite each other unseen; use \
             a store that honours If-Match and If-None-Match (`ifmatch doctor` tells), or \
             probe=never if only one writer will ever exist",
            self.store,
            ignored.join("; ")
        )))
    }
}
