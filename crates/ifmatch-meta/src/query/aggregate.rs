//! Counts and sums by group.

use serde_json::Value;

use super::{Field, Filter};

/// What is computed over the documents of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AggregateOf {
    /// How many documents.
    Count,
    /// The sum of the numbers; whole where all are whole and it fits an i64 or a
    /// u64, else the nearest f64 to the exact sum. `null` where there is none.
    Sum(Field),
    /// The smallest value in the order of a sort; `null` where there is none.
    Min(Field),
    /// The largest.
    Max(Field),
}

/// Which documents, in which groups, and what of them.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Aggregation {
    /// Which documents.
    pub filter: Filter,
    /// Grouped by the values of these fields (missing and `null` are one group,
    /// numbers are grouped by exact value); one group of all where it is empty.
    pub by: Vec<Field>,
    /// What is computed, in this order.
    pub of: Vec<AggregateOf>,
    /// Most groups; more is `TooLarge`. 10,000 unless set.
    pub limit: Option<usize>,
}

/// One group. Groups come in the order of a sort by their values.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::exhaustive_structs)]
pub struct AggregateRow {
    /// The group's values, `null` for missing ones.
    pub by: Vec<Value>,
    /// What was computed, in the order asked for.
    pub of: Vec<Value>,
}
