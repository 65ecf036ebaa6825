//! Queries: what the evaluator means, found by PostgreSQL as far as it can say
//! the same.

mod compile;
mod operand;
mod order;
mod times;

use std::ops::ControlFlow;

use ifmatch_meta::query::{Collector, Given, Plan};
use ifmatch_meta::{
    AggregateRow, Aggregation, DocKey, Document, Field, Filter, Mark, Query, QueryPage, Result,
    Scope,
};
use sqlx::postgres::PgRow;

use super::client::Client;
use super::mark;
use super::rows::Reader;
use super::sql::{Piece, Statement};
use compile::compile;
pub(super) use operand::Operand;
pub(super) use times::{FIRST, LAST};

const COLUMNS: &str = "d.partition, d.id, d.etag, d.created_at, d.updated_at, d.updated_by";

/// Limits a statement to the documents of a scope.
fn scoped(scope: &Scope, to: &mut Statement<'_>) -> Piece {
    const ID: &str = "NOT (d.id >= 'ifmatch.' AND d.id < 'ifmatch/')";
    let partition = match scope {
        Scope::Partition(partition) => {
            Piece::fixed("d.partition = ").and(&to.place(partition.as_str()))
        }
        _ => Piece::fixed("NOT (d.partition >= 'ifmatch.' AND d.partition < 'ifmatch/')"),
    };
    partition.then(" AND ").then(ID)
}

/// One page.
pub(super) async fn page(
    client: &Client,
    store: u128,
    scope: &Scope,
    query: &Query,
) -> Result<QueryPage> {
    let plan = query.plan(scope)?;
    if let Some(page) = cut_by_server(client, store, query, &plan).await? {
        return Ok(page);
    }
    let given = if plan.sort().is_empty() { Given::InOrder } else { Given::Unordered };
    let mut state = None;
    let mut collector = None;
    let statement = || {
        let mut statement = client.schema.statement("SELECT pg_current_snapshot()::text AS mark, ");
        statement = statement.push(COLUMNS).push(", d.body FROM (SELECT) one");
        let mut condition = scoped(scope, &mut statement);
        let compiled = compile(&query.filter, &mut statement)?;
        condition = condition.then(" AND ").and(&compiled.condition);
        if let Some(after) = plan.after().filter(|_| given == Given::InOrder) {
            let partition = statement.place(after.document().partition.as_str());
            let id = statement.place(after.document().id.as_str());
            condition = condition.then(" AND (d.partition, d.id) > (").and(&partition);
            condition = condition.then(", ").and(&id).then(")");
        }
        statement = statement.push(" LEFT JOIN schema.documents d ON ").piece(&condition);
        Ok(match given {
            Given::InOrder => statement.push(" ORDER BY d.partition, d.id"),
            Given::Unordered => statement,
        })
    };
    client
        .each(statement, |row| {
            let reader = Reader::new(client, &row);
            if state.is_none() {
                state = mark_of(&reader, store, scope)?;
            }
            let collector = collector.get_or_insert_with(|| plan.clone().collector(given));
            if reader.column::<Option<&str>>("id")?.is_none() {
                return Ok(ControlFlow::Continue(())); // No document at all.
            }
            collector.push(&document(&reader)?)
        })
        .await?;
    let collector: Collector = collector.unwrap_or_else(|| plan.collector(given));
    collector.finish(state)
}

