//! Names of journals, forks, writers and commits.

use std::fmt;
use std::str::FromStr;

use ifmatch_core::Env;
use serde::{Deserialize, Serialize};

use crate::error::Error;

macro_rules! random_id {
    ($name:ident, $bits:ty, $digits:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub(crate) $bits);

        impl $name {
            /// Its bits.
            pub const fn bits(self) -> $bits {
                self.0
            }

            /// Random bits from the environment.
            pub fn random(env: &Env) -> Self {
                let mut bytes = [0; size_of::<$bits>()];
                env.fill_random(&mut bytes);
                Self(<$bits>::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:0width$x}", self.0, width = $digits)
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
                let hex = text.len() == $digits && text.bytes().all(|b| b.is_ascii_hexdigit());
                let bits = <$bits>::from_str_radix(text, 16).ok().filter(|_| hex);
                bits.map(Self).ok_or_else(|| {
                    Error::invalid(format!("{text:?} is no id of {} hex digits", $digits))
                })
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

random_id!(JournalId, u128, 32, "A journal: drawn when its first head is created.");
random_id!(
    ForkId,
    u128,
    32,
    "A branch of a journal: drawn with the journal, and anew when an operator repairs it."
);
random_id!(WriterId, u64, 16, "A writer: a working copy or a service, not a process.");
random_id!(Nonce, u128, 32, "128 random bits, drawn anew for every body and never reused.");

impl Nonce {
    /// The bits that the ring keeps.
    pub(crate) fn first_bits(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// One commit: the journal, its number there, and 128 bits that no other body
/// ever carries. A body can only ever become the commit with its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId {
    /// The journal.
    pub journal: JournalId,
    /// Its number: one more than that of the commit it was built on.
    pub seq: u64,
    /// What makes it this one.
    pub nonce: Nonce,
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.journal, self.seq, self.nonce)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CommitId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('-');
        let mut next = || parts.next().unwrap_or_default();
        let (journal, seq, nonce) = (next().parse(), next().parse(), next().parse());
        match (journal, seq, nonce, parts.next()) {
            (Ok(journal), Ok(seq), Ok(nonce), None) => Ok(Self { journal, seq, nonce }),
            _ => Err(Error::invalid(format!("{text:?} is no commit id"))),
        }
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

#[cfg(test)]
mod tests {
    use ifmatch_core::Simulation;

    use super::*;

    #[test]
    fn ids_survive_their_text() {
        let env = Simulation::seeded(1).env();
        let commit =
            CommitId { journal: JournalId::random(&env), seq: 7, nonce: Nonce::random(&env) };
        assert_eq!(commit.to_string().parse::<CommitId>().unwrap(), commit);
        for bad in ["", "1-2-3", "x", &format!("{commit}-1")] {
            assert!(bad.parse::<CommitId>().is_err(), "{bad}");
        }
        assert_eq!(Nonce(1 << 64).first_bits(), 1);
    }
}
