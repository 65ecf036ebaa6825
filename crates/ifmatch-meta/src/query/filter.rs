//! Conditions.

use serde_json::Value;

use super::Field;

/// How a value is compared with a constant. Values of different types are
/// never equal, less or greater: the answer is Unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Comparison {
    /// Equal: numbers by exact value, texts by their characters, lists and
    /// objects by their members.
    Eq,
    /// Not equal.
    Ne,
    /// Greater: numbers by value, texts by Unicode scalar value, `false` before
    /// `true`; nothing else has an order.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// A text contains this text; a list has an element equal to this value.
    Contains,
    /// A text begins with this text.
    StartsWith,
    /// A text ends with this text.
    EndsWith,
}

/// Over the elements of a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(clippy::exhaustive_enums)] // There are two.
pub enum Quantifier {
    /// True for at least one.
    Any,
    /// True for each; for the empty list it is true.
    All,
}

/// A condition on a document: true, false or unknown. Only documents for which
/// it is true match.
///
/// A missing value or `null` makes every comparison unknown, and so does a
/// value of another type; `and`, `or` and `not` follow Kleene's logic (`not
/// unknown` is unknown).
///
/// [`field`](super::field) begins one in Rust; as JSON it is read by `parse` and
/// by serde:
///
/// | filter | JSON |
/// |---|---|
/// | everything | `{}` |
/// | and, or, not | `{"and":[..]}`, `{"or":[..]}`, `{"not":{..}}` |
/// | a comparison | `{"field":"/a","op":"gt","value":1}` |
/// | in, `not_in` | `{"field":"/a","op":"in","values":[1,2]}` |
/// | regex | `{"field":"/a","op":"regex","value":"^a"}` |
/// | length | `{"field":"/a","op":"length","is":"gte","value":3}` |
/// | exists, `is_null`, `is_na` | `{"field":"/a","op":"exists"}` |
/// | a list's elements | `{"field":"/tags","any":{..}}`, `{"field":"/tags","all":{..}}` |
///
/// What it may hold is checked by [`validate`](Filter::validate), which looks at
/// no more than the caps allow. A filter from elsewhere may be nested so deep
/// that cloning it overflows the stack: check it first. Those that were parsed
/// are checked.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum Filter {
    /// True.
    #[default]
    Everything,
    /// All are true; of none: true.
    And(Vec<Filter>),
    /// One is true; of none: false.
    Or(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// A comparison with a constant, which is not `null`.
    Compare {
        /// Of what.
        field: Field,
        /// How.
        comparison: Comparison,
        /// With what.
        value: Value,
    },
    /// Equal to one of these constants, none of them `null`. Unknown where it is
    /// equal to none and one of them, or the value, is of another type or
    /// missing; of no constants: false for a value, unknown for none.
    In {
        /// Of what.
        field: Field,
        /// With what.
        values: Vec<Value>,
        /// Whether it is to be equal to none of them.
        negated: bool,
    },
    /// A text that this pattern of the `regex` crate finds something in.
    Regex {
        /// In what.
        field: Field,
        /// What.
        pattern: String,
    },
    /// The length of a text in Unicode scalar values, or of a list in elements.
    Length {
        /// Of what.
        field: Field,
        /// How: one of the six of order and equality.
        comparison: Comparison,
        /// With what.
        value: u64,
    },
    /// Whether there is a value, `null` included; never unknown.
    Exists {
        /// Of what.
        field: Field,
    },
    /// Whether the value is `null`; false where it is missing; never unknown.
    IsNull {
        /// Of what.
        field: Field,
    },
    /// Whether the value is missing or `null`; never unknown.
    IsNa {
        /// Of what.
        field: Field,
    },
    /// A condition on the elements of a list: fields of `filter` are pointers
    /// into the element, the empty one is the element itself. Unknown for what is
    /// no list; else Kleene's `or` and `and` over the elements.
    List {
        /// The list.
        field: Field,
        /// Over which elements.
        quantifier: Quantifier,
        /// The condition.
        filter: Box<Filter>,
    },
}
