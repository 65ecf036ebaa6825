//! Orders.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Field;
use crate::error::{Error, Result};

/// In which direction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[allow(clippy::exhaustive_enums)] // There are two.
pub enum SortOrder {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// By what documents are ordered. In either direction `null` and missing values
/// come last. Ascending it is: booleans (`false` first), numbers by exact value,
/// texts by Unicode scalar value, lists (element by element, a shorter one
/// first), objects (by their members in order of name: name, then value);
/// descending it is the reverse of that, but for what comes last. A `null` inside
/// a list or an object is larger than everything else there.
///
/// As text it is the field, with a `-` before it where it is descending.
///
/// ```
/// use ifmatch_meta::{Field, Sort, SortOrder};
/// let sort: Sort = "-/size".parse()?;
/// assert_eq!(sort, Sort { field: Field::Body("/size".into()), order: SortOrder::Descending });
/// assert_eq!("@updated_at".parse::<Sort>()?.order, SortOrder::Ascending);
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[allow(clippy::exhaustive_structs)]
pub struct Sort {
    /// By what.
    pub field: Field,
    /// How.
    pub order: SortOrder,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.order == SortOrder::Descending {
            f.write_str("-")?;
        }
        write!(f, "{}", self.field)
    }
}

impl From<&str> for Sort {
    /// The sort of this text. Whether its field is one is checked when it is
    /// used.
    fn from(text: &str) -> Self {
        let (field, order) = match text.strip_prefix('-') {
            Some(field) => (field, SortOrder::Descending),
            None => (text, SortOrder::Ascending),
        };
        Self { field: Field::lenient(field), order }
    }
}

impl FromStr for Sort {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let sort = Self::from(text);
        sort.field.validate()?;
        Ok(sort)
    }
}

impl TryFrom<String> for Sort {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Sort> for String {
    fn from(sort: Sort) -> Self {
        sort.to_string()
    }
}
