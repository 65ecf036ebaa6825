//! One case: what is asked of a store.

use fastrand::Rng;
use ifmatch_meta::{
    AggregateOf, Aggregation, Document, Field, Filter, Query, Scope, Sort, SortOrder,
};

use super::filters::Source;
use super::world::scope;

/// A query whose pages, count and groups are asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// Of which documents.
    pub scope: Scope,
    /// The query.
    pub query: Query,
    /// How many of its pages.
    pub pages: usize,
    /// Whether the documents that match are counted too.
    pub count: bool,
    /// Groups of the documents that match.
    pub aggregation: Option<Aggregation>,
}

impl Case {
    /// A case about these documents.
    pub fn generate(documents: &[Document], fields: &[Field], rng: &mut Rng) -> Self {
        let source = Source { documents, fields };
        let mut query = Query::filter(source.filter(rng));
        for _ in 0..[0, 0, 1, 1, 1, 2, 3][rng.usize(..7)] {
            let order = if rng.bool() { SortOrder::Ascending } else { SortOrder::Descending };
            query = query.sort(Sort { field: source.field(rng), order });
        }
        if rng.u8(..3) > 0 {
            query = query.limit([1, 2, 3, 5, 10, 50][rng.usize(..6)]);
        }
        if rng.u8(..5) == 0 {
            query = query.offset(rng.usize(..8));
        }
        let aggregation = (rng.u8(..4) == 0).then(|| {
            let by = (0..rng.usize(..3)).map(|_| source.field(rng)).collect::<Vec<_>>();
            let of = (0..rng.usize(..4)).map(|_| computed(source.field(rng), rng));
            Aggregation::of(of).by(by).filter(query.filter.clone())
        });
        let pages = if rng.u8(..4) == 0 { 4 } else { 1 };
        Self { scope: scope(rng), query, pages, count: rng.bool(), aggregation }
    }

    /// Cases that ask less, for finding the smallest one that still fails.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let with = |query: Query| Self { query, ..self.clone() };
        if self.aggregation.is_some() {
            all.push(Self { aggregation: None, ..self.clone() });
        }
        for index in 0..self.query.sort.len() {
            let mut query = self.query.clone();
            query.sort.remove(index);
            all.push(with(query));
        }
        if self.query.limit.is_some() {
            let mut query = self.query.clone();
            query.limit = None;
            all.push(with(query));
        }
        if self.query.offset > 0 {
            all.push(with(self.query.clone().offset(0)));
        }
        for filter in parts(&self.query.filter) {
            let mut smaller = self.clone();
            if let Some(aggregation) = smaller.aggregation.take() {
                smaller.aggregation = Some(aggregation.filter(filter.clone()));
            }
            smaller.query.filter = filter;
            all.push(smaller);
        }
        all
    }
}

fn computed(field: Field, rng: &mut Rng) -> AggregateOf {
    match rng.u8(..4) {
        0 => AggregateOf::Count,
        1 => AggregateOf::Sum(field),
        2 => AggregateOf::Min(field),
        _ => AggregateOf::Max(field),
    }
}

/// Filters that are made of less than this one.
fn parts(filter: &Filter) -> Vec<Filter> {
    let without = |all: &[Filter], make: fn(Vec<Filter>) -> Filter| {
        let one_less = (0..all.len()).map(|index| {
            let mut rest = all.to_vec();
            rest.remove(index);
            make(rest)
        });
        all.iter().cloned().chain(one_less).collect::<Vec<_>>()
    };
    match filter {
        Filter::Everything => Vec::new(),
        Filter::And(all) => without(all, Filter::And),
        Filter::Or(all) => without(all, Filter::Or),
        Filter::Not(inner) => {
            let negated = parts(inner).into_iter().map(|part| Filter::Not(Box::new(part)));
            std::iter::once((**inner).clone()).chain(negated).collect()
        }
        Filter::In { field, values, negated } => (0..values.len())
            .map(|index| {
                let mut values = values.clone();
                values.remove(index);
                Filter::In { field: field.clone(), values, negated: *negated }
            })
            .collect(),
        Filter::List { field, quantifier, filter } => parts(filter)
            .into_iter()
            .map(|part| {
                let filter = Box::new(part);
                Filter::List { field: field.clone(), quantifier: *quantifier, filter }
            })
            .collect(),
        _ => vec![Filter::Everything],
    }
}
