//! The identity of one published state.

use std::fmt;
use std::str::FromStr;

use ifmatch_core::Env;
use serde::{Deserialize, Serialize};

use crate::error::Error;

macro_rules! hex_id {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u128);

        impl $name {
            pub(crate) fn random(env: &Env) -> Self {
                let mut bits = [0; 16];
                env.fill_random(&mut bits);
                Self(u128::from_be_bytes(bits))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
                u128::from_str_radix(text, 16)
                    .ok()
                    .filter(|_| hex)
                    .map(Self)
                    .ok_or_else(|| Error::invalid(format!("{text:?} is no id of 32 hex digits")))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

hex_id!(JournalId, "The history that a commit belongs to: drawn when the first one is published.");
hex_id!(Nonce, "128 random bits, drawn anew for every published body.");

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
