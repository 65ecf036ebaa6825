//! Batches: read what they name, evaluate, and commit if nothing of it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ifmatch_core::{Operation, Reason};
use ifmatch_meta::{
    Applied, Batch, Cost, DocId, DocKey, DocPrecondition, Document, ETag, Error, Json, Mark, Op,
    Present, Result, evaluate,
};

use super::super::client::Client;
use super::super::mark;
use super::super::rows::Reader;
use super::write::{self, Answer, Entries, Expect, Stamp};

/// More documents than this are not locked one by one.
const FEW: usize = 16;
/// Bodies up to this size are read even if only a conflict would tell them.
const SMALL: i32 = 8_192;

/// What a batch was evaluated on: one moment inside the call.
struct Seen {
    documents: BTreeMap<DocId, Document>,
    /// Documents whose bodies were left out.
    without_body: BTreeSet<DocId>,
    unchanged: BTreeMap<String, bool>,
    newest: u64,
    locked: Option<Error>,
    bytes: u64,
}

impl Present<Error> for Seen {
    type Document = Document;

    fn document(&mut self, id: &DocId) -> Result<Option<Document>> {
        Ok(self.documents.get(id).cloned())
    }

    fn is_unchanged(&mut self, since: &Mark) -> Result<bool> {
        Ok(self.unchanged.get(since.as_str()).copied().unwrap_or(false))
    }
}

/// Applies a batch, again on what is there where others came first.
pub(super) async fn run(
    client: &Client,
    store: u128,
    batch: &Batch<'_>,
    audit: bool,
) -> Result<Vec<Applied>> {
    let marks = marks(store, batch.ops)?;
    let end = client.env.now() + client.deadline;
    let mut cost = Cost::default();
    for attempt in 0.. {
        let seen = read(client, batch, &marks).await?;
        cost.requests += 1;
        cost.bytes_down += seen.bytes;
        if let Some(done) = attempt_on(client, batch, &marks, seen, &mut cost, audit).await? {
            return Ok(done);
        }
        if client.env.now() > end {
            break;
        }
        let most = Duration::from_millis(1 << attempt.min(8));
        client.env.sleep(client.env.jitter(most)).await;
    }
    let source = Reason::source("others changed its documents again and again");
    let (operation, subject) = (Operation::Put, client.subject.clone());
    let retry_after = None;
    Err(ifmatch_core::Error::Unavailable { operation, subject, retry_after, source }.into())
}

/// `None`: what was seen is no longer there.
async fn attempt_on(
    client: &Client,
    batch: &Batch<'_>,
    marks: &BTreeMap<String, String>,
    mut seen: Seen,
    cost: &mut Cost,
    audit: bool,
) -> Result<Option<Vec<Applied>>> {
    if let Some(locked) = seen.locked.take()
        && batch.ops.iter().any(Op::writes)
    {
        return Err(locked);
    }
    let newest = seen.newest;
    let evaluated = evaluate(batch, &mut seen).map_err(|error| without_unread(error, &seen))?;
    if evaluated.effects.is_empty() {
        return Ok(Some(evaluated.answers(newest, *cost)));
    }
    let stamp = Stamp { now: batch.now, author: batch.author.clone() };
    let mut entries = Entries::default();
    let mut left: BTreeSet<&DocId> = batch.ops.iter().filter_map(Op::id).collect();
    for effect in &evaluated.effects {
        left.remove(&effect.id);
        let expect = effect.before.map_or(Expect::Absent, Expect::Tag);
        match &effect.after {
            Some(document) => {
                let (state, created) = ((document.etag, &document.body), document.created_at);
                entries.put(effect.id.as_str(), expect, state, Some(created), &stamp)?;
            }
            None => entries.delete(effect.id.as_str(), expect, &stamp),
        }
    }
    for id in left {
        let expect = seen.documents.get(id).map_or(Expect::Absent, |there| Expect::Tag(there.etag));
        entries.check(id.as_str(), expect, &stamp);
    }
    let whole = !marks.is_empty() || entries.len() > FEW;
    let marks: Vec<String> = marks.values().cloned().collect();
    let how = (&marks[..], whole, audit);
    let answer = write::send(client, Operation::Put, batch.partition, &entries, how).await?;
    cost.requests += 1;
    cost.bytes_up += entries.bytes();
    Ok(match answer {
        Answer::Done { position, .. } => Some(evaluated.answers(position, *cost)),
        Answer::Landed(found) => {
            cost.requests += 1;
            Some(evaluated.answers(found.position, *cost))
        }
        Answer::Conflict(_) | Answer::Changed => None,
    })
}

