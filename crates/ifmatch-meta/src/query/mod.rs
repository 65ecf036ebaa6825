//! Queries: filters, sorts, pages, aggregates, and the one evaluator that gives
//! them their meaning.

mod aggregate;
mod build;
mod check;
mod field;
mod filter;
mod index;
mod pointer;
mod prepared;
mod sort;

use crate::document::Document;
use crate::mark::Mark;
use crate::projection::Projection;

pub use aggregate::{AggregateOf, AggregateRow, Aggregation};
pub use build::{FieldExpr, LengthExpr, field};
pub use check::{MAX_CONDITIONS, MAX_FILTER_DEPTH};
pub use field::Field;
pub use filter::{Comparison, Filter, Quantifier};
pub use index::{Index, IndexName};
pub use prepared::Prepared;
pub use sort::{Sort, SortOrder};

/// Which documents, in which order, and how many of them.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Query {
    /// Which; all unless set.
    pub filter: Filter,
    /// In which order. Whatever it says, documents that are equal by it come in
    /// order of partition and id.
    pub sort: Vec<Sort>,
    /// At most so many in one page; 1,000 unless set. A page also ends after
    /// 4 MiB of bodies.
    pub limit: Option<usize>,
    /// So many are left out at the beginning; not together with a token.
    pub offset: usize,
    /// Where the page before ended.
    pub after: Option<QueryToken>,
    /// Which members of the bodies are wanted; all of them unless set.
    pub fields: Option<Projection>,
}

/// One page of a query: the state at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct QueryPage {
    /// The documents, in the order that was asked for.
    pub documents: Vec<Document>,
    /// What follows, where there is more.
    pub next: Option<QueryToken>,
    /// Which state of the partition this is, where the query was for one
    /// partition.
    pub mark: Option<Mark>,
}

/// Where a page ended; good for the same query only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryToken {
    // The sort key and the name of the last document, and a hash of the query.
    pub(crate) word: std::sync::Arc<str>,
}
