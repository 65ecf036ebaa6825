//! Queries on documents at hand.

use std::borrow::Borrow;

use super::{AggregateRow, Aggregation, Filter, Given, Query, QueryPage};
use crate::document::Document;
use crate::error::Result;
use crate::mark::Mark;
use crate::scan::Scope;

/// One page of a query on documents that come in order of partition and id: all
/// of the scope, and perhaps others. Reads no more of them than the page needs
/// where no sort is asked for.
///
/// ```
/// use ifmatch_meta::query::{self, field};
/// use ifmatch_meta::{Document, Query, Result, Scope};
/// # #[allow(dead_code)]
/// fn largest(documents: &[Document]) -> Result<Vec<Document>> {
///     let query = Query::filter(field("/size").gt(0)).sort("-/size").limit(10);
///     let page = query::run(&Scope::All, &query, documents.iter().map(Ok), None)?;
///     Ok(page.documents)
/// }
/// ```
///
/// # Errors
/// As [`Query::plan`], and what the iterator says.
pub fn run<D: Borrow<Document>>(
    scope: &Scope,
    query: &Query,
    documents: impl IntoIterator<Item = Result<D>>,
    mark: Option<Mark>,
) -> Result<QueryPage> {
    let given = if query.sort.is_empty() { Given::InOrder } else { Given::Unordered };
    let mut collector = query.plan(scope)?.collector(given);
    for document in documents {
        if collector.push(document?.borrow())?.is_break() {
            break;
        }
    }
    collector.finish(mark)
}

/// How many of these documents are of the scope and match.
///
/// # Errors
/// As [`Filter::prepare`], and what the iterator says.
pub fn count<D: Borrow<Document>>(
    scope: &Scope,
    filter: &Filter,
    documents: impl IntoIterator<Item = Result<D>>,
) -> Result<u64> {
    let filter = filter.prepare()?;
    let mut count = 0;
    for document in documents {
        let document = document?;
        let document = document.borrow();
        count += u64::from(scope.holds(&document.key) && filter.matches(document)?);
    }
    Ok(count)
}

/// The groups of these documents.
///
/// # Errors
/// As [`Aggregation::aggregator`], `TooLarge` for more groups than asked for,
/// and what the iterator says.
pub fn aggregate<D: Borrow<Document>>(
    scope: &Scope,
    of: &Aggregation,
    documents: impl IntoIterator<Item = Result<D>>,
) -> Result<Vec<AggregateRow>> {
    let mut aggregator = of.aggregator(scope)?;
    for document in documents {
        aggregator.push(document?.borrow())?;
    }
    aggregator.finish()
}
