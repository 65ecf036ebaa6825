//! What became of a write whose connection was lost.
//!
//! A write is one statement: all of its entries are applied, or none. Each
//! document that it puts carries a tag that was minted for it and is never used
//! again. So one look proves one thing: where one of these documents is there
//! with its tag, the write was committed, as a whole. Nothing proves the
//! contrary: the server may still run the statement, or somebody has written or
//! deleted those documents since. Then it stays unknown, as does a write that
//! only deletes.

use std::time::Duration;

use ifmatch_core::Timestamp;
use ifmatch_meta::{Error, Partition, Result};

use super::super::client::Client;
use super::super::rows::Reader;
use super::write::Expect;

/// Nobody waits longer for a look.
const PATIENCE: Duration = Duration::from_secs(5);

/// A document that the write has put.
#[derive(Clone, Copy)]
pub(in super::super) struct Landed {
    pub(super) position: u64,
    pub(super) created: Timestamp,
    updated: Timestamp,
}

impl Landed {
    /// Whether there was a document before. Where the write expected nothing it
    /// is told by the times: they differ, unless it was made in the very
    /// microsecond in which it was replaced.
    pub(super) fn has_replaced(&self, expect: Expect) -> bool {
        match expect {
            Expect::Absent => false,
            Expect::Present | Expect::Tag(_) => true,
            Expect::Anything => self.created != self.updated,
        }
    }
}

/// Looks once, on a new connection, where `lost` says that the outcome of a write
/// is not known, which would have put documents with tags minted for it; gives
/// `lost` back where it does not find out.
pub(super) async fn look(
    client: &Client,
    partition: &Partition,
    (ids, etags): (&[&str], &[&str]),
    lost: Error,
) -> Result<Landed> {
    if !matches!(lost, Error::OutcomeUnknown { .. }) || ids.is_empty() {
        return Err(lost);
    }
    // Its own failure tells nothing about the write.
    find(client, partition, ids, etags).await.ok().flatten().ok_or(lost)
}

async fn find(
    client: &Client,
    partition: &Partition,
    ids: &[&str],
    etags: &[&str],
) -> Result<Option<Landed>> {
    let sql = "SELECT position, created_at, updated_at FROM schema.documents
        WHERE partition = $1 AND id = ANY ($2) AND etag = ANY ($3) LIMIT 1";
    let statement = client.schema.statement(sql).bind(partition.as_str());
    let statement = statement.bind(ids).bind(etags);
    let rows = client.once(statement, PATIENCE.min(client.deadline)).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let reader = Reader::new(client, row);
    let (created, updated) = (reader.time("created_at")?, reader.time("updated_at")?);
    Ok(Some(Landed { position: reader.number("position")?, created, updated }))
}
