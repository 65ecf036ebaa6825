//! What the store in memory keeps for local transactions.

mod backend;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::partition::{Ended, PartitionState};
use super::state::{HISTORY_AGE, HISTORY_COUNT, State};
use crate::error::{Error, Result};
use crate::etag::Nonce;
use crate::key::Partition;
use crate::ops::Cost;
use crate::transaction::{TxAddress, TxId, TxRecord};

/// All transactions that are open or remembered.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Those of one id, oldest first.
    by_id: BTreeMap<TxId, Vec<Incarnation>>,
    /// How many were ever begun: the number of each.
    begun: u64,
}

/// One transaction.
#[derive(Debug)]
struct Incarnation {
    number: u64,
    partition: Partition,
    state: Life,
}

#[derive(Debug)]
enum Life {
    Open { lifetime: Duration, ends: Duration, staged: Vec<Bytes> },
    Committed { position: u64, nonce: Nonce },
    Aborted,
}

impl Transactions {
    fn find(&mut self, address: &TxAddress) -> Option<&mut Incarnation> {
        let found = self.by_id.get_mut(&address.id)?.iter_mut();
        let mut found = found.filter(|found| found.number == address.incarnation);
        found.find(|found| found.partition == address.partition)
    }

    fn newest(&self, id: &TxId) -> Option<&Incarnation> {
        self.by_id.get(id)?.last()
    }

    fn forget(&mut self, ended: &Ended) {
        if let Some(found) = self.by_id.get_mut(&ended.id) {
            found.retain(|incarnation| incarnation.number != ended.incarnation);
            if found.is_empty() {
                self.by_id.remove(&ended.id);
            }
        }
    }
}

impl Incarnation {
    /// The record of an open one.
    fn record(&self, id: &TxId, now: Duration) -> Option<TxRecord> {
        let Life::Open { lifetime, ends, staged } = &self.state else { return None };
        let (id, partition) = (id.clone(), self.partition.clone());
        Some(TxRecord {
            address: TxAddress { id, partition, incarnation: self.number },
            lifetime: *lifetime,
            remaining: ends.saturating_sub(now),
            staged: staged.len() as u64,
            cost: Cost::default(),
        })
    }
}

impl State {
    /// Ends the transaction that holds a partition if its life is over.
    pub(super) fn settle(&mut self, partition: &Partition, now: Duration) {
        let Some(state) = self.partitions.get(partition) else { return };
        if let Some(holder) = state.holder.as_ref().filter(|holder| holder.ends <= now) {
            let (id, incarnation) = (holder.id.clone(), holder.incarnation);
            let address = TxAddress { id, partition: partition.clone(), incarnation };
            self.end(&address, Life::Aborted, now);
        }
    }

    /// The same by its id.
    fn settle_by_id(&mut self, id: &TxId, now: Duration) {
        let newest = self.transactions.newest(id).map(|newest| newest.partition.clone());
        if let Some(partition) = newest {
            self.settle(&partition, now);
        }
    }

    /// Ends an open transaction; forgets those that ended long ago.
    fn end(&mut self, address: &TxAddress, how: Life, now: Duration) {
        let Some(found) = self.transactions.find(address) else { return };
        found.state = how;
        let Some(state) = self.partitions.get_mut(&address.partition) else { return };
        state.holder = None;
        let (id, incarnation) = (address.id.clone(), address.incarnation);
        state.ended.push_back(Ended { id, incarnation, since: now });
        while let Some(ended) = forgettable(state, now) {
            self.transactions.forget(&ended);
        }
    }

    /// The open transaction of this address.
    fn open(&mut self, address: &TxAddress, now: Duration) -> Result<&mut Vec<Bytes>> {
        self.settle(&address.partition, now);
        match self.transactions.find(address).map(|found| &mut found.state) {
            Some(Life::Open { staged, .. }) => Ok(staged),
            other => Err(over(&address.id, other.as_deref())),
        }
    }
}

/// Takes an outcome out that need not be remembered any longer.
fn forgettable(state: &mut PartitionState, now: Duration) -> Option<Ended> {
    let oldest = state.ended.front()?;
    let old = now.saturating_sub(oldest.since) >= HISTORY_AGE;
    if old && state.ended.len() as u64 > HISTORY_COUNT { state.ended.pop_front() } else { None }
}

/// The error of a transaction that is not open any more.
fn over(id: &TxId, life: Option<&Life>) -> Error {
    let what: Arc<str> = match life {
        Some(Life::Committed { .. }) => "it was committed".into(),
        Some(_) => "it was aborted, or its life is over".into(),
        None => "nothing is known of it".into(),
    };
    Error::Expired { id: id.clone(), what }
}
