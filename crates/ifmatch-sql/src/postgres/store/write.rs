//! Writes of any number of documents: one call of one function of the schema.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Operation, Timestamp};
use ifmatch_meta::{
    Cost, Deleted, DocKey, DocPrecondition, Document, ETag, Error, Json, Partition, Result, TxId,
};
use sqlx::postgres::PgRow;

use super::super::client::Client;
use super::super::rows::Reader;
use super::super::sql::Statement;
use super::super::{query, queryable};
use super::landed::{self, Landed};

/// What an entry of a write expects: as the functions of the schema number it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Expect {
    Anything,
    Absent,
    Present,
    Tag(ETag),
}

impl Expect {
    pub(super) fn told(self) -> (i16, Option<String>) {
        match self {
            Self::Anything => (0, None),
            Self::Absent => (1, None),
            Self::Present => (2, None),
            Self::Tag(etag) => (3, Some(etag.bare())),
        }
    }
}

/// The entries of a write, column by column.
#[derive(Default)]
pub(in super::super) struct Entries {
    ids: Vec<String>,
    expect: Vec<i16>,
    seen: Vec<Option<String>>,
    action: Vec<i16>,
    etags: Vec<Option<String>>,
    created: Vec<Option<i64>>,
    at: Vec<i64>,
    by: Vec<Option<String>>,
    bodies: Vec<Option<String>>,
    docs: Vec<Option<String>>,
}

/// When and by whom.
#[derive(Clone)]
pub(in super::super) struct Stamp {
    pub(in super::super) now: Timestamp,
    pub(in super::super) author: Option<Arc<str>>,
}

impl Entries {
    pub(in super::super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The documents that it puts, and their tags.
    fn minted(&self) -> (Vec<&str>, Vec<&str>) {
        let puts = self.ids.iter().zip(&self.etags);
        puts.filter_map(|(id, etag)| Some((id.as_str(), etag.as_deref()?))).unzip()
    }

    /// Bytes of what is sent for documents.
    pub(in super::super) fn bytes(&self) -> u64 {
        let texts = self.bodies.iter().chain(&self.docs).flatten().map(String::len);
        texts.chain(self.ids.iter().map(String::len)).map(|len| len as u64).sum()
    }

    fn entry(&mut self, id: &str, expect: Expect, stamp: &Stamp) {
        self.ids.push(id.into());
        let (number, seen) = expect.told();
        self.expect.push(number);
        self.seen.push(seen);
        self.at.push(stamp.now.as_micros());
        self.by.push(stamp.author.as_deref().map(String::from));
    }

    fn state(&mut self, action: i16, etag: Option<ETag>, created: Option<Timestamp>) {
        self.action.push(action);
        self.etags.push(etag.map(|etag| etag.bare()));
        self.created.push(created.map(Timestamp::as_micros));
    }

    /// Writes a document; where `created` is `None` the time of creation is kept.
    pub(in super::super) fn put(
        &mut self,
        id: &str,
        expect: Expect,
        (etag, body): (ETag, &Json),
        created: Option<Timestamp>,
        stamp: &Stamp,
    ) -> Result<()> {
        for time in [stamp.now, created.unwrap_or(stamp.now)] {
            within_years(time)?;
        }
        self.docs.push(queryable::rewritten(body)?);
        self.bodies.push(Some(body.as_str().into()));
        self.entry(id, expect, stamp);
        self.state(1, Some(etag), created);
        Ok(())
    }

    /// Deletes a document.
    pub(in super::super) fn delete(&mut self, id: &str, expect: Expect, stamp: &Stamp) {
        self.bodies.push(None);
        self.docs.push(None);
        self.entry(id, expect, stamp);
        self.state(2, None, None);
    }

    /// Only expects.
    pub(in super::super) fn check(&mut self, id: &str, expect: Expect, stamp: &Stamp) {
        self.bodies.push(None);
        self.docs.push(None);
        self.entry(id, expect, stamp);
        self.state(0, None, None);
    }

    /// Binds all columns, in the order in which the functions take them.
    pub(in super::super) fn bind<'a>(&self, statement: Statement<'a>) -> Statement<'a> {
        statement
            .bind(&self.ids)
            .bind(&self.expect)
            .bind(&self.seen)
            .bind(&self.action)
            .bind(&self.etags)
            .bind(&self.created)
            .bind(&self.at)
            .bind(&self.by)
            .bind(&self.bodies)
            .bind(&self.docs)
    }
}

/// Times that the columns hold: in the years 0 to 9999 texts of times sort as
/// they do.
pub(super) fn within_years(time: Timestamp) -> Result<()> {
    if (query::FIRST..=query::LAST).contains(&time.as_micros()) {
        return Ok(());
    }
    Err(Error::invalid(format!("a time outside of the years 0 to 9999: {time}")))
}