/// A page of which the server has found the beginning and the end; `None` where
/// it cannot.
async fn cut_by_server(
    client: &Client,
    store: u128,
    query: &Query,
    plan: &Plan,
) -> Result<Option<QueryPage>> {
    let Some(first) = cut_statement(client, query, plan)? else { return Ok(None) };
    drop(first);
    let none = || client.schema.statement("SELECT");
    let statement = || Ok(cut_statement(client, query, plan)?.unwrap_or_else(none));
    let rows = client.read_with(statement).await?;
    let scope = plan.scope();
    let mut collector = plan.clone().without_offset().collector(Given::InOrder);
    let mut state = None;
    let mut last: Option<Document> = None;
    for row in &rows {
        let reader = Reader::new(client, row);
        if state.is_none() {
            state = mark_of(&reader, store, scope)?;
        }
        if reader.column::<Option<&str>>("id")?.is_none() {
            break;
        }
        if reader.column::<i32>("ranks")? >= order::COMPLEX {
            return Ok(None); // Lists and objects are sorted on our side.
        }
        let document = match (reader.column::<Option<&str>>("body")?, last.take()) {
            (None, Some(last)) => {
                // The page is full: what follows only has to be there.
                let _ = collector.push(&last)?;
                break;
            }
            _ => document(&reader)?,
        };
        if collector.push(&document)?.is_break() {
            break;
        }
        last = Some(document);
    }
    collector.finish(state).map(Some)
}

/// The statement of such a page; `None` where SQL cannot say it exactly.
fn cut_statement<'a>(
    client: &'a Client,
    query: &Query,
    plan: &Plan,
) -> Result<Option<Statement<'a>>> {
    let limit = i64::try_from(plan.limit()).unwrap_or(i64::MAX);
    let offset = i64::try_from(plan.offset()).unwrap_or(i64::MAX);
    let scope = plan.scope();
    let mut statement = client.schema.statement(
        "SELECT pg_current_snapshot()::text AS mark, page.* FROM (SELECT) one LEFT JOIN (
            SELECT partition, id, etag, created_at, updated_at, updated_by, number, ranks,
                CASE WHEN number <= ",
    );
    let mut condition = scoped(scope, &mut statement);
    let compiled = compile(&query.filter, &mut statement)?;
    if !compiled.exact {
        return Ok(None);
    }
    condition = condition.then(" AND ").and(&compiled.condition);
    if let Some(after) = plan.after() {
        let Some(following) = order::following(plan, after, &mut statement)? else {
            return Ok(None);
        };
        condition = condition.then(" AND ").and(&following);
    }
    statement = statement
        .value(limit)
        .push(" AND before < ")
        .value(i64::try_from(Query::PAGE_BYTES).unwrap_or(i64::MAX))
        .push(
            " THEN body END AS body FROM (
                SELECT *, row_number() OVER () AS number, coalesce(sum(octet_length(body))
                    OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
                FROM (SELECT d.*, ",
        )
        .piece(&order::ranks(plan.sort())?)
        .push(" AS ranks FROM schema.documents d WHERE ")
        .piece(&condition)
        .push(" ORDER BY ")
        .piece(&order::order_by(plan.sort())?)
        .push(" OFFSET ")
        .value(offset)
        .push(" LIMIT ")
        .value(limit.saturating_add(1))
        .push(") sorted) numbered) page ON true ORDER BY number");
    Ok(Some(statement))
}

fn mark_of(reader: &Reader<'_>, store: u128, scope: &Scope) -> Result<Option<Mark>> {
    match scope {
        Scope::Partition(_) => Ok(Some(mark::mark(store, reader.column("mark")?))),
        _ => Ok(None),
    }
}

fn document(reader: &Reader<'_>) -> Result<Document> {
    reader.document(DocKey { partition: reader.partition()?, id: reader.id()? })
}

/// How many documents match.
pub(super) async fn count(client: &Client, scope: &Scope, filter: &Filter) -> Result<u64> {
    let prepared = filter.prepare()?;
    let exact = compile(filter, &mut client.schema.statement(""))?.exact;
    if exact {
        let sql = "SELECT count(*) AS documents";
        let rows = client.read_with(|| counting(client, scope, filter, sql)).await?;
        let Some(row) = rows.first() else { return Ok(0) };
        return Reader::new(client, row).number("documents");
    }
    let mut count = 0;
    let sql = "SELECT d.partition, d.id, d.etag, d.created_at, d.updated_at, d.updated_by, d.body";
    let visit = |row: PgRow| {
        count += u64::from(prepared.matches(&document(&Reader::new(client, &row))?)?);
        Ok(ControlFlow::Continue(()))
    };
    client.each(|| counting(client, scope, filter, sql), visit).await?;
    Ok(count)
}

/// How the server finds what matches.
pub(super) async fn explain(client: &Client, scope: &Scope, filter: &Filter) -> Result<String> {
    filter.validate()?;
    let sql = "EXPLAIN SELECT d.body";
    let rows = client.read_with(|| counting(client, scope, filter, sql)).await?;
    let mut plan = String::new();
    for row in &rows {
        plan.push_str(Reader::new(client, row).column("QUERY PLAN")?);
        plan.push('\n');
    }
    Ok(plan)
}

fn counting<'a>(
    client: &'a Client,
    scope: &Scope,
    filter: &Filter,
    begin: &'static str,
) -> Result<Statement<'a>> {
    let mut statement = client.schema.statement(begin);
    let condition = scoped(scope, &mut statement);
    let condition = condition.then(" AND ").and(&compile(filter, &mut statement)?.condition);
    Ok(statement.push(" FROM schema.documents d WHERE ").piece(&condition))
}

