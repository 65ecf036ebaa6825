//! Applying entries to a state.

use ifmatch_core::Timestamp;
use ifmatch_journal::{Damage, Position};

use super::entry::{Act, Entry, begun};
use super::lock::{End, LockId, half};
use super::state::{Grave, Kept, State};
use crate::audit::{AuditOperation, AuditPosition, AuditRecord};
use crate::document::Document;
use crate::etag::{ETag, Nonce};
use crate::evaluate::Effect;
use crate::key::DocId;

impl State {
    /// Applies an entry, whose bytes are given for what they name.
    pub(super) fn apply(
        &mut self,
        entry: Entry,
        bytes: &[u8],
        position: Position,
    ) -> Result<(), Damage> {
        let seq = position.seq;
        if let Some((at, time)) = entry.clock.filter(|(at, _)| *at < seq) {
            self.clock.learn(at, time);
        }
        if entry.ends {
            self.end_lock(seq, None)?;
        }
        match &entry.act {
            Act::Write => {}
            Act::Begin(_) if self.lock.is_some() => return Err(Damage::new("a second lock")),
            Act::Begin(lock) => self.lock = Some(begun(lock.clone(), seq)),
            Act::Stage(piece) => match &mut self.lock {
                Some(lock) => lock.pieces.push(*piece),
                None => return Err(Damage::new("a piece of no transaction")),
            },
            Act::Commit(nonce) => self.end_lock(seq, Some(*nonce))?,
            Act::Abort => self.end_lock(seq, None)?,
            Act::Fence(id, address) => {
                self.fences.insert_mut((id.clone(), address.bytes()), seq);
            }
        }
        if !entry.effects.is_empty() {
            self.totals.audited |= entry.audited;
            self.name(bytes, position);
        }
        let mut next = Position { seq, ordinal: 0 };
        if self.totals.next.0 == seq {
            next.ordinal = self.totals.next.1;
        }
        let Entry { now, author, effects, .. } = entry;
        for effect in effects {
            self.effect(effect, next, now, author.as_ref())?;
            next.ordinal = next.ordinal.saturating_add(1);
            self.totals.next = (seq, next.ordinal);
        }
        self.forget(seq);
        Ok(())
    }

    fn end_lock(&mut self, seq: u64, committed: Option<Nonce>) -> Result<(), Damage> {
        let Some(lock) = self.lock.take() else {
            return Err(Damage::new("the end of no transaction"));
        };
        self.ended.insert_mut((seq, lock.tx.clone()), ());
        self.ends.insert_mut(lock.tx, End { seq, committed });
        Ok(())
    }

    /// Gives the state of the documents a new name.
    fn name(&mut self, bytes: &[u8], position: Position) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.totals.digest);
        hasher.update(&position.seq.to_le_bytes());
        hasher.update(&position.ordinal.to_le_bytes());
        hasher.update(bytes);
        self.totals.digest = half(hasher.finalize());
    }

    fn effect(
        &mut self,
        effect: Effect,
        at: Position,
        now: Timestamp,
        author: Option<&std::sync::Arc<str>>,
    ) -> Result<(), Damage> {
        let Effect { id, after, .. } = effect;
        let before = self.take(&id);
        if before.is_none() && after.is_none() {
            return Err(Damage::new("a deletion of nothing"));
        }
        if self.totals.audited {
            let (etag, previous) = (after.as_ref().map(|d| d.etag), before);
            let operation = match (previous, etag) {
                (_, None) => AuditOperation::Deleted,
                (None, Some(_)) => AuditOperation::Created,
                (Some(_), Some(_)) => AuditOperation::Replaced,
            };
            let (by, time) = match &after {
                Some(document) => (document.updated_by.clone(), document.updated_at),
                None => (author.cloned(), now),
            };
            let place = AuditPosition { position: at.seq, ordinal: at.ordinal };
            let id = id.clone();
            let record = AuditRecord { at: place, id, etag, previous, author: by, time, operation };
            self.audit.insert_mut(at, record);
        }
        match (after, before) {
            (Some(document), _) => self.keep(Kept { document, at }),
            (None, Some(etag)) => {
                self.bury(id, Grave { etag, time: now, by: author.cloned(), at });
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// Takes out whatever is there of a document; its tag, if it was there.
    fn take(&mut self, id: &DocId) -> Option<ETag> {
        if let Some(grave) = self.graves.get(id) {
            let at = grave.at;
            self.graves.remove_mut(id);
            self.feed.remove_mut(&at);
            self.buried.remove_mut(&at);
        }
        let kept = self.documents.get(id)?;
        let (at, etag, size) = (kept.at, kept.document.etag, size(&kept.document));
        self.documents.remove_mut(id);
        self.feed.remove_mut(&at);
        self.totals.bytes -= size;
        self.totals.shown -= u64::from(!id.is_reserved());
        Some(etag)
    }

    pub(super) fn keep(&mut self, kept: Kept) {
        let id = kept.document.key.id.clone();
        self.totals.bytes += size(&kept.document);
        self.totals.shown += u64::from(!id.is_reserved());
        self.feed.insert_mut(kept.at, id.clone());
        self.documents.insert_mut(id, kept);
    }

    pub(super) fn bury(&mut self, id: DocId, grave: Grave) {
        self.feed.insert_mut(grave.at, id.clone());
        self.buried.insert_mut(grave.at, id.clone());
        self.graves.insert_mut(id, grave);
    }

    pub(super) fn remember(&mut self, tx: LockId, end: End) {
        self.ended.insert_mut((end.seq, tx.clone()), ());
        self.ends.insert_mut(tx, end);
    }

    /// Forgets what is older than the history has to be.
    fn forget(&mut self, seq: u64) {
        let Some(floor) = self.clock.floor(seq) else { return };
        self.totals.floor = self.totals.floor.max(floor);
        while let Some((at, id)) = self.buried.first().filter(|(at, _)| at.seq <= floor) {
            let (at, id) = (*at, id.clone());
            self.buried.remove_mut(&at);
            self.feed.remove_mut(&at);
            self.graves.remove_mut(&id);
        }
        while let Some((at, ())) = self.ended.first().filter(|((at, _), ())| *at <= floor) {
            let at = at.clone();
            self.ended.remove_mut(&at);
            self.ends.remove_mut(&at.1);
        }
        while let Some((at, _)) = self.audit.first().filter(|(at, _)| at.seq <= floor) {
            let at = *at;
            self.audit.remove_mut(&at);
        }
        let old: Vec<_> = (self.fences.iter())
            .filter(|(_, at)| **at <= floor)
            .map(|(fence, _)| fence.clone())
            .collect();
        for fence in old {
            self.fences.remove_mut(&fence);
        }
    }
}

/// What a document counts.
pub(super) fn size(document: &Document) -> u64 {
    (document.key.id.as_str().len() + document.body.len()) as u64
}
