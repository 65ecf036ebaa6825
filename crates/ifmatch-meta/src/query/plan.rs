//! A query, checked and ready to be run.

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use super::key::Order;
use super::{Collector, Filter, Given, Prepared, Query, Sort, SortKey};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::projection::Projection;
use crate::scan::{ScanOptions, Scope};

/// Most fields in one sort.
const MOST_SORTS: usize = 8;

/// A query, checked, with everything that a backend needs to answer it. A
/// backend reads documents, at least those that the page is made of, and hands
/// them to a [`Collector`], which does what the backend left undone: that of the
/// filter, of the order and of the page's beginning and end.
#[derive(Clone, Debug)]
pub struct Plan {
    scope: Scope,
    filter: Prepared,
    sort: Vec<Sort>,
    order: Order,
    limit: usize,
    offset: usize,
    after: Option<SortKey>,
    fields: Option<Projection>,
    /// A hash of scope, filter and sort.
    hash: u128,
}

impl Query {
    /// Documents in one page unless the query says how many.
    pub const PAGE: usize = 1_000;
    /// Bodies in one page, in bytes as they were put, after which it ends.
    pub const PAGE_BYTES: usize = ScanOptions::PAGE_BYTES;

    /// Whether the query makes sense.
    ///
    /// # Errors
    /// As [`plan`](Self::plan), except for tokens of other queries.
    pub fn validate(&self) -> Result<()> {
        self.parts().map(drop)
    }

    /// Checks the query and prepares it.
    ///
    /// # Errors
    /// - as [`Filter::prepare`];
    /// - `Invalid`: more than 8 sorts, a sort by what is no field, a limit of 0,
    ///   an offset together with a token, a token of another query.
    pub fn plan(&self, scope: &Scope) -> Result<Plan> {
        let (filter, order) = self.parts()?;
        let hash = hash(scope, &self.filter, &self.sort)?;
        let after = self.after.as_ref().map(|token| token.last(hash).cloned()).transpose()?;
        Ok(Plan {
            scope: scope.clone(),
            filter,
            sort: self.sort.clone(),
            order,
            limit: self.limit.unwrap_or(Self::PAGE),
            offset: self.offset,
            after,
            fields: self.fields.clone(),
            hash,
        })
    }

    fn parts(&self) -> Result<(Prepared, Order)> {
        let filter = self.filter.prepare()?;
        if self.sort.len() > MOST_SORTS {
            return Err(Error::invalid(format!("sort: more than {MOST_SORTS} fields")));
        }
        let order = Order::new(&self.sort)?;
        if self.limit == Some(0) {
            return Err(Error::invalid("limit: a page of 0 documents"));
        }
        if self.offset > 0 && self.after.is_some() {
            return Err(Error::invalid("offset: not together with a token"));
        }
        Ok((filter, order))
    }
}

/// What makes two queries the same. Scopes and filters are written in one way
/// only, so that the hash stays the same from process to process.
fn hash(scope: &Scope, filter: &Filter, sort: &[Sort]) -> Result<u128> {
    #[derive(Serialize)]
    struct Same<'a> {
        partition: Option<&'a str>,
        filter: &'a Filter,
        sort: &'a [Sort],
    }
    let partition = match scope {
        Scope::All => None,
        Scope::Partition(partition) => Some(partition.as_str()),
    };
    let text = serde_json::to_vec(&Same { partition, filter, sort })
        .map_err(|error| Error::invalid(format!("filter: {error}")))?;
    Ok(xxh3_128(&text))
}

impl Plan {
    /// Which documents are meant.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The filter.
    pub const fn filter(&self) -> &Prepared {
        &self.filter
    }

    /// The sorts that were asked for; partition and id decide after them.
    pub fn sort(&self) -> &[Sort] {
        &self.sort
    }

    /// At most so many documents; one more is worth reading, to know whether
    /// there is more.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// So many are left out at the beginning.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Only documents after this place belong to the page.
    pub const fn after(&self) -> Option<&SortKey> {
        self.after.as_ref()
    }

    /// Where a document stands.
    ///
    /// # Errors
    /// `Corrupt` for a stored body that is not JSON.
    pub fn key(&self, document: &Document) -> Result<SortKey> {
        self.order.key(document)
    }

    /// Whether a document is one of the scope and matches; those of ours never
    /// do, unless the scope is a partition of ours.
    ///
    /// # Errors
    /// `Corrupt` for a stored body that is not JSON.
    pub fn matches(&self, document: &Document) -> Result<bool> {
        Ok(self.scope.holds(&document.key) && self.filter.matches(document)?)
    }

    /// The same plan for a backend that leaves out the offset itself.
    pub fn without_offset(mut self) -> Self {
        self.offset = 0;
        self
    }

    /// What makes a page of the documents that it is given.
    pub fn collector(self, given: Given) -> Collector {
        Collector::new(self, given)
    }

    pub(super) const fn fields(&self) -> Option<&Projection> {
        self.fields.as_ref()
    }

    pub(super) const fn hash(&self) -> u128 {
        self.hash
    }
}
