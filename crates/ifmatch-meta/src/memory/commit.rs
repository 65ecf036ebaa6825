//! Applying effects: the one way by which anything changes.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, Timestamp};

use super::partition::{At, Grave, PartitionState, Record, size};
use super::state::State;
use crate::audit::{AuditOperation, AuditRecord};
use crate::changes::Tombstone;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::evaluate::Effect;
use crate::key::{DocKey, Partition};

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
        for (ordinal, effect) in (0..).zip(effects) {
            let at = At { position, ordinal };
            let before = take(state, &effect, &mut self.feed, &mut self.graves);
            if self.audit.is_some() {
                state.audit.push_back((told(at, &effect, before.as_deref(), stamp), now));
            }
            let shown = u64::from(!effect.id.is_reserved());
            let shown_in_all = if partition.is_reserved() { 0 } else { shown };
            let key = DocKey { partition: partition.clone(), id: effect.id.clone() };
            if let Some(document) = effect.after {
                if before.is_none() {
                    state.visible += shown;
                    self.visible += shown_in_all;
                }
                state.bytes += size(&document);
                let record = Arc::new(Record { document, at });
                match state.documents.get_mut(&effect.id) {
                    Some(there) => *there = record,
                    None => state.documents.insert_mut(effect.id.clone(), record),
                }
            } else if let Some(before) = before {
                state.visible -= shown;
                self.visible -= shown_in_all;
                state.documents.remove_mut(&effect.id);
                let tombstone = Tombstone {
                    key: key.clone(),
                    deleted_etag: before.document.etag,
                    deleted_at: stamp.time,
                    deleted_by: stamp.author.clone(),
                };
                state.graves.insert(effect.id.clone(), Grave { tombstone, at, since: now });
                self.graves.insert(at, key.clone());
            } else {
                continue; // Nothing was there, and nothing is.
            }
            state.feed.insert(at, effect.id);
            self.feed.insert(at, key);
        }
        state.trim_audit(now, position, 2 * count);
        self.trim_graves(now, 64.max(2 * count));
        Ok(position)
    }
}

/// Takes what is known of a document out of the order of the newest states; the
/// document, where there is one.
fn take(
    state: &mut PartitionState,
    effect: &Effect,
    feed: &mut std::collections::BTreeMap<At, DocKey>,
    graves: &mut std::collections::BTreeMap<At, DocKey>,
) -> Option<Arc<Record>> {
    let before = state.documents.get(&effect.id).cloned();
    let at = if let Some(before) = &before {
        state.bytes = state.bytes.saturating_sub(size(&before.document));
        before.at
    } else {
        let at = state.graves.remove(&effect.id)?.at;
        graves.remove(&at);
        at
    };
    feed.remove(&at);
    state.feed.remove(&at);
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
fn told(at: At, effect: &Effect, before: Option<&Record>, stamp: &Stamp<'_>) -> AuditRecord {
    let after = effect.after.as_ref();
    let previous = before.map(|before| before.document.etag);
    AuditRecord {
        at,
        id: effect.id.clone(),
        etag: after.map(|document| document.etag),
        previous,
        author: after.map_or_else(|| stamp.author.clone(), |after| after.updated_by.clone()),
        time: after.map_or(stamp.time, |document: &Document| document.updated_at),
        operation: match (previous, after) {
            (_, None) => AuditOperation::Deleted,
            (None, Some(_)) => AuditOperation::Created,
            (Some(_), Some(_)) => AuditOperation::Replaced,
        },
    }
}
