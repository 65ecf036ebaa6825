//! The true history, replayed.

use bytes::Bytes;
use ifmatch_journal::kv::{Command, KeyValue, Pairs, Reply};
use ifmatch_journal::{CommitRecord, Decision, Machine, Nonce, Position};

use super::Findings;
use super::versions::Versions;
use crate::check::chain::Commit;
use crate::sim::ledger::{Book, digest, digest_of};
use crate::sim::machine::numbered;
use crate::sim::violation::Broken;
use crate::sim::world::World;

/// Every commit, and what the states between them were.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) commits: Vec<Commit<u64>>,
    pub(super) versions: Versions,
    nonces: Vec<Nonce>,
    /// The digest of the state before the first commit, after it, and so on.
    digests: Vec<u64>,
    /// What the machine says to each command at its place, by its number.
    replies: Vec<Option<(Position, Reply)>>,
}

impl Chain {
    pub(super) fn replay(world: &World, records: Vec<CommitRecord>, found: &mut Findings) -> Self {
        let book = world.ledger.book();
        let writes = world.tap.writes();
        let mut chain = Self {
            commits: Vec::with_capacity(records.len()),
            versions: Versions::default(),
            nonces: records.iter().map(|record| record.nonce).collect(),
            digests: vec![digest(&KeyValue.empty())],
            replies: vec![None; book.entries.len() + 1],
        };
        let mut state = KeyValue.empty();
        let mut sum = digest(&state);
        for (record, number) in records.into_iter().zip(1..) {
            if record.seq != number {
                let detail = format!("the log has commit {} as number {number}", record.seq);
                found.add(Broken::Chain, detail);
            }
            let mut commit = Commit::new(number, number - 1, Vec::new());
            commit.at = usize::try_from(number - 1).ok().and_then(|at| writes.get(at)).copied();
            for (entry, ordinal) in record.entries.iter().zip(0..) {
                let position = Position { seq: number, ordinal };
                let place = Place { book: &book, state: &mut state, sum: &mut sum, position };
                commit.operations.push(chain.enter(place, &entry, found));
            }
            if let Some(wrong) = world.scenario.load.wrong(&state) {
                found.add(Broken::Invariant, format!("replayed to {number}: {wrong}"));
            }
            chain.digests.push(sum);
            chain.commits.push(commit);
        }
        chain
    }

    /// Replays one entry; the number of its command.
    fn enter(&mut self, place: Place<'_>, entry: &Bytes, found: &mut Findings) -> u64 {
        let Place { book, state, sum, position } = place;
        let at = |position: Position| format!("{}.{}", position.seq, position.ordinal);
        let Some((number, entry)) = numbered(entry) else {
            found.add(Broken::Damage, format!("the entry {} has no number", at(position)));
            return 0;
        };
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let Some(asked) = index.checked_sub(1).and_then(|index| book.entries.get(index)) else {
            let detail = format!("the entry {} is of nobody's command {number}", at(position));
            found.add(Broken::Phantom, detail);
            return number;
        };
        match KeyValue.decide(state, &asked.command, position) {
            Decision::Write { entry: wanted, reply } if wanted == entry => {
                if let Some(told) = self.replies.get_mut(index) {
                    told.get_or_insert((position, reply));
                }
            }
            decision => {
                let detail = format!(
                    "command {number} has an entry at {}, where the machine says {decision:?}",
                    at(position)
                );
                found.add(Broken::Phantom, detail);
            }
        }
        let key = key_of(&asked.command);
        let before = digest_of(state, key);
        if let Err(damage) = KeyValue.apply(state, &entry, position) {
            found.add(Broken::Damage, format!("the entry {}: {damage}", at(position)));
            *sum = digest(state);
            return number;
        }
        *sum = sum.wrapping_sub(before).wrapping_add(digest_of(state, key));
        self.versions.changed(key, position, state.entry(key).map(|value| value.version));
        number
    }

    pub(super) fn digest_at(&self, seq: u64) -> Option<u64> {
        self.digests.get(usize::try_from(seq).ok()?).copied()
    }

    pub(super) fn nonce_of(&self, seq: u64) -> Option<Nonce> {
        self.nonces.get(usize::try_from(seq.checked_sub(1)?).ok()?).copied()
    }

    /// Where a command stands, and what its caller was to be told.
    pub(super) fn reply_to(&self, number: u64) -> Option<(Position, Reply)> {
        self.replies.get(usize::try_from(number).ok()?).copied().flatten()
    }
}

/// Where a replay stands.
struct Place<'a> {
    book: &'a Book,
    state: &'a mut Pairs,
    sum: &'a mut u64,
    position: Position,
}

/// The key that a command is about.
pub(super) fn key_of(command: &Command) -> &[u8] {
    match command {
        Command::Put { key, .. } | Command::Remove { key, .. } | Command::Add { key, .. } => key,
        _ => &[],
    }
}
