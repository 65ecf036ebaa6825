//! What local transactions stand on: one row for each, and functions that take
//! the partition whole.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ifmatch_core::Operation;
use ifmatch_meta::{
    Cost, Error, Nonce, Partition, Result, TxAddress, TxBackend, TxCommit, TxId, TxOutcome,
    TxRecord,
};

use super::client::Client;
use super::rows::Reader;
use super::store::PostgresMetaStore;
use super::store::write::{Entries, Expect, Stamp, locked};

const ONE: Cost = Cost { requests: 1, bytes_up: 0, bytes_down: 0 };

#[async_trait]
impl TxBackend for PostgresMetaStore {
    async fn begin(
        &self,
        partition: &Partition,
        id: &TxId,
        lifetime: Duration,
    ) -> Result<TxRecord> {
        if !self.inner.options.transactions {
            return Err(Error::unsupported("local transactions: open the store with them on"));
        }
        let client = &self.inner.client;
        let sql = "SELECT * FROM schema.begin_tx($1, $2, $3)";
        let micros = i64::try_from(lifetime.as_micros()).unwrap_or(i64::MAX);
        let row = client.write(Operation::Put, || {
            let statement = client.schema.statement(sql).bind(partition.as_str());
            statement.bind(id.as_str()).bind(micros)
        });
        let row = row.await?;
        let reader = Reader::new(client, &row);
        match reader.column::<&str>("answer")? {
            "begun" | "open" => {
                let id = id.clone();
                let incarnation = reader.number("incarnation")?;
                Ok(TxRecord {
                    address: TxAddress { id, partition: partition.clone(), incarnation },
                    lifetime: Duration::from_micros(reader.number("lifetime")?),
                    remaining: Duration::from_micros(reader.number("remaining")?),
                    staged: reader.number("pieces")?,
                    cost: ONE,
                })
            }
            "elsewhere" => Err(Error::invalid(format!(
                "transaction {id} is open in another partition than {partition}"
            ))),
            "locked" => Err(locked(&reader, partition)?),
            other => Err(reader.corrupt(&format!("the answer {other:?}"))),
        }
    }

    async fn find(&self, id: &TxId) -> Result<Option<TxRecord>> {
        let client = &self.inner.client;
        let sql = "SELECT t.partition, t.incarnation, t.lifetime,
                ceil(extract(epoch FROM t.ends_at - clock_timestamp()) * 1000000)::bigint
                    AS remaining,
                (SELECT count(*) FROM schema.staged s
                    WHERE s.id = t.id AND s.incarnation = t.incarnation) AS pieces
            FROM schema.transactions t
            WHERE t.id = $1 AND t.state = 0 AND clock_timestamp() < t.ends_at";
        let rows = client.read(|| client.schema.statement(sql).bind(id.as_str())).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let reader = Reader::new(client, row);
        let (partition, incarnation) = (reader.partition()?, reader.number("incarnation")?);
        let remaining: i64 = reader.column("remaining")?;
        Ok(Some(TxRecord {
            address: TxAddress { id: id.clone(), partition, incarnation },
            lifetime: Duration::from_micros(reader.number("lifetime")?),
            remaining: Duration::from_micros(u64::try_from(remaining).unwrap_or(0)),
            staged: reader.number("pieces")?,
            cost: ONE,
        }))
    }

    async fn stage(&self, address: &TxAddress, number: u64, piece: Bytes) -> Result<Cost> {
        let client = &self.inner.client;
        let sql = "SELECT schema.stage_tx($1, $2, $3, $4, $5) AS answer";
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let row = client.write(Operation::Put, || {
            let statement = client.schema.statement(sql).bind(address.partition.as_str());
            let statement = statement.bind(address.id.as_str()).bind(incarnation(address));
            statement.bind(number).bind(&piece[..])
        });
        let row = row.await?;
        match Reader::new(client, &row).column::<&str>("answer")? {
            "done" => Ok(Cost { bytes_up: piece.len() as u64, ..ONE }),
            "busy" => Err(busy(&address.id, "another handle has staged writes meanwhile")),
            "gap" => Err(Error::invalid(format!("piece {number} comes before earlier ones"))),
            _ => Err(over(&address.id, "its life is over, or it has ended")),
        }
    }