/// The snapshots that marks name, by their words.
fn marks(store: u128, ops: &[Op]) -> Result<BTreeMap<String, String>> {
    let mut marks = BTreeMap::new();
    for (index, op) in ops.iter().enumerate() {
        if let Op::Unchanged { since } = op {
            let snapshot = mark::snapshot(store, since).map_err(|e| e.at_operation(index))?;
            marks.insert(since.as_str().into(), snapshot.into());
        }
    }
    Ok(marks)
}

/// The state at one moment: documents, marks, lock.
async fn read(
    client: &Client,
    batch: &Batch<'_>,
    marks: &BTreeMap<String, String>,
) -> Result<Seen> {
    let sql = "SELECT one.*, d.id, d.etag, d.created_at, d.updated_at, d.updated_by,
            CASE WHEN d.id = ANY ($3) OR octet_length(d.body) <= $4 THEN d.body END AS body
        FROM (SELECT schema.newest() AS newest, h.id AS holder,
                ceil(extract(epoch FROM h.ends_at - clock_timestamp()) * 1000000)::bigint AS remaining,
                ARRAY(SELECT NOT schema.changed_since($1, m::pg_snapshot)
                    FROM unnest($5::text[]) WITH ORDINALITY u(m, i) ORDER BY i) AS unchanged
            FROM (SELECT) nothing LEFT JOIN schema.transactions h
                ON h.partition = $1 AND h.state = 0 AND clock_timestamp() < h.ends_at
            OFFSET 0) one
        LEFT JOIN schema.documents d ON d.partition = $1 AND d.id = ANY ($2)";
    let ids: BTreeSet<&str> = batch.ops.iter().filter_map(Op::id).map(DocId::as_str).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let needed = batch.ops.iter().filter(|op| needs_body(op));
    let needed: Vec<&str> = needed.filter_map(Op::id).map(DocId::as_str).collect();
    let snapshots: Vec<&str> = marks.values().map(String::as_str).collect();
    let partition = batch.partition;
    let rows = client.read(|| {
        let statement = client.schema.statement(sql).bind(partition.as_str()).bind(&ids[..]);
        statement.bind(&needed[..]).bind(SMALL).bind(&snapshots[..])
    });
    let rows = rows.await?;
    let mut seen = Seen {
        documents: BTreeMap::new(),
        without_body: BTreeSet::new(),
        unchanged: BTreeMap::new(),
        newest: 0,
        locked: None,
        bytes: 0,
    };
    for (index, row) in rows.iter().enumerate() {
        let reader = Reader::new(client, row);
        if index == 0 {
            seen.newest = reader.number("newest")?;
            if reader.column::<Option<&str>>("holder")?.is_some() {
                seen.locked = Some(write::locked(&reader, partition)?);
            }
            let unchanged: Vec<bool> = reader.column("unchanged")?;
            seen.unchanged = marks.keys().cloned().zip(unchanged).collect();
        }
        let Some(etag) = reader.etag("etag")? else { continue };
        let id = reader.id()?;
        let body: Option<String> = reader.column("body")?;
        seen.bytes += body.as_ref().map_or(0, |body| body.len() as u64);
        if body.is_none() {
            seen.without_body.insert(id.clone());
        }
        let document = Document {
            key: DocKey { partition: partition.clone(), id: id.clone() },
            etag,
            body: Json::stored(body.unwrap_or_default()),
            created_at: reader.time("created_at")?,
            updated_at: reader.time("updated_at")?,
            updated_by: reader.author("updated_by")?,
        };
        seen.documents.insert(id, document);
    }
    Ok(seen)
}

/// Whether the operation depends on the body that is there.
fn needs_body(op: &Op) -> bool {
    matches!(op, Op::Patch { .. })
        || matches!(op.precondition(), Some(DocPrecondition::FieldEquals { .. }))
}

/// A conflict does not tell a body that was not read.
fn without_unread(mut error: Error, seen: &Seen) -> Error {
    let inner = match &mut error {
        Error::InBatch(inner) => &mut inner.error,
        error => error,
    };
    if let Error::Conflict(conflict) = inner {
        let id = &conflict.key.id;
        let same = |etag: ETag| seen.documents.get(id).is_some_and(|there| there.etag == etag);
        if seen.without_body.contains(id) && conflict.current.is_some_and(same) {
            conflict.body = None;
        }
    }
    error
}
