//! The key-value machine, with the number of the command before each entry.
//!
//! So every command can be found in the log, whatever it does: nothing has to be
//! guessed from keys and values. The rules are the key-value machine's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::{Buf, BufMut, Bytes};
use ifmatch_journal::kv::{Command, KeyValue, Pairs, Rejection, Reply};
use ifmatch_journal::{Damage, Decision, Kind, Machine, Position};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbered;

/// A command, its number, and what it met on its way.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) command: Command,
    pub(super) way: Arc<Way>,
}

impl Job {
    /// A command that no client asked for.
    pub(super) fn unasked(command: Command) -> Self {
        Self { number: 0, command, way: Arc::default() }
    }
}

/// Whether a command was validated for more than one place.
#[derive(Debug, Default)]
pub(super) struct Way {
    seq: AtomicU64,
    rebased: AtomicBool,
}

impl Way {
    fn came_to(&self, seq: u64) {
        let before = self.seq.swap(seq, Ordering::Relaxed);
        if before != 0 && before != seq {
            self.rebased.store(true, Ordering::Relaxed);
        }
    }

    /// Another writer's commit took the place that it was validated for.
    pub(super) fn met_another(&self) -> bool {
        self.rebased.load(Ordering::Relaxed)
    }
}

impl Machine for Numbered {
    type State = Pairs;
    type Command = Job;
    type Reply = Reply;
    type Rejection = Rejection;

    fn kind(&self) -> Kind {
        KeyValue.kind()
    }

    fn empty(&self) -> Pairs {
        KeyValue.empty()
    }

    fn decide(&self, state: &Pairs, job: &Job, position: Position) -> Decision<Reply, Rejection> {
        job.way.came_to(position.seq);
        match KeyValue.decide(state, &job.command, position) {
            Decision::Write { entry, reply } => {
                Decision::Write { entry: with_number(job.number, &entry), reply }
            }
            other => other,
        }
    }

    fn apply(&self, state: &mut Pairs, entry: &Bytes, position: Position) -> Result<(), Damage> {
        let (_, entry) = numbered(entry).ok_or_else(|| Damage::new("an entry has no number"))?;
        KeyValue.apply(state, &entry, position)
    }

    fn parts<'a>(&'a self, state: &'a Pairs) -> Box<dyn Iterator<Item = Bytes> + Send + 'a> {
        KeyValue.parts(state)
    }

    fn restore(&self, parts: &[Bytes]) -> Result<Pairs, Damage> {
        KeyValue.restore(parts)
    }
}

pub(super) fn with_number(number: u64, entry: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(8 + entry.len());
    bytes.put_u64_le(number);
    bytes.put_slice(entry);
    bytes.into()
}

/// The number of a command, and its entry.
pub(super) fn numbered(entry: &Bytes) -> Option<(u64, Bytes)> {
    let mut rest = entry.clone();
    Some((rest.try_get_u64_le().ok()?, rest))
}
