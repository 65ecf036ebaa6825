//! The record of changes.

use std::time::Duration;

use super::partition::PartitionState;
use super::state::{HISTORY_AGE, HISTORY_COUNT, State, all_of};
use crate::audit::{AuditPosition, AuditRecord};
use crate::error::{Error, Result};
use crate::key::Partition;

impl PartitionState {
    /// Forgets changes that are old enough, a few at a time.
    pub(super) fn trim_audit(&mut self, now: Duration, newest: u64, most: usize) {
        for _ in 0..most {
            let Some((record, since)) = self.audit.front() else { return };
            let old = record.at.position + HISTORY_COUNT <= newest;
            if !old || now.saturating_sub(*since) < HISTORY_AGE {
                return;
            }
            self.audit_floor = self.audit_floor.max(record.at);
            self.audit.pop_front();
        }
    }
}

impl State {
    /// The changes of a partition after a place in its record.
    pub(super) fn changes_recorded(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        let Some(begun) = self.audit else {
            return Err(Error::unsupported("a record of changes: open the store with audit on"));
        };
        let state = self.partitions.get(partition);
        let floor = state.map_or(begun.max(all_of(self.forgotten)), |state| state.audit_floor);
        if after.is_some_and(|after| after < floor) {
            let what = format!("the record of partition {partition} begins later");
            return Err(Error::TokenExpired { what: what.into() });
        }
        let Some(state) = state else { return Ok(Vec::new()) };
        let first =
            after.map_or(0, |after| state.audit.partition_point(|(record, _)| record.at <= after));
        let records = state.audit.range(first..).map(|(record, _)| record.clone());
        Ok(records.take(limit.max(1)).collect())
    }
}
