//! Merging neighbouring segments.

use crate::error::{Error, Result};
use crate::head::Head;
use crate::journal::engine::Engine;
use crate::journal::maintenance::fold::{Change, Fold};
use crate::machine::Machine;
use crate::object::{Folder, SegmentRef, seal_segment};
use crate::zoo::{Bug, planted};

/// Segments that a merge leaves.
const LEFT: usize = 4;
/// Most stored bytes of the segments that one merge reads.
const MOST: u64 = 64 << 20;

impl<M: Machine> Engine<M> {
    /// As many neighbours as needed become one: those that are smallest together.
    pub(crate) async fn prepare_merge(&self, head: &Head) -> Result<Fold> {
        let run = smallest_run(&head.segments)
            .ok_or_else(|| Error::invalid("there are no segments that are worth merging"))?;
        let mut read = self.objects.segments(run.iter().copied()).await?;
        if planted(Bug::MergeLosesRecord)
            && let Some(record) = read.first_mut().and_then(|records| records.last_mut())
        {
            record.entries = crate::record::Entries::default();
        }
        let (merged, sealed) = seal_segment(self.nonce(), &read.concat())?;
        let uploaded = vec![self.objects.write(sealed).await?];
        let dropped = run.iter().map(|segment| (Folder::Segments, segment.object.id)).collect();
        let change = Change::Merge { run: run.to_vec(), merged };
        Ok(Fold { change, uploaded, dropped })
    }
}

fn smallest_run(segments: &[SegmentRef]) -> Option<&[SegmentRef]> {
    let size = |run: &[SegmentRef]| -> u64 {
        run.iter().map(|segment| u64::from(segment.object.bytes)).sum()
    };
    let longest = (segments.len() + 1).saturating_sub(LEFT);
    (2..=longest).rev().find_map(|length| {
        let runs = segments.windows(length).filter(|run| size(run) <= MOST);
        runs.min_by_key(|run| size(run))
    })
}