    async fn staged(&self, address: &TxAddress) -> Result<Vec<Bytes>> {
        let client = &self.inner.client;
        let sql = "SELECT s.piece FROM schema.transactions t LEFT JOIN schema.staged s
                ON s.id = t.id AND s.incarnation = t.incarnation
            WHERE t.id = $1 AND t.incarnation = $2 AND t.partition = $3 AND t.state = 0
                AND clock_timestamp() < t.ends_at ORDER BY s.number";
        let rows = client.read(|| {
            let statement = client.schema.statement(sql).bind(address.id.as_str());
            statement.bind(incarnation(address)).bind(address.partition.as_str())
        });
        let rows = rows.await?;
        if rows.is_empty() {
            return Err(over(&address.id, "its life is over, or it has ended"));
        }
        let mut pieces = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(piece) = Reader::new(client, row).column::<Option<&[u8]>>("piece")? {
                pieces.push(Bytes::copy_from_slice(piece));
            }
        }
        Ok(pieces)
    }

    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)> {
        let client = &self.inner.client;
        let sql = "SELECT * FROM schema.commit_tx(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        if commit.effects.is_empty() {
            return Err(Error::invalid("a commit without effects: abort it"));
        }
        let entries = entries(self, &commit)?;
        let nonce = commit.nonce.to_string();
        let staged = i64::try_from(commit.staged).unwrap_or(i64::MAX);
        let row = client.write(Operation::Put, || {
            let statement = client.schema.statement(sql).bind(address.id.as_str());
            let statement = statement.bind(incarnation(address)).bind(nonce.as_str()).bind(staged);
            let statement = statement.bind(address.partition.as_str());
            entries.bind(statement).bind(self.inner.options.audit)
        });
        let row = row.await?;
        let reader = Reader::new(client, &row);
        let id = &address.id;
        match reader.column::<&str>("answer")? {
            "done" => Ok((reader.number("seq")?, Cost { bytes_up: entries.bytes(), ..ONE })),
            "busy" => Err(busy(id, "another handle has staged writes meanwhile")),
            "committed" => Err(busy(id, "another handle has committed it")),
            "overrun" => Err(over(id, "its partition was changed in spite of it")),
            "forgotten" => Err(over(id, "nothing is known of it")),
            "expired" => Err(over(id, "it was aborted, or its life is over")),
            other => Err(reader.corrupt(&format!("the answer {other:?}"))),
        }
    }

    async fn abort(&self, address: &TxAddress) -> Result<Cost> {
        let client = &self.inner.client;
        let sql = "SELECT schema.abort_tx($1, $2, $3) AS answer";
        let row = client.write(Operation::Delete, || {
            let statement = client.schema.statement(sql).bind(address.partition.as_str());
            statement.bind(address.id.as_str()).bind(incarnation(address))
        });
        let row = row.await?;
        match Reader::new(client, &row).column::<&str>("answer")? {
            "done" => Ok(ONE),
            "committed" => Err(over(&address.id, "it was committed")),
            _ => Err(over(&address.id, "nothing is known of it")),
        }
    }

    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome> {
        let client = &self.inner.client;
        for _ in 0..2 {
            let Some(found) = look(client, id, incarnation).await? else {
                return Ok(TxOutcome::Forgotten);
            };
            match found {
                Found::Known(outcome) => return Ok(outcome),
                // Its commit may be under way all the same, until it is ended.
                Found::Over(partition) => expire(client, &partition).await?,
            }
        }
        Ok(TxOutcome::Open) // Begun anew meanwhile.
    }
}

enum Found {
    Known(TxOutcome),
    /// Open, but its life is over.
    Over(Partition),
}

async fn look(client: &Client, id: &TxId, incarnation: Option<u64>) -> Result<Option<Found>> {
    let sql = "SELECT partition, state::integer AS state, position, nonce,
            clock_timestamp() >= ends_at AS over
        FROM schema.transactions WHERE id = $1 AND incarnation = coalesce($2, incarnation)
        ORDER BY incarnation DESC LIMIT 1";
    let incarnation = incarnation.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let rows = client.read(|| client.schema.statement(sql).bind(id.as_str()).bind(incarnation));
    let rows = rows.await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let reader = Reader::new(client, row);
    Ok(Some(match reader.column::<i32>("state")? {
        0 if reader.column("over")? => Found::Over(reader.partition()?),
        0 => Found::Known(TxOutcome::Open),
        1 => {
            let nonce: &str = reader.column("nonce")?;
            let nonce: Nonce = nonce.parse().map_err(|_| reader.corrupt("a nonce that is none"))?;
            Found::Known(TxOutcome::Committed { position: reader.number("position")?, nonce })
        }
        _ => Found::Known(TxOutcome::Aborted),
    }))
}

async fn expire(client: &Client, partition: &Partition) -> Result<()> {
    let sql = "SELECT schema.expire_tx($1)";
    let statement = || client.schema.statement(sql).bind(partition.as_str());
    // Nothing is lost where its outcome stays unknown: it is asked for again.
    client.read(statement).await.map(drop)
}

fn entries(store: &PostgresMetaStore, commit: &TxCommit) -> Result<Entries> {
    let mut entries = Entries::default();
    let mut seen = BTreeSet::new();
    // What is deleted carries no stamp of its own.
    let options = &store.inner.options;
    let deleting = Stamp { now: options.env.wall_clock(), author: options.author.clone() };
    for effect in &commit.effects {
        if !seen.insert(&effect.id) {
            return Err(Error::invalid("a commit that names a document twice"));
        }
        let expect = effect.before.map_or(Expect::Absent, Expect::Tag);
        match &effect.after {
            Some(document) => {
                let stamp = Stamp { now: document.updated_at, author: document.updated_by.clone() };
                let (state, created) = ((document.etag, &document.body), document.created_at);
                entries.put(effect.id.as_str(), expect, state, Some(created), &stamp)?;
            }
            None => entries.delete(effect.id.as_str(), expect, &deleting),
        }
    }
    Ok(entries)
}

fn incarnation(address: &TxAddress) -> i64 {
    i64::try_from(address.incarnation).unwrap_or(i64::MAX)
}

fn busy(id: &TxId, what: &'static str) -> Error {
    Error::Busy { id: id.clone(), what: what.into() }
}

fn over(id: &TxId, what: &'static str) -> Error {
    Error::Expired { id: id.clone(), what: what.into() }
}
