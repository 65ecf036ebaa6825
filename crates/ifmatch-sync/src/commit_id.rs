//! The identity of one published state.

use std::fmt;
use std::str::FromStr;

use ifmatch_core::Env;
pub use ifmatch_journal::JournalId;
use ifmatch_journal::Nonce;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One published state of a database: its number and 128 random bits that no
/// other body ever carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId {
    seq: u64,
    nonce: Nonce,
}

impl CommitId {
    pub(crate) fn new(env: &Env, seq: u64) -> Self {
        Self { seq, nonce: Nonce::random(env) }
    }

    /// Its number: one more than that of the commit it was built on.
    pub const fn seq(&self) -> u64 {
        self.seq
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.seq, self.nonce)
    }
}

impl FromStr for CommitId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let parsed = text.split_once('-').and_then(|(seq, nonce)| {
            Some(Self { seq: seq.parse().ok()?, nonce: nonce.parse().ok()? })
        });
        parsed.ok_or_else(|| Error::invalid(format!("{text:?} is no commit id")))
    }
}

impl TryFrom<String> for CommitId {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.to_string()
    }
}
