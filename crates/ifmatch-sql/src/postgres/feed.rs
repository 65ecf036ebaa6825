//! The change feed, and the record of changes: both in the order of positions,
//! and both only up to the oldest transaction that is under way.
//!
//! Positions are numbers of transactions, which need not end in their order: what
//! lies at or above `pg_snapshot_xmin` may still get company below it. Everything
//! below is complete, for good.

use std::time::Duration;

use ifmatch_meta::{
    AuditOperation, AuditPosition, AuditRecord, Change, ChangePage, ChangeToken, DocKey, Error,
    FeedPosition, Partition, Result, ScanOptions, Scope, Tombstone,
};
use sqlx::postgres::PgRow;

use super::client::Client;
use super::rows::Reader;
use super::sql::Statement;

/// Most changes in one page, whatever was asked for.
const MOST: usize = 10_000;

/// What a read of the feed needs of its store.
#[derive(Clone, Copy)]
pub(super) struct Feed<'a> {
    pub(super) client: &'a Client,
    pub(super) store: u128,
    /// How long transactions under way are waited for.
    pub(super) patience: Duration,
}

/// What one statement saw.
struct Seen {
    rows: Vec<PgRow>,
    /// Positions below it are complete.
    stop: u64,
    /// The newest position that is there, complete or not.
    newest: u64,
    floor: u64,
}

impl Feed<'_> {
    /// One page.
    pub(super) async fn changes(
        &self,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        let named = named(scope);
        let since = self.since(scope, since)?;
        let after = since.unwrap_or_default();
        let limit = limit.clamp(1, MOST);
        let seen = self.settled(|| page(self.client, named, after, limit), limit).await?;
        let fork = since.map_or(seen.floor, |since| since.fork);
        if seen.floor > after.seq.max(fork) {
            let what = format!("deletions up to commit {} are no longer remembered", seen.floor);
            return Err(Error::TokenExpired { what: what.into() });
        }
        let (mut changes, mut bytes, mut more) = (Vec::new(), 0, false);
        let mut last = FeedPosition { fork, ..after };
        for row in &seen.rows {
            let reader = Reader::new(self.client, row);
            if reader.column::<Option<&str>>("id")?.is_none() {
                break; // No change at all.
            }
            if changes.len() >= limit || bytes >= ScanOptions::PAGE_BYTES {
                more = true;
                break;
            }
            let change = change(&reader)?;
            bytes += change.document().map_or(0, |document| document.body.len());
            let ordinal = u32::try_from(reader.column::<i32>("ordinal")?).unwrap_or_default();
            last = FeedPosition { fork, seq: change.position(), ordinal };
            changes.push(change);
        }
        if !more {
            let end = FeedPosition { fork, seq: seen.stop - 1, ordinal: u32::MAX };
            last = last.max(end);
            more = seen.newest >= seen.stop;
        }
        let mut next = ChangeToken::start(self.store);
        next.set(named, last);
        Ok(ChangePage { changes, next, more })
    }

    /// A token of now.
    pub(super) async fn token(&self, scope: &Scope) -> Result<ChangeToken> {
        let after = FeedPosition { fork: 0, seq: i64::MAX.cast_unsigned(), ordinal: 0 };
        let seen = self.settled(|| page(self.client, named(scope), after, 1), 1).await?;
        let mut token = ChangeToken::start(self.store);
        let now = FeedPosition { fork: seen.floor, seq: seen.stop - 1, ordinal: u32::MAX };
        token.set(named(scope), now);
        Ok(token)
    }

    /// Whether something is there that a token does not cover.
    pub(super) async fn has_changed(&self, scope: &Scope, token: &ChangeToken) -> Result<bool> {
        let after = self.since(scope, Some(token))?.unwrap_or_default();
        let seen = self.look(|| page(self.client, named(scope), after, 1)).await?;
        Ok(seen.newest > after.seq)
    }

    /// Every change of a partition after a place.
    pub(super) async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        let limit = limit.max(1);
        let from = after.unwrap_or_default();
        let statement = || record(self.client, partition, from, limit);
        let seen = self.settled(statement, limit).await?;
        if after.is_some_and(|after| after.position < seen.floor) {
            let what = format!("the record of partition {partition} begins later");
            return Err(Error::TokenExpired { what: what.into() });
        }
        let mut records = Vec::with_capacity(seen.rows.len());
        for row in &seen.rows {
            let reader = Reader::new(self.client, row);
            if reader.column::<Option<&str>>("id")?.is_some() {
                records.push(audit_record(&reader)?);
            }
        }
        Ok(records)
    }

    fn since(&self, scope: &Scope, token: Option<&ChangeToken>) -> Result<Option<FeedPosition>> {
        let Some(token) = token else { return Ok(None) };
        token.check(self.store, scope)?;
        let named = named(scope);
        if token.partitions().any(|(partition, _)| partition != named) {
            return Err(Error::invalid("a token of another scope's changes"));
        }
        Ok(token.position(named))
    }

    /// What a statement sees, once everything that was there at first is
    /// complete, or a page of it is; or patience has come to its end.
    async fn settled<'a>(
        &'a self,
        statement: impl Fn() -> Statement<'a>,
        enough: usize,
    ) -> Result<Seen> {
        let end = self.client.env.now() + self.patience;
        let mut seen = self.look(&statement).await?;
        let newest = seen.newest;
        let mut pause = Duration::from_millis(1);
        while seen.stop <= newest && seen.rows.len() <= enough {
            let left = end.saturating_sub(self.client.env.now());
            if left.is_zero() {
                break;
            }
            self.client.env.sleep(pause.min(left)).await;
            pause = (pause * 2).min(Duration::from_millis(50));
            seen = self.look(&statement).await?;
        }
        Ok(seen)
    }

    async fn look<'a>(&'a self, statement: impl Fn() -> Statement<'a>) -> Result<Seen> {
        let rows = self.client.read(statement).await?;
        let first = rows.first().ok_or_else(|| {
            Error::corrupt(self.client.subject.clone(), "a feed without its state")
        })?;
        let reader = Reader::new(self.client, first);
        let number = |name| reader.number(name);
        let (stop, newest, floor) = (number("stop")?, number("newest")?, number("floor")?);
        Ok(Seen { rows, stop: stop.max(1), newest, floor })
    }
}

