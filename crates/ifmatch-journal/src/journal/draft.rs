//! The next head, and the segment that it needs when its tail overflows.

use bytes::Bytes;
use ifmatch_core::Timestamp;

use super::engine::Engine;
use super::fold::Fold;
use super::objects::Uploaded;
use super::session::Base;
use crate::error::Result;
use crate::head::{Head, Next, SegmentRef, tail_size};
use crate::id::Nonce;
use crate::machine::Machine;
use crate::object::seal_segment;
use crate::record::Entries;
use crate::zoo::{Bug, planted};

/// A head that is ready to be written, and the state that belongs to it.
pub(crate) struct Draft<S> {
    pub(crate) head: Head,
    pub(crate) bytes: Bytes,
    pub(crate) state: S,
}

/// A segment that was uploaded for a head that may never have been written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spilled {
    segment: SegmentRef,
    uploaded: Uploaded,
    /// What makes its last commit that one.
    last: Nonce,
}

impl<M: Machine> Engine<M> {
    pub(crate) async fn draft(
        &self,
        base: &Base<M::State>,
        nonce: Nonce,
        entries: Entries,
        state: M::State,
        fold: Option<&Fold>,
    ) -> Result<Draft<M::State>> {
        let next = Next { nonce, writer: self.writer, entries, base_time: base.written };
        let mut head = base.head.after(&base.bytes, next);
        head.ring.cut(self.options.ring);
        head.application = self.machine.application(&state);
        if let Some(fold) = fold {
            fold.join(&mut head);
        }
        self.spill(base, &mut head).await?;
        let bytes = head.encode();
        Ok(Draft { head, bytes, state })
    }

    /// Moves entries into a segment where the head would become too large. The
    /// commits of the base move; the new one only if it is too large by itself,
    /// for what holds a commit that may be lost can be named by no other.
    async fn spill(&self, base: &Base<M::State>, head: &mut Head) -> Result<()> {
        if self.fits(head) {
            return Ok(());
        }
        if let Some(spilled) = self.reusable(base) {
            take(head, spilled.segment);
            if self.fits(head) {
                return Ok(());
            }
        }
        let Some(own) = head.tail.len().checked_sub(1) else { return Ok(()) };
        let alone = tail_size(&head.tail[own..]) <= self.options.tail;
        let moves = if alone && !planted(Bug::SegmentOverRebase) { own } else { own + 1 };
        if moves == 0 {
            return Ok(());
        }
        let (segment, sealed) = seal_segment(Nonce::random(&self.env), &head.tail[..moves])?;
        let uploaded = self.objects.write(sealed).await?;
        if moves == own || planted(Bug::SegmentOverRebase) {
            let last = head.tail[moves - 1].nonce;
            self.notes().spilled = Some(Spilled { segment, uploaded, last });
        }
        take(head, segment);
        Ok(())
    }

    fn fits(&self, head: &Head) -> bool {
        let raw: usize = head.tail.iter().map(|record| record.entries.size() + 40).sum();
        raw <= self.options.tail || tail_size(&head.tail) <= self.options.tail
    }

    /// The segment of an earlier attempt, if this base may name it: it holds
    /// the base's own commits, and garbage collection cannot have taken it.
    fn reusable(&self, base: &Base<M::State>) -> Option<Spilled> {
        let spilled = self.notes().spilled?;
        let first = base.head.tail.first()?;
        let segment = spilled.segment;
        if planted(Bug::SegmentOverRebase) && segment.last <= base.head.seq + 1 {
            return (first.seq == segment.first).then_some(spilled);
        }
        let last = base.head.tail.iter().find(|record| record.seq == segment.last)?;
        let same = first.seq == segment.first && last.nonce == spilled.last;
        (same && self.may_name(base, &spilled.uploaded)).then_some(spilled)
    }

    /// Whether an object that was uploaded for an earlier base may be named on
    /// this one: not where it is about to be deleted, and not when so much time
    /// has passed, by the store's clock, that it may be already.
    pub(crate) fn may_name(&self, base: &Base<M::State>, uploaded: &Uploaded) -> bool {
        let dropped = base.head.drops.iter().any(|drop| drop.id == uploaded.object.id);
        let young = |(written, at): (Timestamp, Timestamp)| written.since(at) < self.options.grace;
        !dropped && base.written.zip(uploaded.at).is_some_and(young)
    }
}

/// The segment takes the place of its commits in the tail.
fn take(head: &mut Head, segment: SegmentRef) {
    head.tail.retain(|record| record.seq > segment.last);
    head.segments.push(segment);
}
