//! Queries: filters, sorts, pages, aggregates, and the one evaluator that gives
//! them their meaning.
//!
//! ```
//! use ifmatch_meta::query::field;
//! use ifmatch_meta::{MetaStore, Query, Result, Scope};
//! # #[allow(dead_code)]
//! async fn newest(store: &dyn MetaStore) -> Result<()> {
//!     let query = Query::filter(field("/kind").eq("note") & !field("/draft").eq(true))
//!         .sort("-@updated_at")
//!         .limit(20);
//!     let page = store.query(&Scope::All, &query).await?;
//!     println!("{} notes, more: {}", page.documents.len(), page.next.is_some());
//!     Ok(())
//! }
//! ```
//!
//! A backend that evaluates in Rust calls [`run`], [`count`] and [`aggregate`];
//! one that lets a database find the documents asks [`Query::plan`] what is
//! needed, and a [`Collector`] or an [`Aggregator`] to finish the work.

mod aggregate;
mod build;
mod check;
mod collect;
mod field;
mod filter;
mod form;
mod groups;
mod index;
mod key;
mod order;
mod plan;
mod pointer;
mod prepared;
mod request;
mod run;
mod sort;
mod sum;
mod token;

#[cfg(test)]
mod tests;

pub use aggregate::{AggregateOf, AggregateRow, Aggregation};
pub use build::{FieldExpr, LengthExpr, field};
pub use check::{MAX_CONDITIONS, MAX_FILTER_DEPTH};
pub use collect::{Collector, Given};
pub use field::Field;
pub use filter::{Comparison, Filter, Quantifier};
pub use groups::Aggregator;
pub use index::{Index, IndexName};
pub use key::SortKey;
pub use order::json_order;
pub use plan::Plan;
pub use prepared::Prepared;
pub use request::{Query, QueryPage};
pub use run::{aggregate, count, run};
pub use sort::{Sort, SortOrder};
pub use token::QueryToken;