/// Counts, sums, smallest and largest values. Where the server says exactly which
/// documents match, it sends only the values that are asked for.
pub(super) async fn aggregate(
    client: &Client,
    scope: &Scope,
    of: &Aggregation,
) -> Result<Vec<AggregateRow>> {
    of.validate()?;
    let exact = compile(&of.filter, &mut client.schema.statement(""))?.exact;
    let mut fields = Vec::new();
    let reduced = if exact { reduce(of, &mut fields) } else { of.clone() };
    let statement = || {
        let mut statement = client.schema.statement("SELECT ").push(COLUMNS);
        let condition = scoped(scope, &mut statement);
        let condition =
            condition.then(" AND ").and(&compile(&of.filter, &mut statement)?.condition);
        let body = if exact { values(&fields)? } else { Piece::fixed("d.body") };
        let statement = statement.push(", ").piece(&body).push(" AS body");
        Ok(statement.push(" FROM schema.documents d WHERE ").piece(&condition))
    };
    let mut aggregator = None;
    let visit = |row: PgRow| {
        if aggregator.is_none() {
            aggregator = Some(reduced.aggregator(scope)?);
        }
        if let Some(aggregator) = &mut aggregator {
            aggregator.push(&document(&Reader::new(client, &row))?)?;
        }
        Ok(ControlFlow::Continue(()))
    };
    client.each(statement, visit).await?;
    match aggregator {
        Some(aggregator) => aggregator.finish(),
        None => reduced.aggregator(scope)?.finish(),
    }
}

/// The same aggregation of documents whose bodies are lists of the values at
/// `fields`, all of which match.
fn reduce(of: &Aggregation, fields: &mut Vec<Field>) -> Aggregation {
    use ifmatch_meta::AggregateOf;
    let mut place = |field: &Field| match field {
        Field::Body(_) => {
            let index = fields.iter().position(|known| known == field).unwrap_or(fields.len());
            if index == fields.len() {
                fields.push(field.clone());
            }
            Field::Body(format!("/{index}").into())
        }
        named => named.clone(),
    };
    let mut reduced = Aggregation::default();
    reduced.limit = of.limit;
    reduced.by = of.by.iter().map(&mut place).collect();
    reduced.of = of
        .of
        .iter()
        .map(|of| match of {
            AggregateOf::Sum(field) => AggregateOf::Sum(place(field)),
            AggregateOf::Min(field) => AggregateOf::Min(place(field)),
            AggregateOf::Max(field) => AggregateOf::Max(place(field)),
            other => other.clone(),
        })
        .collect();
    reduced
}

/// The values of fields as one list.
fn values(fields: &[Field]) -> Result<Piece> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields {
        if let Operand::Json(value) = Operand::new(field, &Piece::fixed("d.doc"), "d.")? {
            parts.push(value);
        }
    }
    Ok(Piece::fixed("jsonb_build_array(").and(&Piece::join(&parts, ", ")).then(")::text"))
}
