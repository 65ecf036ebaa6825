//! Preparing a checkpoint, and history with what it makes old.

use std::sync::Arc;

use crate::error::Result;
use crate::head::Head;
use crate::journal::engine::Engine;
use crate::journal::maintenance::fold::{Change, Fold};
use crate::journal::objects::Uploaded;
use crate::journal::read::session::Base;
use crate::machine::Machine;
use crate::object::{
    CheckpointRef, Folder, History, HistoryRef, INLINE_PARTS, Item, ObjectId, PartRef, Parts,
    Sealed, content_of, seal_index, seal_part,
};
use crate::zoo::{Bug, planted};

/// Parts that are held in memory before they are written.
const PARTS_AT_ONCE: usize = 8;
/// Drops that stay in the head.
const MAX_DROPS: usize = 32;

impl<M: Machine> Engine<M> {
    /// A checkpoint of the base: what changed since the one before is written,
    /// the rest is referred to. Everything is read before anything is written.
    pub(crate) async fn prepare_checkpoint(&self, base: &Arc<Base<M::State>>) -> Result<Fold> {
        let head = &base.head;
        let known = match &head.checkpoint {
            Some(checkpoint) => self.objects.part_refs(checkpoint).await?,
            None => Vec::new(),
        };
        let history = match head.history {
            Some(history) => History::clone(&*self.objects.history(&history.object).await?),
            None => History::new(),
        };
        let (parts, mut uploaded) = self.write_parts(&base.state, &known).await?;
        let size = parts.iter().map(|part| u64::from(part.object.bytes)).sum();
        let parts = if parts.len() > INLINE_PARTS {
            let index = self.objects.write(seal_index(self.nonce(), &parts)?).await?;
            uploaded.push(index);
            Parts::Indexed(index.object)
        } else {
            Parts::Inline(parts)
        };
        let seq = head.seq + u64::from(planted(Bug::CheckpointAhead));
        let after = CheckpointRef { seq, size, parts };
        let (history, shelved, written) = self.write_history(head, history).await?;
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
        known: &[PartRef],
    ) -> Result<(Vec<PartRef>, Vec<Uploaded>)> {
        let (mut parts, mut uploaded, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        for plain in self.machine.parts(state) {
            let content = content_of(&plain);
            if let Some(kept) = known.iter().find(|part| part.content == content) {
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
        Ok((parts, uploaded))
    }

    /// History with the head's segments, its checkpoint and its older drops.
    async fn write_history(
        &self,
        head: &Head,
        mut history: History,
    ) -> Result<(HistoryRef, Vec<ObjectId>, Vec<Uploaded>)> {
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
}
