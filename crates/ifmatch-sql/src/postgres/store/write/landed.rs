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

use super::super::super::client::Client;
use super::super::super::rows::Reader;
use super::{Answer, Entries};

/// Nobody waits longer for a look.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a row tells of the write that made it.
#[derive(Clone, Copy)]
pub(in super::super::super) struct Landed {
    pub(in super::super) position: u64,
    pub(super) created: Timestamp,
    /// Whether there was a document before. Where the write expected nothing it
    /// is told by its times: they differ, unless it was made in the very
    /// microsecond in which it was replaced.
    pub(super) replaced: bool,
}

/// Looks once, on a new connection, where `lost` says that the outcome of a write
/// is not known; gives `lost` back where it does not find out.
pub(super) async fn look(
    client: &Client,
    partition: &Partition,
    entries: &Entries,
    lost: Error,
) -> Result<Answer> {
    if !matches!(lost, Error::OutcomeUnknown { .. }) {
        return Err(lost);
    }
    let found = find(client, partition, entries).await;
    // Its own failure tells nothing about the write.
    found.ok().flatten().map(Answer::Landed).ok_or(lost)
}

async fn find(client: &Client, partition: &Partition, entries: &Entries) -> Result<Option<Landed>> {
    let minted = entries.ids.iter().zip(&entries.etags);
    let minted = minted.filter_map(|(id, etag)| Some((id.as_str(), etag.as_deref()?)));
    let (ids, etags): (Vec<&str>, Vec<&str>) = minted.unzip();
    if ids.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT id, position, created_at, updated_at FROM schema.documents
        WHERE partition = $1 AND id = ANY ($2) AND etag = ANY ($3) LIMIT 1";
    let statement = client.schema.statement(sql).bind(partition.as_str());
    let statement = statement.bind(&ids[..]).bind(&etags[..]);
    let rows = client.once(statement, PATIENCE.min(client.deadline)).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let reader = Reader::new(client, row);
    let created = reader.time("created_at")?;
    let id: &str = reader.column("id")?;
    let expected = entries.ids.iter().zip(&entries.expect).find(|(of, _)| *of == id);
    let replaced = match expected.map(|(_, expected)| *expected) {
        Some(1) => false,
        Some(2 | 3) => true,
        _ => created != reader.time("updated_at")?,
    };
    Ok(Some(Landed { position: reader.number("position")?, created, replaced }))
}
