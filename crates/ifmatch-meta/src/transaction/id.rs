//! Names of transactions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ifmatch_core::Env;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest id, in bytes.
const LONGEST: usize = 64;

/// The name of a local transaction, unique in its store: 1 to 64 letters,
/// digits, `-`, `_` and `.`, not beginning with `.`. Printable, so that another
/// process can go on with the transaction.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TxId(Arc<str>);

impl TxId {
    /// Checks `id` and makes it one.
    ///
    /// # Errors
    /// `Invalid` where it breaks the rules above.
    pub fn new(id: impl AsRef<str>) -> Result<Self> {
        let id = id.as_ref();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.is_empty() || id.len() > LONGEST || id.starts_with('.') || !id.bytes().all(known) {
            return Err(Error::invalid(format!(
                "transaction id {:?}: 1 to {LONGEST} letters, digits, -, _ and . are allowed, \
                 no . first",
                id.chars().take(LONGEST + 1).collect::<String>()
            )));
        }
        Ok(Self(id.into()))
    }

    /// An id that nobody else has drawn.
    pub fn draw(env: &Env) -> Self {
        Self(format!("{:016x}{:016x}", env.random_u64(), env.random_u64()).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TxId {
    type Err = Error;
    fn from_str(id: &str) -> Result<Self> {
        Self::new(id)
    }
}

impl TryFrom<String> for TxId {
    type Error = Error;
    fn try_from(id: String) -> Result<Self> {
        Self::new(id)
    }
}

impl From<TxId> for String {
    fn from(id: TxId) -> Self {
        id.0.as_ref().into()
    }
}

#[cfg(test)]
mod tests {
    use ifmatch_core::Simulation;

    use super::*;

    #[test]
    fn t7_ids_are_printable_words() {
        for id in
            ["a", "A-1_b.c", &"x".repeat(64), TxId::draw(&Simulation::seeded(1).env()).as_str()]
        {
            assert_eq!(TxId::new(id).unwrap().to_string(), id);
        }
        for id in ["", ".a", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert_eq!(TxId::new(id).unwrap_err().kind(), "invalid", "{id}");
        }
    }
}
