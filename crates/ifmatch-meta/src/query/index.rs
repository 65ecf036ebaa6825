//! Declared indexes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Field;
use crate::error::{Error, Result};

/// The name of an index: 1 to 40 lower-case letters, digits and `_`, a letter
/// first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IndexName(Arc<str>);

impl IndexName {
    /// Checks `name` and makes it one.
    ///
    /// # Errors
    /// `Invalid` where it breaks the rules above.
    pub fn new(name: impl AsRef<str>) -> Result<Self> {
        let name = name.as_ref();
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if !first || name.len() > 40 || !name.bytes().all(known) {
            return Err(Error::invalid(format!(
                "index name {:?}: 1 to 40 lower-case letters, digits and _, a letter first",
                name.chars().take(41).collect::<String>()
            )));
        }
        Ok(Self(name.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for IndexName {
    type Error = Error;
    fn try_from(name: String) -> Result<Self> {
        Self::new(name)
    }
}

impl From<IndexName> for String {
    fn from(name: IndexName) -> Self {
        name.0.as_ref().into()
    }
}

/// A declared index: a query that asks for equality or a range of its field, in
/// one partition or in all, need not look at other documents. It never changes
/// an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct Index {
    /// Its name.
    pub name: IndexName,
    /// What it is over.
    pub field: Field,
}
