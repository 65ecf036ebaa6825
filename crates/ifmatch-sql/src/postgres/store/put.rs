//! Single puts: one call of a function that is made for them.

use std::str::FromStr;
use std::sync::Arc;

use ifmatch_core::{Operation, Timestamp};
use ifmatch_meta::{
    Cost, DocKey, DocPrecondition, Document, ETag, Error, Json, Result, TxId, Written,
};
use sqlx::postgres::PgRow;

use super::super::client::Client;
use super::super::queryable;
use super::super::rows::Reader;
use super::landed;
use super::write::{Expect, Stamp, conflict, held, unasked, within_years};

/// Writes one document; `expect` is what `pre` comes to.
pub(super) async fn put(
    client: &Client,
    key: &DocKey,
    (body, etag): (&Json, ETag),
    (pre, expect): (&DocPrecondition, Expect),
    stamp: &Stamp,
    (audit, return_document): (bool, bool),
) -> Result<Written> {
    within_years(stamp.now)?;
    let doc = queryable::rewritten(body)?;
    let (expects, seen) = expect.told();
    let bare = etag.bare();
    let sql = "SELECT schema.put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS answer";
    let statement = || {
        let statement = client.schema.statement(sql).bind(key.partition.as_str());
        let statement = statement.bind(key.id.as_str()).bind(expects).bind(seen.as_deref());
        let statement = statement.bind(bare.as_str()).bind(stamp.now.as_micros());
        let statement = statement.bind(stamp.author.as_deref()).bind(body.as_str());
        statement.bind(doc.as_deref()).bind(audit)
    };
    let put = match client.write(Operation::Put, statement).await {
        Ok(row) => answered(client, key, pre, &row)?,
        Err(lost) => {
            let one = (&[key.id.as_str()][..], &[bare.as_str()][..]);
            let found = landed::look(client, &key.partition, one, lost).await?;
            let (position, replaced) = (found.position, found.has_replaced(expect));
            Put { position, replaced, created: Some(found.created), requests: 2 }
        }
    };
    let document = return_document.then(|| {
        Box::new(Document {
            key: key.clone(),
            etag,
            body: body.clone(),
            created_at: put.created.unwrap_or(stamp.now),
            updated_at: stamp.now,
            updated_by: stamp.author.clone(),
        })
    });
    let sent = key.id.as_str().len() + body.len() + doc.map_or(0, |doc| doc.len());
    let cost = Cost { requests: put.requests, bytes_up: sent as u64, bytes_down: 0 };
    Ok(Written { etag, created: !put.replaced, position: put.position, cost, document })
}

/// A put that was applied.
struct Put {
    position: u64,
    replaced: bool,
    /// When the document that it replaced was created.
    created: Option<Timestamp>,
    requests: u64,
}

fn answered(client: &Client, key: &DocKey, pre: &DocPrecondition, row: &PgRow) -> Result<Put> {
    let fields = Reader::new(client, row).column("answer")?;
    let mut told = Told { client, fields };
    match told.take(ANSWER).as_deref() {
        Some("done") => {}
        Some("conflict") => return Err(conflict(client, key, pre, told.current(key)?.as_ref())),
        Some("locked") => return Err(told.locked(key)?),
        _ => return Err(unasked(client)),
    }
    let replaced = told.take(WAS_ETAG).is_some();
    let created = told.time(WAS_CREATED)?;
    Ok(Put { position: told.there(SEQ)?, replaced, created, requests: 1 })
}

const ANSWER: usize = 0;
const SEQ: usize = 1;
const WAS_ETAG: usize = 2;
const WAS_CREATED: usize = 3;
const WAS_UPDATED: usize = 4;
const WAS_BY: usize = 5;
const WAS_BODY: usize = 6;
const HOLDER: usize = 7;
const REMAINING: usize = 8;

/// What the function answers, in its order; what is not told is null.
struct Told<'a> {
    client: &'a Client,
    fields: Vec<Option<String>>,
}

impl Told<'_> {
    fn take(&mut self, field: usize) -> Option<String> {
        self.fields.get_mut(field)?.take()
    }

    fn read<T: FromStr>(&mut self, field: usize) -> Result<Option<T>> {
        let Some(text) = self.take(field) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.corrupt(&text))
    }

    fn there<T: FromStr>(&mut self, field: usize) -> Result<T> {
        self.read(field)?.ok_or_else(|| self.corrupt("null"))
    }

    fn time(&mut self, field: usize) -> Result<Option<Timestamp>> {
        Ok(self.read(field)?.map(Timestamp::from_micros))
    }

    /// What is there instead of what was expected.
    fn current(&mut self, key: &DocKey) -> Result<Option<Document>> {
        let Some(etag) = self.read(WAS_ETAG)? else { return Ok(None) };
        Ok(Some(Document {
            key: key.clone(),
            etag,
            body: Json::stored(self.take(WAS_BODY).unwrap_or_default()),
            created_at: Timestamp::from_micros(self.there(WAS_CREATED)?),
            updated_at: Timestamp::from_micros(self.there(WAS_UPDATED)?),
            updated_by: self.take(WAS_BY).map(Arc::from),
        }))
    }

    fn locked(&mut self, key: &DocKey) -> Result<Error> {
        let holder = self.take(HOLDER).ok_or_else(|| self.corrupt("null"))?;
        Ok(held(&key.partition, TxId::new(holder)?, self.read(REMAINING)?))
    }

    fn corrupt(&self, what: &str) -> Error {
        Error::corrupt(self.client.subject.clone(), format!("the answer of a put: {what}"))
    }
}