/// What became of a write.
pub(in super::super) enum Answer {
    /// Applied at this position; the tag that the first document had before.
    Done { position: u64, before: Option<ETag> },
    /// An expectation did not hold.
    Conflict(PgRow),
    /// Applied: its answer was lost, and one of its documents was found.
    Landed(Landed),
    /// The partition is not in one of the states that were asked for.
    Changed,
}

/// Sends a write: all entries or none, in one commit.
pub(in super::super) async fn send(
    client: &Client,
    operation: Operation,
    partition: &Partition,
    entries: &Entries,
    (marks, whole, audit): (&[String], bool, bool),
) -> Result<Answer> {
    let sql = "SELECT * FROM schema.write(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let statement = || {
        let begin = client.schema.statement(sql).bind(partition.as_str()).bind(whole);
        entries.bind(begin).bind(marks).bind(audit)
    };
    let row = match client.write(operation, statement).await {
        Ok(row) => row,
        Err(lost) => {
            let (ids, etags) = entries.minted();
            let found = landed::look(client, partition, (&ids, &etags), lost).await;
            return found.map(Answer::Landed);
        }
    };
    let reader = Reader::new(client, &row);
    match reader.column::<&str>("answer")? {
        "done" => {
            Ok(Answer::Done { position: reader.number("seq")?, before: reader.etag("was_etag")? })
        }
        "conflict" => Ok(Answer::Conflict(row)),
        "changed" => Ok(Answer::Changed),
        "locked" => Err(locked(&reader, partition)?),
        other => Err(reader.corrupt(&format!("the answer {other:?}"))),
    }
}

/// The error of a partition that a transaction holds.
pub(in super::super) fn locked(reader: &Reader<'_>, partition: &Partition) -> Result<Error> {
    let holder = reader.there("holder", reader.tx("holder")?)?;
    Ok(held(partition, holder, reader.column("remaining")?))
}

/// The same, with the microseconds that are left of the transaction's life.
pub(super) fn held(partition: &Partition, holder: TxId, remaining: Option<i64>) -> Error {
    let remaining =
        remaining.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
    Error::PartitionLocked { partition: partition.clone(), holder, remaining }
}

/// How a precondition is told to the functions; `None` where it has to be
/// evaluated on the body.
pub(in super::super) fn expectation(pre: &DocPrecondition) -> Option<Expect> {
    match pre {
        DocPrecondition::Overwrite => Some(Expect::Anything),
        DocPrecondition::IfAbsent => Some(Expect::Absent),
        DocPrecondition::IfExists => Some(Expect::Present),
        DocPrecondition::IfMatch(etag) => Some(Expect::Tag(*etag)),
        _ => None,
    }
}

/// Deletes one document; `expect` is what `pre` comes to.
pub(super) async fn delete(
    client: &Client,
    key: &DocKey,
    (pre, expect): (&DocPrecondition, Expect),
    stamp: &Stamp,
    audit: bool,
) -> Result<Deleted> {
    let mut entries = Entries::default();
    entries.delete(key.id.as_str(), expect, stamp);
    let how = (&[][..], false, audit);
    let answer = send(client, Operation::Delete, &key.partition, &entries, how).await?;
    let (position, before) = match answer {
        Answer::Done { position, before } => (position, before),
        Answer::Conflict(row) => {
            let found = current(&Reader::new(client, &row), key)?;
            return Err(conflict(client, key, pre, found.as_ref()));
        }
        Answer::Changed | Answer::Landed(_) => return Err(unasked(client)),
    };
    let cost = Cost { requests: 1, bytes_up: entries.bytes(), bytes_down: 0 };
    Ok(Deleted { etag: before, position, cost })
}

/// The conflict, by the meaning that all backends share, with what is there.
pub(super) fn conflict(
    client: &Client,
    key: &DocKey,
    pre: &DocPrecondition,
    found: Option<&Document>,
) -> Error {
    let Err(error) = pre.check(key, found) else {
        return Error::corrupt(client.subject.clone(), "a conflict with what was expected");
    };
    error
}

pub(super) fn unasked(client: &Client) -> Error {
    Error::corrupt(client.subject.clone(), "an answer to another question")
}

fn current(reader: &Reader<'_>, key: &DocKey) -> Result<Option<Document>> {
    let Some(etag) = reader.etag("was_etag")? else { return Ok(None) };
    Ok(Some(Document {
        key: key.clone(),
        etag,
        body: Json::stored(reader.column::<String>("was_body")?),
        created_at: reader.time("was_created")?,
        updated_at: reader.time("was_updated")?,
        updated_by: reader.author("was_by")?,
    }))
}
