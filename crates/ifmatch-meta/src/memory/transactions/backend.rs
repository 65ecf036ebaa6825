//! The trait.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Incarnation, Life, over};
use crate::error::{Error, Result};
use crate::evaluate::Effect;
use crate::key::Partition;
use crate::memory::MemoryMetaStore;
use crate::memory::partition::Holder;
use crate::memory::state::State;
use crate::ops::{Cost, WriteOptions};
use crate::transaction::{TxAddress, TxBackend, TxCommit, TxId, TxOutcome, TxRecord};

/// The longest life.
const LONGEST: Duration = Duration::from_mins(1);

#[async_trait]
impl TxBackend for MemoryMetaStore {
    async fn begin(
        &self,
        partition: &Partition,
        id: &TxId,
        lifetime: Duration,
    ) -> Result<TxRecord> {
        let mut state = self.state()?;
        if !self.0.options.features.transactions {
            let what = "local transactions: open the store with transactions on";
            return Err(Error::unsupported(what));
        }
        if lifetime.is_zero() || lifetime > LONGEST {
            let what = format!("a life of {lifetime:?}: at most {LONGEST:?}, and not none");
            return Err(Error::invalid(what));
        }
        let clock = &self.0.data.clock;
        let now = clock.now();
        state.settle_by_id(id, now);
        if let Some(open) = state.transactions.newest(id).and_then(|open| open.record(id, now)) {
            if open.address.partition == *partition {
                return Ok(open);
            }
            let there = &open.address.partition;
            return Err(Error::invalid(format!("transaction {id} is open in partition {there}")));
        }
        state.check_free(partition, clock)?;
        state.transactions.begun += 1;
        let (number, ends) = (state.transactions.begun, now + lifetime);
        let holder = Holder { id: id.clone(), incarnation: number, ends };
        state.partition_mut(partition).holder = Some(holder);
        let life = Life::Open { lifetime, ends, staged: Vec::new() };
        let begun = Incarnation { number, partition: partition.clone(), state: life };
        let record = begun.record(id, now);
        state.transactions.by_id.entry(id.clone()).or_default().push(begun);
        record.ok_or_else(|| over(id, None))
    }

    async fn find(&self, id: &TxId) -> Result<Option<TxRecord>> {
        let mut state = self.state()?;
        let now = self.0.data.clock.now();
        state.settle_by_id(id, now);
        Ok(state.transactions.newest(id).and_then(|newest| newest.record(id, now)))
    }

    async fn stage(&self, address: &TxAddress, number: u64, piece: Bytes) -> Result<Cost> {
        let mut state = self.state()?;
        let staged = state.open(address, self.0.data.clock.now())?;
        let next = staged.len() as u64;
        if number < next {
            return Err(busy(&address.id, "another handle went on with it"));
        }
        if number > next {
            return Err(Error::invalid(format!("piece {number} of a transaction with {next}")));
        }
        staged.push(piece);
        Ok(Cost::default())
    }

    async fn staged(&self, address: &TxAddress) -> Result<Vec<Bytes>> {
        let mut state = self.state()?;
        Ok(state.open(address, self.0.data.clock.now())?.clone())
    }

    async fn commit(&self, address: &TxAddress, commit: TxCommit) -> Result<(u64, Cost)> {
        let data = &self.0.data;
        let mut state = self.state()?;
        if let Some(Life::Committed { position, nonce }) =
            state.transactions.find(address).map(|found| &found.state)
        {
            if *nonce == commit.nonce {
                return Ok((*position, Cost::default()));
            }
            return Err(busy(&address.id, "another handle committed it"));
        }
        let now = data.clock.now();
        if state.open(address, now)?.len() as u64 != commit.staged {
            return Err(busy(&address.id, "another handle went on with it"));
        }
        if commit.effects.is_empty() {
            return Err(Error::invalid("a commit without effects: abort it"));
        }
        if let Some(effect) = commit.effects.iter().find(|effect| !holds(&state, address, effect)) {
            let what = format!("{} is not what it was when it began", effect.id);
            return Err(Error::Expired { id: address.id.clone(), what: what.into() });
        }
        let mut options = WriteOptions::default();
        options.author.clone_from(&commit.author);
        let stamp = self.stamp(self.0.options.env.wall_clock(), &options);
        let position = state.commit(&address.partition, commit.effects, &stamp)?;
        state.end(address, Life::Committed { position, nonce: commit.nonce }, now);
        drop(state);
        data.changed.notify_waiters();
        Ok((position, Cost::default()))
    }

    async fn abort(&self, address: &TxAddress) -> Result<Cost> {
        let mut state = self.state()?;
        let now = self.0.data.clock.now();
        state.settle(&address.partition, now);
        match state.transactions.find(address).map(|found| &found.state) {
            Some(Life::Open { .. }) => state.end(address, Life::Aborted, now),
            Some(Life::Aborted) => {}
            other => return Err(over(&address.id, other)),
        }
        Ok(Cost::default())
    }

    async fn outcome(&self, id: &TxId, incarnation: Option<u64>) -> Result<TxOutcome> {
        let mut state = self.state()?;
        state.settle_by_id(id, self.0.data.clock.now());
        let known = state.transactions.by_id.get(id);
        let found = known.and_then(|known| match incarnation {
            None => known.last(),
            Some(number) => known.iter().find(|found| found.number == number),
        });
        Ok(match found.map(|found| &found.state) {
            Some(Life::Open { .. }) => TxOutcome::Open,
            Some(Life::Committed { position, nonce }) => {
                TxOutcome::Committed { position: *position, nonce: *nonce }
            }
            Some(Life::Aborted) => TxOutcome::Aborted,
            None => TxOutcome::Forgotten,
        })
    }
}

/// Whether what is there is what an effect was derived from.
fn holds(state: &State, address: &TxAddress, effect: &Effect) -> bool {
    let partition = state.partitions.get(&address.partition);
    let there = partition.and_then(|partition| partition.documents.get(&effect.id));
    there.map(|there| there.document.etag) == effect.before
}

fn busy(id: &TxId, what: &str) -> Error {
    Error::Busy { id: id.clone(), what: what.into() }
}
