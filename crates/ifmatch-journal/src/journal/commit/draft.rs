//! The next head, and the segment that it needs when its tail overflows.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::head::{Head, MAX_HEAD, Next, SegmentRef, TailBytes, tail_size};
use crate::id::Nonce;
use crate::journal::engine::Engine;
use crate::journal::maintenance::fold::Fold;
use crate::journal::objects::Uploaded;
use crate::journal::read::session::Base;
use crate::machine::Machine;
use crate::object::seal_segment;
use crate::record::Entries;
use crate::zoo::{Bug, planted};

/// No commit has a number behind this one.
const LAST: u64 = u64::MAX - 1;

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
        if base.head.seq >= LAST {
            return Err(Error::invalid(format!("{} has no number left", self.what)));
        }
        let next = Next { nonce, writer: self.writer, entries, base_time: base.written };
        let mut head = base.head.after(&base.bytes, next);
        head.ring.cut(self.options.ring);
        head.application = self.machine.application(&state);
        if let Some(fold) = fold {
            fold.join(&mut head);
        }
        let tail = self.spill(base, &mut head).await?;
        let bytes = head.encode_with_tail(&tail);
        if !head.is_readable(bytes.len()) {
            return Err(Error::Store(ifmatch_core::Error::TooLarge {
                subject: Arc::clone(&self.what),
                size: bytes.len() as u64,
                limit: MAX_HEAD as u64,
            }));
        }
        Ok(Draft { head, bytes, state })
    }

    /// Moves entries into a segment where the head would become too large. The
    /// commits of the base move; the new one only if it is too large by itself,
    /// for what holds a commit that may be lost can be named by no other.
    async fn spill(&self, base: &Base<M::State>, head: &mut Head) -> Result<TailBytes> {
        let mut tail = TailBytes::new(&head.tail);
        if tail.size() > self.options.tail
            && let Some(spilled) = self.reusable(base)
        {
            take(head, spilled.segment);
            tail = TailBytes::new(&head.tail);
        }
        let Some(own) = head.tail.len().checked_sub(1) else { return Ok(tail) };
        if tail.size() <= self.options.tail {
            return Ok(tail);
        }
        let alone = tail_size(&head.tail[own..]) <= self.options.tail;
        let moves = if alone && !planted(Bug::SegmentOverRebase) { own } else { own + 1 };
        if moves == 0 {
            return Ok(tail);
        }
        let (segment, sealed) = seal_segment(Nonce::random(&self.env), &head.tail[..moves])?;
        let uploaded = self.objects.write(sealed).await?;
        if moves == own || planted(Bug::SegmentOverRebase) {
            let last = head.tail[moves - 1].nonce;
            self.notes().spilled = Some(Spilled { segment, uploaded, last });
        }
        take(head, segment);
        Ok(TailBytes::new(&head.tail))
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
        let last = base.head.record(segment.last)?;
        let same = first.seq == segment.first && last.nonce == spilled.last;
        (same && self.may_name(base, &spilled.uploaded)).then_some(spilled)
    }

    /// Whether an object that was uploaded for an earlier base may be named on
    /// this one: not where it is about to be deleted, and not when so much time
    /// has passed, by the store's clock, that it may be already.
    pub(crate) fn may_name(&self, base: &Base<M::State>, uploaded: &Uploaded) -> bool {
        let dropped = base.head.drops.iter().any(|drop| drop.id == uploaded.object.id);
        let age = match base.written.zip(uploaded.at) {
            Some((written, at)) => written.since(at),
            // No store's clock: our own, which is not slower while we wait.
            None => uploaded.moment.age(&self.env) * 2,
        };
        !dropped && age < self.options.grace
    }
}

/// The segment takes the place of its commits in the tail.
fn take(head: &mut Head, segment: SegmentRef) {
    head.tail.retain(|record| record.seq > segment.last);
    head.segments.push(segment);
}
