//! Which state of a partition was read.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest mark, in bytes.
const LONGEST: usize = 4_096;

/// The state of a partition at one moment: one printable word, to be compared
/// by the store that made it and by nobody else.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mark(Arc<str>);

impl Mark {
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
        if word.is_empty() || word.len() > LONGEST || !printable {
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
