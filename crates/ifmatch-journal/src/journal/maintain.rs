//! Preparing maintenance: checkpoints bound what a new reader reads, merges
//! bound the head between them, and history keeps every older reference.

use std::sync::Arc;

use super::engine::Engine;
use super::fold::{Change, Fold};
use super::objects::Uploaded;
use super::session::Base;
use crate::error::Result;
use crate::head::Head;
use crate::id::Nonce;
use crate::machine::Machine;
use crate::object::{
    CheckpointRef, Folder, History, HistoryRef, INLINE_PARTS, Item, PartRef, Parts, Sealed,
    SegmentRef, content_of, seal_index, seal_part, seal_segment,
};
use crate::zoo::{Bug, planted};

/// Segments that a head may name before maintenance is due.
const MAX_SEGMENTS: usize = 8;
/// A checkpoint is due once the segments since the last hold more than this part
/// of it.
const QUARTER: u64 = 4;
/// Parts that are held in memory before they are written.
const PARTS_AT_ONCE: usize = 8;
/// Drops that stay in the head.
const MAX_DROPS: usize = 32;

impl<M: Machine> Engine<M> {
    pub(crate) fn is_maintenance_due(&self) -> bool {
        self.session.base().head.segments.len() > MAX_SEGMENTS
    }

    /// Prepares what is due for the next commit. What fails is tried again after
    /// a later commit.
    pub(crate) async fn prepare_maintenance(&self) {
        let base = self.session.base();
        let prepared = if is_checkpoint_due(&base.head) {
            self.prepare_checkpoint(&base).await.map(Some)
        } else {
            self.prepare_merge(&base.head).await
        };
        match prepared {
            Ok(Some(fold)) => {
                self.notes().fold = Some(fold);
                self.queue.nudge();
            }
            Ok(None) => {}
            Err(_) => self.stats.maintenance_failed.add(1),
        }
    }

    /// A checkpoint of the base: what changed since the one before is written,
    /// the rest is referred to.
    pub(crate) async fn prepare_checkpoint(&self, base: &Arc<Base<M::State>>) -> Result<Fold> {
        let head = &base.head;
        let before = match &head.checkpoint {
            Some(checkpoint) => self.objects.part_refs(checkpoint).await?,
            None => Vec::new(),
        };
        let (parts, size, mut uploaded) = self.write_parts(&base.state, &before).await?;
        let parts = if parts.len() > INLINE_PARTS {
            let index = self.objects.write(seal_index(self.nonce(), &parts)?).await?;
            uploaded.push(index);
            Parts::Indexed(index.object)
        } else {
            Parts::Inline(parts)
        };
        let seq = head.seq + u64::from(planted(Bug::CheckpointAhead));
        let after = CheckpointRef { seq, size, parts };
        let (history, shelved, written) = self.write_history(head).await?;
        uploaded.extend(written);
        let dropped = head.history.iter().map(|old| (Folder::History, old.object.id)).collect();
        let (before, history_before) = (head.checkpoint.clone(), head.history);
        let moved = head.segments.clone();
        let change = Change::Checkpoint { before, after, moved, history_before, history, shelved };
        Ok(Fold { change, uploaded, dropped })
    }

    async fn write_parts(
        &self,
        state: &M::State,
        before: &[PartRef],
    ) -> Result<(Vec<PartRef>, u64, Vec<Uploaded>)> {
        let (mut parts, mut uploaded, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        let mut size = 0;
        for plain in self.machine.parts(state) {
            size += plain.len() as u64;
            let content = content_of(&plain);
            if let Some(kept) = before.iter().find(|part| part.content == content) {
                parts.push(*kept);
                continue;
            }
            let (part, sealed) = seal_part(self.nonce(), &plain)?;
            parts.push(part);
            waiting.push(sealed);
            if waiting.len() >= PARTS_AT_ONCE {
                uploaded.extend(self.objects.write_all(std::mem::take(&mut waiting)).await?);
            }
        }
        uploaded.extend(self.objects.write_all(waiting).await?);
        Ok((parts, size, uploaded))
    }

    /// History with the head's segments, its checkpoint and its older drops.
    async fn write_history(
        &self,
        head: &Head,
    ) -> Result<(HistoryRef, Vec<crate::object::ObjectId>, Vec<Uploaded>)> {
        let mut history = match head.history {
            Some(history) => self.objects.history(&history.object).await?,
            None => History::new(),
        };
        if let Some(checkpoint) = &head.checkpoint {
            history.push(Item::Checkpoint(checkpoint.clone()));
        }
        for segment in &head.segments {
            history.push(Item::Segment(*segment));
        }
        let surplus = head.drops.len().saturating_sub(MAX_DROPS);
        let dated = head.drops.iter().filter(|drop| drop.time.is_some()).take(surplus);
        let mut shelved = Vec::new();
        for drop in dated {
            history.push(Item::Drop(*drop));
            shelved.push(drop.id);
        }
        let mut sealed: Vec<Sealed> = history.settle(&mut || self.nonce())?;
        let root = history.seal(self.nonce())?;
        let object = root.object;
        sealed.push(root);
        let uploaded = self.objects.write_all(sealed).await?;
        let last = history.last();
        Ok((HistoryRef { object, last }, shelved, uploaded))
    }

    /// The two neighbours that are smallest together become one.
    async fn prepare_merge(&self, head: &Head) -> Result<Option<Fold>> {
        let size = |pair: &&[SegmentRef]| {
            pair.iter().map(|segment| u64::from(segment.object.bytes)).sum::<u64>()
        };
        let Some(&[one, two]) = head.segments.windows(2).min_by_key(size) else { return Ok(None) };
        let mut read = self.objects.segments([one, two]).await?;
        if planted(Bug::MergeLosesRecord)
            && let Some(record) = read.first_mut().and_then(|records| records.last_mut())
        {
            record.entries = crate::record::Entries::default();
        }
        let (merged, sealed) = seal_segment(self.nonce(), &read.concat())?;
        let uploaded = vec![self.objects.write(sealed).await?];
        let dropped = [one, two].map(|segment| (Folder::Segments, segment.object.id)).to_vec();
        let change = Change::Merge { pair: [one, two], merged };
        Ok(Some(Fold { change, uploaded, dropped }))
    }

    fn nonce(&self) -> Nonce {
        Nonce::random(&self.env)
    }
}

fn is_checkpoint_due(head: &Head) -> bool {
    let segments: u64 = head.segments.iter().map(|segment| u64::from(segment.object.bytes)).sum();
    head.checkpoint.as_ref().is_none_or(|checkpoint| segments * QUARTER > checkpoint.size)
}