/// The partition that a scope's tokens name.
fn named(scope: &Scope) -> Option<&Partition> {
    match scope {
        Scope::Partition(partition) => Some(partition),
        _ => None,
    }
}

/// Limits a statement to the scope, and to names of others.
fn scoped<'a>(statement: Statement<'a>, partition: Option<&Partition>) -> Statement<'a> {
    let statement = match partition {
        Some(partition) => statement.push("partition = ").value(partition.as_str()),
        None => statement.push("NOT (partition >= 'ifmatch.' AND partition < 'ifmatch/')"),
    };
    statement.push(" AND NOT (id >= 'ifmatch.' AND id < 'ifmatch/')")
}

/// One row more than the page holds, bodies of the page only.
fn page<'a>(
    client: &'a Client,
    partition: Option<&Partition>,
    after: FeedPosition,
    limit: usize,
) -> Statement<'a> {
    let seq = i64::try_from(after.seq).unwrap_or(i64::MAX);
    let ordinal = i32::try_from(after.ordinal).unwrap_or(i32::MAX);
    let most = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let range = |statement: Statement<'a>| {
        scoped(statement, partition)
            .push(" AND (position, ordinal) > (")
            .value(seq)
            .push(", ")
            .value(ordinal)
            .push(") AND position < one.stop ORDER BY position, ordinal LIMIT ")
            .value(most)
            .push(")")
    };
    let statement = client.schema.statement(
        "SELECT one.*, page.* FROM (SELECT s.floor,
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS stop,
            greatest((SELECT max(position) FROM schema.documents WHERE ",
    );
    let statement =
        scoped(statement, partition).push("), (SELECT max(position) FROM schema.tombstones WHERE ");
    let statement = scoped(statement, partition).push(
        "), 0) AS newest FROM schema.store s OFFSET 0) one
        LEFT JOIN LATERAL (
            SELECT partition, id, etag, position, ordinal, created_at, updated_at, updated_by, there,
                number, CASE WHEN before < 4194304 AND number <= ",
    );
    const { assert!(ScanOptions::PAGE_BYTES == 4_194_304) };
    let statement = statement.value(i64::try_from(limit).unwrap_or(i64::MAX)).push(
        " THEN body END AS body FROM (
                SELECT *, row_number() OVER page AS number,
                    coalesce(sum(octet_length(body)) OVER (
                        page ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
                FROM (SELECT * FROM (
                    (SELECT partition, id, etag, position, ordinal, created_at, updated_at,
                        updated_by, body, true AS there FROM schema.documents WHERE ",
    );
    let statement = range(statement).push(
        " UNION ALL (SELECT partition, id, etag, position, ordinal, deleted_at, deleted_at,
                        deleted_by, NULL, false FROM schema.tombstones WHERE ",
    );
    range(statement)
        .push(") both_kinds ORDER BY position, ordinal LIMIT ")
        .value(most)
        .push(
            ") first WINDOW page AS (ORDER BY position, ordinal)) numbered) page ON true ORDER BY number",
        )
}

fn change(reader: &Reader<'_>) -> Result<Change> {
    let key = DocKey { partition: reader.partition()?, id: reader.id()? };
    let position = reader.number("position")?;
    if reader.column::<bool>("there")? {
        return Ok(Change::Written { document: reader.document(key)?, position });
    }
    let tombstone = Tombstone {
        key,
        deleted_etag: reader.there("etag", reader.etag("etag")?)?,
        deleted_at: reader.time("updated_at")?,
        deleted_by: reader.author("updated_by")?,
    };
    Ok(Change::Deleted { tombstone, position })
}

fn record<'a>(
    client: &'a Client,
    partition: &Partition,
    from: AuditPosition,
    limit: usize,
) -> Statement<'a> {
    let sql = "SELECT one.*, r.* FROM (SELECT
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS stop,
            coalesce((SELECT floor FROM schema.audit_floors WHERE partition = $1), 0) AS floor,
            coalesce((SELECT max(position) FROM schema.audit WHERE partition = $1), 0) AS newest
            OFFSET 0) one
        LEFT JOIN LATERAL (SELECT position, ordinal, id, etag, previous, at, by
            FROM schema.audit WHERE partition = $1 AND position < one.stop
            AND (position, ordinal) > ($2, $3) ORDER BY position, ordinal LIMIT $4) r ON true ORDER BY position, ordinal";
    client
        .schema
        .statement(sql)
        .bind(partition.as_str())
        .bind(i64::try_from(from.position).unwrap_or(i64::MAX))
        .bind(i32::try_from(from.ordinal).unwrap_or(i32::MAX))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
}

fn audit_record(reader: &Reader<'_>) -> Result<AuditRecord> {
    let (etag, previous) = (reader.etag("etag")?, reader.etag("previous")?);
    let operation = match (etag, previous) {
        (None, _) => AuditOperation::Deleted,
        (Some(_), None) => AuditOperation::Created,
        (Some(_), Some(_)) => AuditOperation::Replaced,
    };
    Ok(AuditRecord {
        at: AuditPosition {
            position: reader.number("position")?,
            ordinal: u32::try_from(reader.column::<i32>("ordinal")?).unwrap_or_default(),
        },
        id: reader.id()?,
        etag,
        previous,
        author: reader.author("by")?,
        time: reader.time("at")?,
        operation,
    })
}
