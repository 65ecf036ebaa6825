//! Applying effects: the one way by which anything changes.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, Timestamp};

use super::log::{Hints, Placed};
use super::partition::{At, Grave, PartitionState, Record, size};
use super::state::State;
use crate::audit::{AuditOperation, AuditRecord};
use crate::changes::Tombstone;
use crate::error::{Error, Result};
use crate::evaluate::Effect;
use crate::key::{DocId, Partition};

/// Who commits, and when.
pub(super) struct Stamp<'a> {
    pub(super) time: Timestamp,
    pub(super) author: Option<Arc<str>>,
    pub(super) clock: &'a Env,
    /// Largest partition, in bytes.
    pub(super) largest: usize,
}

impl State {
    /// Applies effects that were evaluated under this lock, in order; the number
    /// of the commit.
    ///
    /// # Errors
    /// `TooLarge` where the partition would outgrow its limit; nothing was
    /// applied.
    pub(super) fn commit(
        &mut self,
        partition: &Partition,
        effects: Vec<Effect>,
        stamp: &Stamp<'_>,
    ) -> Result<u64> {
        if !self.partitions.contains_key(partition) {
            self.partition_mut(partition);
        }
        let Some(state) = self.partitions.get_mut(partition) else { return Ok(self.newest) };
        check_room(partition, state, &effects, stamp.largest)?;
        let dated = self.audit.is_some() || effects.iter().any(|effect| effect.after.is_none());
        let now = if dated || !self.graves.is_empty() { stamp.clock.now() } else { Duration::ZERO };
        self.newest += 1;
        let position = self.newest;
        state.newest = position;
        let count = effects.len();
        for (ordinal, Effect { id, after, .. }) in (0..).zip(effects) {
            let at = At { position, ordinal };
            let after =
                after.map(|document| Arc::new(Record { document, at, hints: Hints::default() }));
            let before = replace(state, &id, after.as_ref());
            if self.audit.is_some() {
                let told = told(at, &id, before.as_deref(), after.as_deref(), stamp);
                state.audit.push_back((told, now));
            }
            if let Some(before) = &before {
                state.feed.remove(before.at, &before.hints);
                self.feed.remove(before.at, &before.hints);
            } else if let Some(grave) = state.graves.remove(&id) {
                state.feed.remove(grave.at, &grave.hints);
                self.feed.remove(grave.at, &grave.hints);
                self.graves.remove(&grave.at);
            }
            let shown = u64::from(!id.is_reserved());
            let shown_in_all = if partition.is_reserved() { 0 } else { shown };
            state.visible += u64::from(after.is_some()) * shown;
            state.visible -= u64::from(before.is_some()) * shown;
            self.visible += u64::from(after.is_some()) * shown_in_all;
            self.visible -= u64::from(before.is_some()) * shown_in_all;
            let placed = if let Some(after) = after {
                Placed::Written(after)
            } else {
                let Some(before) = before else { continue }; // Nothing was there, and nothing is.
                let key = before.document.key.clone();
                let tombstone = Tombstone {
                    key: key.clone(),
                    deleted_etag: before.document.etag,
                    deleted_at: stamp.time,
                    deleted_by: stamp.author.clone(),
                };
                let grave = Arc::new(Grave { tombstone, at, hints: Hints::default(), since: now });
                state.graves.insert(id, Arc::clone(&grave));
                self.graves.insert(at, key);
                Placed::Deleted(grave)
            };
            state.feed.push(at, placed.clone());
            self.feed.push(at, placed);
        }
        state.trim_audit(now, position, 2 * count);
        self.trim_graves(now, 64.max(2 * count));
        Ok(position)
    }
}

/// Puts a state in the place of another; the other.
fn replace(
    state: &mut PartitionState,
    id: &DocId,
    after: Option<&Arc<Record>>,
) -> Option<Arc<Record>> {
    state.bytes += after.map_or(0, |record| size(&record.document));
    let before = state.documents.replace(id, after.cloned());
    state.bytes -= before.as_ref().map_or(0, |record| size(&record.document));
    before
}

/// Whether there is room for the effects. What makes a partition smaller is
/// never refused.
fn check_room(
    partition: &Partition,
    state: &PartitionState,
    effects: &[Effect],
    largest: usize,
) -> Result<()> {
    let after: usize = effects.iter().filter_map(|effect| effect.after.as_ref()).map(size).sum();
    if state.bytes + after <= largest {
        return Ok(());
    }
    let there =
        |effect: &Effect| state.documents.get(&effect.id).map(|there| size(&there.document));
    let before: usize = effects.iter().filter_map(there).sum();
    let size = state.bytes.saturating_sub(before) + after;
    if size > largest && after > before {
        return Err(Error::too_large(format!("partition {partition}"), size, largest));
    }
    Ok(())
}

/// The record of an effect.
fn told(
    at: At,
    id: &DocId,
    before: Option<&Record>,
    after: Option<&Record>,
    stamp: &Stamp<'_>,
) -> AuditRecord {
    let after = after.map(|record| &record.document);
    let previous = before.map(|before| before.document.etag);
    AuditRecord {
        at,
        id: id.clone(),
        etag: after.map(|document| document.etag),
        previous,
        author: after.map_or_else(|| stamp.author.clone(), |after| after.updated_by.clone()),
        time: after.map_or(stamp.time, |document| document.updated_at),
        operation: match (previous, after) {
            (_, None) => AuditOperation::Deleted,
            (None, Some(_)) => AuditOperation::Created,
            (Some(_), Some(_)) => AuditOperation::Replaced,
        },
    }
}
