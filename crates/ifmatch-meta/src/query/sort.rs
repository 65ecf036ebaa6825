//! Orders.

use super::Field;

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
/// descending it is the reverse of that, but for what comes last.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct Sort {
    /// By what.
    pub field: Field,
    /// How.
    pub order: SortOrder,
}
