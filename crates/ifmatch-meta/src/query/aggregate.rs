//! Counts and sums by group.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Field, Filter};

/// What is computed over the documents of a group. As JSON: `"count"`,
/// `{"sum":"/a"}`, `{"min":"/a"}`, `{"max":"@updated_at"}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AggregateOf {
    /// How many documents.
    Count,
    /// The exact sum of the numbers; told as a whole number where all are whole
    /// and it fits an i64 or a u64, else as the nearest f64 (ties to even, and at
    /// most the largest). `null` where there is none.
    Sum(Field),
    /// The smallest value in the order of a sort; `null` where there is none.
    Min(Field),
    /// The largest.
    Max(Field),
}

/// Which documents, in which groups, and what of them.
///
/// ```
/// use ifmatch_meta::query::field;
/// use ifmatch_meta::{AggregateOf, Aggregation, Field};
/// let sizes = Aggregation::of([AggregateOf::Count, AggregateOf::Sum("/size".parse()?)])
///     .by(["/section".parse::<Field>()?])
///     .filter(field("/size").gt(0));
/// sizes.validate()?;
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Aggregation {
    /// Which documents.
    pub filter: Filter,
    /// Grouped by the values of these fields (missing and `null` are one group,
    /// numbers are grouped by exact value); one group of all where it is empty,
    /// which is there without documents too.
    pub by: Vec<Field>,
    /// What is computed, in this order.
    pub of: Vec<AggregateOf>,
    /// Most groups; more is `TooLarge`. 10,000 unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Aggregation {
    /// Groups unless it says how many.
    pub const GROUPS: usize = 10_000;

    /// What is computed, in this order.
    pub fn of(of: impl IntoIterator<Item = AggregateOf>) -> Self {
        Self { of: of.into_iter().collect(), ..Self::default() }
    }

    /// By what it is grouped.
    pub fn by(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.by = fields.into_iter().collect();
        self
    }

    /// Which documents.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// At most so many groups.
    pub fn limit(mut self, groups: usize) -> Self {
        self.limit = Some(groups);
        self
    }
}

/// One group. Groups come in the order of a sort by their values.
///
/// Of values that are equal but written differently one form is told: a whole
/// number that fits an i64 or a u64 is told as one (`1.0` as `1`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(clippy::exhaustive_structs)]
pub struct AggregateRow {
    /// The group's values, `null` for missing ones.
    pub by: Vec<Value>,
    /// What was computed, in the order asked for.
    pub of: Vec<Value>,
}
