//! Finding commits by their numbers: in the head, in segments, in history.

use crate::error::{Error, Result};
use crate::head::{CheckpointRef, Head, SegmentRef};
use crate::journal::engine::Engine;
use crate::machine::Machine;
use crate::object::Found;
use crate::record::CommitRecord;

impl<M: Machine> Engine<M> {
    /// The commits `first..=last` of the journal that `head` ends.
    pub(crate) async fn records(
        &self,
        head: &Head,
        first: u64,
        last: u64,
    ) -> Result<Vec<CommitRecord>> {
        let tail = tail_start(head);
        let mut all = Vec::new();
        let mut next = first;
        while next < tail && next <= last {
            let run = self.run(head, next, last).await?;
            if run.is_empty() {
                return Err(Error::missing(format!("commit {next}, which {} kept", self.what)));
            }
            for records in self.objects.segments(run).await? {
                let wanted = records.into_iter().filter(|at| at.seq >= next && at.seq <= last);
                all.extend(wanted);
            }
            next = all.last().map_or(next, |record: &CommitRecord| record.seq + 1);
        }
        let in_tail = head.tail.iter().filter(|record| record.seq >= next && record.seq <= last);
        all.extend(in_tail.cloned());
        Ok(all)
    }

    /// Some segments from the one that holds `first` on, up to `last`.
    pub(crate) async fn run(&self, head: &Head, first: u64, last: u64) -> Result<Vec<SegmentRef>> {
        let here: Vec<_> = (head.segments.iter().copied())
            .filter(|segment| segment.last >= first && segment.first <= last)
            .collect();
        if here.first().is_some_and(|segment| segment.first <= first) {
            return Ok(here);
        }
        Ok(self.segment_in_history(head, first).await?.into_iter().collect())
    }

    async fn segment_in_history(&self, head: &Head, seq: u64) -> Result<Option<SegmentRef>> {
        let Some(history) = head.history.filter(|history| history.last >= seq) else {
            return Ok(None);
        };
        let mut node = self.objects.history(&history.object).await?;
        loop {
            match node.segment(seq) {
                Found::Here(segment) => return Ok(Some(segment)),
                Found::Below(object) => node = self.objects.history(&object).await?,
                Found::Absent => return Ok(None),
            }
        }
    }

    /// The newest checkpoint at or before `seq`.
    pub(crate) async fn checkpoint_at(
        &self,
        head: &Head,
        seq: u64,
    ) -> Result<Option<CheckpointRef>> {
        if let Some(checkpoint) = head.checkpoint.as_ref().filter(|at| at.seq <= seq) {
            return Ok(Some(checkpoint.clone()));
        }
        let Some(history) = head.history else { return Ok(None) };
        let mut node = self.objects.history(&history.object).await?;
        loop {
            match node.checkpoint(seq) {
                Found::Here(checkpoint) => return Ok(Some(checkpoint)),
                Found::Below(object) => node = self.objects.history(&object).await?,
                Found::Absent => return Ok(None),
            }
        }
    }

    /// The record of one commit, wherever it lies; `None` where the journal no
    /// longer has it.
    pub(crate) async fn record(&self, head: &Head, seq: u64) -> Result<Option<CommitRecord>> {
        if let Some(record) = head.record(seq) {
            return Ok(Some(record.clone()));
        }
        let Some(segment) = self.run(head, seq, seq).await?.into_iter().next() else {
            return Ok(None);
        };
        let records = self.objects.segment(&segment).await?;
        Ok(records.into_iter().find(|record| record.seq == seq))
    }
}

/// The number of the first commit in the tail.
pub(crate) fn tail_start(head: &Head) -> u64 {
    head.tail.first().map_or(head.seq + 1, |record| record.seq)
}

/// The number of the first commit that the head reaches without history.
pub(crate) fn reach(head: &Head) -> u64 {
    head.segments.first().map_or_else(|| tail_start(head), |segment| segment.first)
}
