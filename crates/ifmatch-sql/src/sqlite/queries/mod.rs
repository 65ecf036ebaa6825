//! Queries. SQL finds candidates: at least the documents that match, as few
//! others as the conditions and the declared indexes allow. The evaluator has
//! the last word on each, so the meaning is the same as on every backend.

mod access;
mod expression;
mod indexes;
mod range;
mod sorted;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use ifmatch_meta::query::{Given, Plan, SortKey};
use ifmatch_meta::{AggregateRow, Aggregation, Document, Filter, QueryPage, Result, Scope};
use rusqlite::{Connection, params_from_iter};

use self::access::{Access, Comes, Wanted};
use crate::sqlite::error::Failure;
use crate::sqlite::rows::{self, Counters};

pub(crate) use indexes::{create, drop, list};

/// One page, of one moment.
pub(crate) fn query(
    connection: &Connection,
    filter: &Filter,
    plan: Plan,
) -> Result<QueryPage, Failure> {
    let snapshot = connection.unchecked_transaction()?;
    let mark = Counters::read(&snapshot)?.mark();
    let scope = plan.scope().clone();
    let mark = rows::partition_of(&scope).map(|_| mark);
    let (sort, after) = (plan.sort().to_vec(), plan.after().cloned());
    let after = after.as_ref().map(SortKey::document);
    let wanted = Wanted { scope: &scope, filter, sort: &sort, after, page: true };
    let access = Access::choose(&snapshot, &wanted)?;
    let given = match access.comes {
        Comes::ByValue(order) => return sorted::page(&snapshot, &access, order, &plan, mark),
        Comes::InOrder => Given::InOrder,
        Comes::InNone => Given::Unordered,
    };
    let mut collector = plan.collector(given);
    each(&snapshot, &access, |document| Ok(collector.push(document)?))?;
    Ok(collector.finish(mark)?)
}

/// How many match, at one moment.
pub(crate) fn count(
    connection: &Connection,
    scope: &Scope,
    filter: &Filter,
) -> Result<u64, Failure> {
    let prepared = filter.prepare()?;
    let snapshot = connection.unchecked_transaction()?;
    let wanted = Wanted { scope, filter, sort: &[], after: None, page: false };
    let mut count = 0;
    each(&snapshot, &Access::choose(&snapshot, &wanted)?, |document| {
        count += u64::from(scope.holds(&document.key) && prepared.matches(document)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count)
}

/// The groups, at one moment.
pub(crate) fn aggregate(
    connection: &Connection,
    scope: &Scope,
    of: &Aggregation,
) -> Result<Vec<AggregateRow>, Failure> {
    let mut aggregator = of.aggregator(scope)?;
    let snapshot = connection.unchecked_transaction()?;
    let wanted = Wanted { scope, filter: &of.filter, sort: &[], after: None, page: false };
    each(&snapshot, &Access::choose(&snapshot, &wanted)?, |document| {
        aggregator.push(document)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(aggregator.finish()?)
}

/// Reads candidates until one is enough.
fn each(
    connection: &Connection,
    access: &Access,
    mut take: impl FnMut(&Document) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(&access.sql)?;
    let mut found = statement.query(params_from_iter(&access.values))?;
    while let Some(row) = found.next()? {
        if take(&rows::candidate(row)?)?.is_break() {
            break;
        }
    }
    Ok(())
}
