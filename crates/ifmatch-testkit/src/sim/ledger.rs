//! What the clients asked, and what they were told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ifmatch_journal::kv::{Command, Pairs, Rejection, Reply};
use ifmatch_journal::{CommitId, Committed, Nonce, Totals};

use super::machine::{Job, Way};
use super::violation::Broken;
use crate::check::Moment;
use crate::check::chain::{Answer, Call, Told};

/// The record of a run, written by the clients as things happen.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Book>);

#[derive(Debug, Default)]
pub(super) struct Book {
    /// By their numbers, from 1.
    pub(super) entries: Vec<Entry>,
    pub(super) calls: Vec<Call<u64>>,
    /// Digests of states of the past.
    pub(super) snapshots: Vec<(u64, u64)>,
    /// Commits that followers and logs told of.
    pub(super) heard: Vec<(u64, Nonce)>,
    /// What was found broken on the way.
    pub(super) broken: Vec<(Broken, String)>,
    pub(super) counts: Counts,
    /// The newest commit shown to anybody, by the time of the answer.
    shown: Vec<(u64, u64)>,
}

/// One command.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) command: Command,
    pub(super) way: Arc<Way>,
    pub(super) call: usize,
    pub(super) reply: Option<(CommitId, Reply)>,
    /// The version that was there instead, as it was told.
    pub(super) rejection: Option<Rejection>,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) committed: u64,
    pub(super) contended: u64,
    pub(super) rejected: u64,
    pub(super) failed: u64,
    pub(super) unknown: u64,
    pub(super) resolved: u64,
    pub(super) dropped: u64,
    pub(super) reads: u64,
    pub(super) crashes: u64,
    pub(super) pauses: u64,
    pub(super) jumps: u64,
    pub(super) head_puts: u64,
    pub(super) lost_races: u64,
    pub(super) checkpoints: u64,
    pub(super) merges: u64,
}

/// A commit whose outcome is open, as a client keeps it over a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pending {
    /// The command; none is a fence.
    pub(super) number: Option<u64>,
    pub(super) commit: CommitId,
    /// Its place in the commit.
    pub(super) ordinal: u32,
}

impl Ledger {
    /// A call begins.
    pub(super) fn begin(&self, session: u64, command: Command, at: Moment) -> Job {
        let mut book = self.book();
        let number = book.entries.len() as u64 + 1;
        let (way, call) = (Arc::<Way>::default(), book.calls.len());
        book.entries.push(Entry {
            command: command.clone(),
            way: Arc::clone(&way),
            call,
            reply: None,
            rejection: None,
        });
        let answer = Answer::Commit { operation: number, told: Told::Unknown };
        book.calls.push(Call { client: session, invoked: at, returned: None, answer });
        Job { number, command, way }
    }

    /// It was committed; `exempt`: what reads showed may have been old.
    pub(super) fn committed(
        &self,
        number: u64,
        committed: Committed<Reply>,
        exempt: bool,
        at: Moment,
    ) {
        let mut book = self.book();
        let Committed { commit, ordinal, reply } = committed;
        let Some(ordinal) = ordinal else {
            drop(book);
            // Nothing was written, for nothing was there: as true as a rejection.
            return self.rejected(number, Rejection::Version(None), exempt, at);
        };
        book.show(at, commit.seq);
        book.counts.committed += 1;
        book.counts.contended +=
            u64::from(book.entry(number).is_some_and(|entry| entry.way.met_another()));
        if let Some(entry) = book.entry(number) {
            entry.reply = Some((commit, reply));
        }
        book.answer(number, Told::Committed { seq: commit.seq, ordinal }, at);
    }

    pub(super) fn rejected(&self, number: u64, rejection: Rejection, exempt: bool, at: Moment) {
        let mut book = self.book();
        book.counts.rejected += 1;
        if let Some(entry) = book.entry(number) {
            entry.rejection = Some(rejection);
        }
        book.answer(number, if exempt { Told::Never } else { Told::Rejected }, at);
    }

    /// It failed, and nothing was applied.
    pub(super) fn failed(&self, number: u64, at: Moment) {
        let mut book = self.book();
        book.counts.failed += 1;
        book.answer(number, Told::Never, at);
    }

    /// Nobody knows.
    pub(super) fn unknown(&self, number: u64, at: Moment) {
        let mut book = self.book();
        book.counts.unknown += 1;
        book.answer(number, Told::Unknown, at);
    }

    /// An unknown outcome was resolved.
    pub(super) fn resolved(
        &self,
        session: u64,
        pending: Pending,
        told: Told,
        times: (Moment, Moment),
    ) {
        let mut book = self.book();
        book.counts.resolved += 1;
        if let Told::Committed { seq, .. } = told {
            book.show(times.1, seq);
        }
        let Some(operation) = pending.number else { return };
        let answer = Answer::Commit { operation, told };
        let (invoked, returned) = (times.0, Some(times.1));
        book.calls.push(Call { client: session, invoked, returned, answer });
    }

    /// A state was read.
    pub(super) fn read(
        &self,
        session: u64,
        (seq, digest): (u64, Option<u64>),
        may_be_stale: bool,
        times: (Moment, Moment),
    ) {
        let mut book = self.book();
        book.counts.reads += 1;
        book.show(times.1, seq);
        let answer = Answer::Read { seq, digest, may_be_stale };
        let (invoked, returned) = (times.0, Some(times.1));
        book.calls.push(Call { client: session, invoked, returned, answer });
    }

    /// The newest commit that had been shown to somebody more than `age` before
    /// `at`.
    pub(super) fn shown_before(&self, at: Moment, age: Duration) -> u64 {
        let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        let book = self.book();
        let Some(time) = at.time.checked_sub(age) else { return 0 };
        let later = book.shown.partition_point(|(shown, _)| *shown < time);
        later.checked_sub(1).and_then(|last| book.shown.get(last)).map_or(0, |shown| shown.1)
    }

    pub(super) fn broken(&self, what: Broken, detail: String) {
        self.book().broken.push((what, detail));
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.book().counts);
    }

    /// What a handle has done.
    pub(super) fn add_totals(&self, totals: Totals) {
        self.count(|counts| {
            counts.head_puts += totals.head_puts;
            counts.lost_races += totals.lost;
            counts.checkpoints += totals.checkpoints;
            counts.merges += totals.merges;
        });
    }

    /// The book, to write into or, in the end, to check.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    pub(super) fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.entries.get_mut(at)
    }

    fn answer(&mut self, number: u64, now: Told, at: Moment) {
        let Some(call) = self.entry(number).map(|entry| entry.call) else { return };
        let Some(call) = self.calls.get_mut(call) else { return };
        call.returned = Some(at);
        if let Answer::Commit { told, .. } = &mut call.answer {
            *told = now;
        }
    }

    fn show(&mut self, at: Moment, seq: u64) {
        if self.shown.last().is_none_or(|(_, newest)| *newest < seq) {
            self.shown.push((at.time, seq));
        }
    }
}

/// A number that only equal states have in common. It is the sum of its pairs',
/// so that a replay can keep it up to date.
pub(super) fn digest(state: &Pairs) -> u64 {
    let pairs = state.iter();
    pairs.fold(0, |sum: u64, (key, _)| sum.wrapping_add(digest_of(state, key)))
}

/// What one key adds to the digest.
pub(super) fn digest_of(state: &Pairs, key: &[u8]) -> u64 {
    let Some(value) = state.entry(key) else { return 0 };
    let version = super::dice::fold(value.version.seq, u64::from(value.version.ordinal));
    super::dice::hash(super::dice::hash(version, key), &value.bytes)
}
