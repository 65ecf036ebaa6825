//! Which state of a partition was read.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The state of a partition at one moment: one printable word, to be compared
/// by the store that made it and by nobody else. At most [`LONGEST`](Self::LONGEST)
/// bytes; a few dozen as a rule.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mark(Arc<str>);

impl Mark {
    /// Longest mark that is read back, in bytes: 256 KiB. A mark of PostgreSQL names
    /// every write transaction that is under way on its server, in at most 20 bytes
    /// each: 13,000 of them, whatever their numbers.
    pub const LONGEST: usize = 256 << 10;

    /// A mark. For backends.
    pub fn new(word: impl Into<Arc<str>>) -> Self {
        Self(word.into())
    }

    /// The word. For backends.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Mark {
    type Err = Error;
    fn from_str(word: &str) -> Result<Self> {
        let printable = word.bytes().all(|byte| byte.is_ascii_graphic());
        if word.is_empty() || word.len() > Self::LONGEST || !printable {
            return Err(Error::invalid("a mark that is no printable word"));
        }
        Ok(Self(word.into()))
    }
}

impl TryFrom<String> for Mark {
    type Error = Error;
    fn try_from(word: String) -> Result<Self> {
        word.parse()
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.0.as_ref().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_up_to_its_longest() {
        for length in [1, 4_097, Mark::LONGEST] {
            let mark = Mark::new("x".repeat(length));
            let text = serde_json::to_string(&mark).unwrap();
            assert_eq!(serde_json::from_str::<Mark>(&text).unwrap(), mark);
        }
        for word in ["", "a b", "ä", &"x".repeat(Mark::LONGEST + 1)] {
            assert_eq!(word.parse::<Mark>().unwrap_err().kind(), "invalid");
        }
    }
}
