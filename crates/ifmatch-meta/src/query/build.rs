//! Filters as Rust writes them.

use std::ops::{BitAnd, BitOr, Not};

use serde_json::Value;

use super::{Comparison, Field, Filter, Quantifier};

/// The beginning of a condition on a field: a JSON pointer, or `@id` and the
/// like. Whether it is one is checked when the filter is used.
///
/// ```
/// use ifmatch_meta::query::field;
/// let filter = field("/size").gt(3) & field("@id").starts_with("x") | !field("/b").exists();
/// filter.validate()?;
/// let tagged = field("/tags").any(field("").eq("new")) & field("/tags").length().lte(5);
/// tagged.validate()?;
/// assert!(field("size").gt(3).validate().is_err());
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
pub fn field(field: impl AsRef<str>) -> FieldExpr {
    FieldExpr { field: Field::lenient(field.as_ref()) }
}

/// A field of which something is to be asked; made by [`field`].
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub struct FieldExpr {
    field: Field,
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $comparison:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(self, value: impl Into<Value>) -> Filter {
            self.compare(Comparison::$comparison, value)
        }
    )*};
}

impl FieldExpr {
    comparisons! {
        /// Equal to a value.
        eq Eq;
        /// A value of the same type that is another.
        ne Ne;
        /// Greater than a value.
        gt Gt;
        /// Greater than a value or equal.
        gte Gte;
        /// Less than a value.
        lt Lt;
        /// Less than a value or equal.
        lte Lte;
        /// A text with this part, or a list with this element.
        contains Contains;
        /// A text with this beginning.
        starts_with StartsWith;
        /// A text with this end.
        ends_with EndsWith;
    }

    /// One of the comparisons above.
    pub fn compare(self, comparison: Comparison, value: impl Into<Value>) -> Filter {
        Filter::Compare { field: self.field, comparison, value: value.into() }
    }

    /// Equal to one of these.
    pub fn one_of<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let values = values.into_iter().map(Into::into).collect();
        Filter::In { field: self.field, values, negated: false }
    }

    /// Equal to none of these.
    pub fn none_of<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        let values = values.into_iter().map(Into::into).collect();
        Filter::In { field: self.field, values, negated: true }
    }

    /// A text in which this pattern of the `regex` crate finds something.
    pub fn regex(self, pattern: impl Into<String>) -> Filter {
        Filter::Regex { field: self.field, pattern: pattern.into() }
    }

    /// There is a value, `null` included.
    pub fn exists(self) -> Filter {
        Filter::Exists { field: self.field }
    }

    /// The value is `null`.
    pub fn is_null(self) -> Filter {
        Filter::IsNull { field: self.field }
    }

    /// The value is missing or `null`.
    pub fn is_na(self) -> Filter {
        Filter::IsNa { field: self.field }
    }

    /// A list with at least one element for which this is true; its fields are
    /// pointers into the element, `field("")` is the element itself.
    pub fn any(self, filter: Filter) -> Filter {
        self.list(Quantifier::Any, filter)
    }

    /// A list for whose every element this is true.
    pub fn all(self, filter: Filter) -> Filter {
        self.list(Quantifier::All, filter)
    }

    fn list(self, quantifier: Quantifier, filter: Filter) -> Filter {
        Filter::List { field: self.field, quantifier, filter: Box::new(filter) }
    }

    /// The length of a text or a list.
    pub fn length(self) -> LengthExpr {
        LengthExpr { field: self.field }
    }
}

/// A length of which something is to be asked; made by [`FieldExpr::length`].
#[derive(Clone, PartialEq, Debug)]
#[must_use]
pub struct LengthExpr {
    field: Field,
}

macro_rules! lengths {
    ($($(#[$doc:meta])* $name:ident $comparison:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(self, value: u64) -> Filter {
            Filter::Length { field: self.field, comparison: Comparison::$comparison, value }
        }
    )*};
}

impl LengthExpr {
    lengths! {
        /// This length.
        eq Eq;
        /// Another length.
        ne Ne;
        /// Longer.
        gt Gt;
        /// So long or longer.
        gte Gte;
        /// Shorter.
        lt Lt;
        /// So long or shorter.
        lte Lte;
    }
}

impl BitAnd for Filter {
    type Output = Self;
    /// Both. A chain of them is one `And`.
    fn bitand(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }
}

impl BitOr for Filter {
    type Output = Self;
    /// One of both. A chain of them is one `Or`.
    fn bitor(self, other: Self) -> Self {
        match (self, other) {
            (Self::Or(mut all), Self::Or(more)) => {
                all.extend(more);
                Self::Or(all)
            }
            (Self::Or(mut all), one) => {
                all.push(one);
                Self::Or(all)
            }
            (one, other) => Self::Or(vec![one, other]),
        }
    }
}

impl Not for Filter {
    type Output = Self;
    /// The opposite; unknown stays unknown.
    fn not(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            filter => Self::Not(Box::new(filter)),
        }
    }
}
