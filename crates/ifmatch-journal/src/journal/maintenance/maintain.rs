//! When maintenance is due, and who prepares it: checkpoints bound what a new
//! reader reads, merges bound the head between them, and history keeps every
//! older reference.

use std::time::Duration;

use crate::error::Result;
use crate::head::Head;
use crate::id::Nonce;
use crate::journal::engine::Engine;
use crate::machine::Machine;

/// Segments that a head may name before maintenance is due.
const DUE: usize = 8;
/// Segments at which a commit waits for it: programs that commit once and end
/// leave it to nobody for ever.
const OVERDUE: usize = 32;
/// A checkpoint is due once the segments since the last hold more than this part
/// of it.
const QUARTER: u64 = 4;
/// A checkpoint is due once a head names as many dropped objects: it moves them
/// to history.
const DROPS: usize = 128;
/// The first pause after maintenance failed; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How maintenance has failed lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    in_a_row: u32,
    not_before: Duration,
}

impl<M: Machine> Engine<M> {
    pub(crate) fn is_maintenance_due(&self) -> bool {
        let paused = self.env.now() < self.notes().failures.not_before;
        !paused && is_due(&self.session.base().head)
    }

    /// Prepares what is due for the next commit; whether anything was. What fails
    /// is tried again after a later commit, and not at once.
    pub(crate) async fn prepare_maintenance(&self) -> Result<bool> {
        let base = self.session.base();
        if !is_due(&base.head) {
            return Ok(false);
        }
        let mut prepared = None;
        if !is_checkpoint_due(&base.head) {
            // A segment that cannot be read is no reason not to checkpoint.
            prepared = self.prepare_merge(&base.head).await.ok();
        }
        let prepared = match prepared {
            Some(fold) => Ok(fold),
            None => self.prepare_checkpoint(&base).await,
        };
        match prepared {
            Ok(fold) => {
                let mut notes = self.notes();
                notes.failures = Failures::default();
                notes.fold = Some(fold);
                drop(notes);
                self.queue.nudge();
                Ok(true)
            }
            Err(error) => {
                self.maintenance_failed();
                Err(error)
            }
        }
    }

    /// The next attempt comes later.
    pub(crate) fn maintenance_failed(&self) {
        self.stats.maintenance_failed.add(1);
        let now = self.env.now();
        let failures = &mut self.notes().failures;
        failures.not_before = now + FIRST_PAUSE * (1 << failures.in_a_row.min(6));
        failures.in_a_row += 1;
    }

    pub(crate) fn nonce(&self) -> Nonce {
        Nonce::random(&self.env)
    }
}

/// Whether a commit on this head waits for maintenance.
pub(crate) fn is_overdue(head: &Head) -> bool {
    head.segments.len() >= OVERDUE
}

fn is_due(head: &Head) -> bool {
    head.segments.len() > DUE || head.drops.len() > DROPS
}

fn is_checkpoint_due(head: &Head) -> bool {
    let segments: u64 = head.segments.iter().map(|segment| u64::from(segment.object.bytes)).sum();
    let grown = |size| segments * QUARTER > size;
    head.drops.len() > DROPS
        || head.checkpoint.as_ref().is_none_or(|checkpoint| grown(checkpoint.size))
}
