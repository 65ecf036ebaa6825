//! What is there, as the lock guards it.

use std::collections::BTreeMap;
use std::time::Duration;

use ifmatch_core::Env;

use super::log::StoreLog;
use super::partition::{At, PartitionState};
use super::transactions::Transactions;
use crate::error::{Error, Result};
use crate::key::{DocKey, Partition};
use crate::mark::Mark;

/// How long deletions, changes and outcomes are remembered at least ...
pub(super) const HISTORY_AGE: Duration = Duration::from_hours(7 * 24);
/// ... and how many commits or transactions of them.
pub(super) const HISTORY_COUNT: u64 = 1_000;

/// All partitions, and what spans them.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) partitions: BTreeMap<Partition, PartitionState>,
    /// Documents and graves of all partitions in the order of their newest
    /// states.
    pub(super) feed: StoreLog,
    /// Graves alone, oldest first.
    pub(super) graves: BTreeMap<At, DocKey>,
    /// The newest commit.
    pub(super) newest: u64,
    /// How many documents there are, ours left out.
    pub(super) visible: u64,
    /// Deletions up to here may be forgotten, in whatever partition.
    pub(super) floor: At,
    /// The newest commit of those partitions of which nothing is left.
    pub(super) forgotten: u64,
    /// Where the record of changes begins, if there is one.
    pub(super) audit: Option<At>,
    pub(super) transactions: Transactions,
}

impl State {
    /// Records changes from now on.
    pub(super) fn start_audit(&mut self) {
        if self.audit.is_none() {
            let floor = all_of(self.newest);
            self.audit = Some(floor);
            self.partitions.values_mut().for_each(|state| state.audit_floor = floor);
        }
    }

    /// The state of a partition, made where there is none.
    pub(super) fn partition_mut(&mut self, partition: &Partition) -> &mut PartitionState {
        let floor = all_of(self.forgotten);
        let audit_floor = floor.max(self.audit.unwrap_or_default());
        let newest = self.forgotten;
        self.partitions.entry(partition.clone()).or_insert_with(|| PartitionState {
            newest,
            floor,
            audit_floor,
            ..PartitionState::default()
        })
    }

    /// The newest commit of a partition, as far as anybody remembers.
    pub(super) fn newest_of(&self, partition: &Partition) -> u64 {
        self.partitions.get(partition).map_or(self.forgotten, |state| state.newest)
    }

    /// Which state of a partition this is.
    pub(super) fn mark(&self, store: u128, partition: &Partition) -> Mark {
        Mark::new(format!("m1.{store:032x}.{:x}", self.newest_of(partition)))
    }

    /// Fails while a transaction holds the partition; ends one whose life is
    /// over.
    pub(super) fn check_free(&mut self, partition: &Partition, clock: &Env) -> Result<()> {
        let holder = |state: &Self| state.partitions.get(partition)?.holder.as_ref().map(|_| ());
        if holder(self).is_none() {
            return Ok(());
        }
        let now = clock.now();
        self.settle(partition, now);
        let holder = self.partitions.get(partition).and_then(|state| state.holder.as_ref());
        let Some(holder) = holder else { return Ok(()) };
        Err(Error::PartitionLocked {
            partition: partition.clone(),
            holder: holder.id.clone(),
            remaining: Some(holder.ends.saturating_sub(now)),
        })
    }

    /// Forgets deletions that are old enough, a few at a time, so that forgetting
    /// keeps up with deleting and no write waits for it.
    pub(super) fn trim_graves(&mut self, now: Duration, most: usize) {
        for _ in 0..most {
            let Some((at, key)) = self.graves.first_key_value() else { return };
            let (at, DocKey { partition, id }) = (*at, key.clone());
            let old = at.position + HISTORY_COUNT <= self.newest;
            let Some(state) = self.partitions.get_mut(&partition) else { return };
            let since = state.graves.get(&id).map(|grave| grave.since);
            if !old || since.is_some_and(|since| now.saturating_sub(since) < HISTORY_AGE) {
                return;
            }
            self.graves.remove(&at);
            if let Some(grave) = state.graves.remove(&id) {
                self.feed.remove(at, &grave.hints);
                state.feed.remove(at, &grave.hints);
            }
            state.floor = state.floor.max(at);
            self.floor = self.floor.max(at);
            if state.is_empty() {
                self.forgotten = self.forgotten.max(state.newest);
                self.partitions.remove(&partition);
            }
        }
    }
}

/// The end of a commit; the beginning of everything for commit 0.
pub(super) fn all_of(position: u64) -> At {
    let ordinal = if position == 0 { 0 } else { u32::MAX };
    At { position, ordinal }
}
