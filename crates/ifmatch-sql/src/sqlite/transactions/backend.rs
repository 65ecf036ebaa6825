//! What the store does for local transactions.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ifmatch_meta::{
    Cost, Error, Partition, Result, TxAddress, TxBackend, TxCommit, TxId, TxOutcome, TxRecord,
};

use super::work::{self, Found};
use crate::sqlite::SqliteMetaStore;
use crate::sqlite::rows::Signature;

/// Longest life.
const LONGEST: Duration = Duration::from_mins(1);

#[async_trait]
impl TxBackend for SqliteMetaStore {
    async fn begin(
        &self,
        partition: &Partition,
        id: &TxId,
        lifetime: Duration,
    ) -> Result<TxRecord> {
        if !self.options().transactions {
            let what = "local transactions: open the store with transactions=on";
            return Err(Error::unsupported(what));
        }
        if lifetime.is_zero() || lifetime > LONGEST {
            let what = format!("a transaction that lives {lifetime:?}: at most {LONGEST:?}");
            return Err(Error::invalid(what));
        }
        let (partition, id, env) = (partition.clone(), id.clone(), self.clock());
        let work = move |connection: &_| work::begin(connection, &partition, &id, lifetime, &env);
        self.local().write(work).await
    }

    async fn find(&self, id: &TxId) -> Result<Option<TxRecord>> {
        let (named, env) = (id.clone(), self.clock());
        let found = self.local().read(|connection| work::find(connection, &named, &env)).await?;
        let Found::Over = found else { return Ok(found.open()) };
        self.local().write(move |connection| work::bury(connection, &named, &env)).await?;
        Ok(None)
    }

    async fn stage(&self, address: &TxAddress, number: u64, piece: Bytes) -> Result<Cost> {
        let (address, env) = (address.clone(), self.clock());
        let work = move |connection: &_| work::stage(connection, &address, number, &piece, &env);
        self.local().write(work).await?.map(|()| Cost::default())
    }

    async fn staged(&self, address: &TxAddress) -> Result<Vec<Bytes>> {
        let (address, env) = (address.clone(), self.clock());
        self.local().read_long(move |connection| work::staged(connection, &address, &env)).await
    }

    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)> {
        let (address, env) = (address.clone(), self.clock());
        let (author, audit) = (self.options().author.clone(), self.options().audit);
        let work = move |connection: &_| {
            let author = commit.author.clone().or(author);
            let signature = Signature { now: env.wall_clock(), author, audit };
            work::apply(connection, &address, &commit, &signature)
        };
        let position = self.local().write(work).await??;
        self.notify();
        Ok((position, Cost::default()))
    }

    async fn abort(&self, address: &TxAddress) -> Result<Cost> {
        let (address, env) = (address.clone(), self.clock());
        let work = move |connection: &_| work::abort(connection, &address, &env);
        self.local().write(work).await.map(|()| Cost::default())
    }

    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome> {
        let (id, env) = (id.clone(), self.clock());
        let read = |connection: &_| work::outcome_of(connection, &id, incarnation, &env);
        if let Some(outcome) = self.local().read(read).await? {
            return Ok(outcome);
        }
        // Its life is over: that it will never commit must be written down
        // before it is said.
        let work = move |connection: &_| {
            work::bury(connection, &id, &env)?;
            work::outcome_of(connection, &id, incarnation, &env)
        };
        Ok(self.local().write(work).await?.unwrap_or(TxOutcome::Forgotten))
    }
}
