//! Many documents at once.

use std::path::PathBuf;

use clap::Args;
use ifmatch::meta::{self, Filter, Partition, QueryToken, Scope, Sort, WriteOptions};
use serde_json::json;

use crate::arguments::Global;
use crate::commands::documents::{Pages, Range, closing, fields, input, open};
use crate::commands::operations;
use crate::failure::Failure;
use crate::output::Output;

/// Which documents, in which order.
#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The document store.
    store: String,
    /// Only in this partition.
    partition: Option<String>,
    /// Only those for which this filter is true, as
    /// `{"field": "/size", "op": "gt", "value": 3}`.
    #[arg(long = "where", value_name = "JSON_FILTER")]
    filter: Option<String>,
    /// Order by this: `/a`, `-/a` for the largest first, `@id`; repeat for what
    /// is equal.
    #[arg(long, allow_hyphen_values = true, value_name = "FIELD")]
    sort: Vec<String>,
    /// Print at most so many, and the token of what follows; all unless set.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Leave so many out at the beginning.
    #[arg(long, conflicts_with = "after")]
    offset: Option<usize>,
    /// Go on after the token of the same query before.
    #[arg(long, value_name = "TOKEN")]
    after: Option<QueryToken>,
    /// Only these members of the bodies: JSON pointers, with commas between.
    #[arg(long, value_delimiter = ',', value_name = "POINTER")]
    fields: Vec<String>,
}

pub(super) async fn batch(
    store: &str,
    partition: &str,
    file: Option<&PathBuf>,
    options: WriteOptions,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let partition = Partition::new(partition)?;
    let ops = operations::read(&input(file)?)?;
    let store = open(store, true, global).await?;
    let write = store.batch_with(&partition, ops.clone(), options);
    let applied = closing(store.clone(), async { Ok(write.await?) }).await?;
    operations::print(&ops, &applied, output)
}

pub(super) async fn scan(
    store: &str,
    partition: &str,
    range: Range,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let partition = Partition::new(partition)?;
    let (mut options, mut pages) = range.options()?;
    let store = open(store, false, global).await?;
    let print = async {
        loop {
            let page = store.scan(&partition, options.clone()).await?;
            if !pages.print(&page.documents, page.next.as_ref(), output)? {
                return Ok(());
            }
            options.limit = pages.next_page(options.limit);
            options.after = page.next;
        }
    };
    closing(store.clone(), print).await
}

pub(super) async fn query(what: Query, global: &Global, output: &Output) -> Result<(), Failure> {
    let scope = scope(what.partition)?;
    let mut query = meta::Query::filter(filter(what.filter.as_deref())?);
    for sort in &what.sort {
        query = query.sort(sort.parse::<Sort>()?);
    }
    query.offset = what.offset.unwrap_or_default();
    query.after = what.after;
    query.fields = fields(what.fields)?;
    let mut pages = Pages::new(what.limit);
    query.limit = Some(pages.next_page(1_000));
    let store = open(&what.store, false, global).await?;
    let print = async {
        loop {
            let page = store.query(&scope, &query).await?;
            if !pages.print(&page.documents, page.next.as_ref(), output)? {
                return Ok(());
            }
            query.limit = Some(pages.next_page(1_000));
            query.offset = 0;
            query.after = page.next;
        }
    };
    closing(store.clone(), print).await
}

pub(super) async fn count(
    store: &str,
    partition: Option<String>,
    text: Option<&str>,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let (scope, filter) = (scope(partition)?, filter(text)?);
    let store = open(store, false, global).await?;
    let count = async { Ok(store.count_where(&scope, &filter).await?) };
    let count = closing(store.clone(), count).await?;
    output.result(&count.to_string(), &json!({ "count": count }))
}

pub(super) fn scope(partition: Option<String>) -> Result<Scope, Failure> {
    Ok(match partition {
        Some(partition) => Scope::Partition(Partition::new(partition)?),
        None => Scope::All,
    })
}

fn filter(text: Option<&str>) -> Result<Filter, Failure> {
    Ok(text.map(str::parse::<Filter>).transpose()?.unwrap_or_default())
}
