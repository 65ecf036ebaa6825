//! Everything about time, in one pass over the events of the history.

use std::collections::BTreeMap;

use super::super::moment::{Phase, events};
use super::truth::Truth;
use super::{Answer, Call, History, Position, Replay, Told, Violation};

/// A commit that was shown, and the call that it was shown to.
#[derive(Clone, Copy)]
struct Shown {
    seq: u64,
    call: usize,
}

pub(super) struct Sweep<'a, O, R> {
    history: &'a History<O>,
    truth: &'a Truth<'a, O>,
    replay: &'a R,
    /// The newest commit shown to anybody, by calls that have returned.
    newest: Option<Shown>,
    /// The newest commit shown to each client.
    sessions: BTreeMap<u64, Shown>,
    /// `newest` at each call's invocation.
    floors: Vec<u64>,
    /// What each call proves to exist when it returns.
    proved: Vec<Option<u64>>,
    violations: Vec<Violation<O>>,
}

impl<'a, O: Clone + Ord, R: Replay<O>> Sweep<'a, O, R> {
    pub(super) fn new(history: &'a History<O>, truth: &'a Truth<'a, O>, replay: &'a R) -> Self {
        let calls = history.calls.len();
        Self {
            history,
            truth,
            replay,
            newest: None,
            sessions: BTreeMap::new(),
            floors: vec![truth.base(); calls],
            proved: vec![None; calls],
            violations: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Vec<Violation<O>> {
        let calls = &self.history.calls;
        for (_, phase, index) in events(calls.iter().map(|call| (call.invoked, call.returned))) {
            let Some(call) = calls.get(index) else { continue };
            match phase {
                Phase::Invoked => self.invoked(index, call),
                Phase::Returned => self.returned(index, call),
            }
        }
        self.violations
    }

    /// Judges a call by all that had been shown when it was invoked. What the
    /// call itself shows counts for others from its return on.
    fn invoked(&mut self, index: usize, call: &Call<O>) {
        if let (Some(floor), Some(newest)) = (self.floors.get_mut(index), self.newest) {
            *floor = (*floor).max(newest.seq);
        }
        let proves = match &call.answer {
            Answer::Read { seq, digest, may_be_stale } => {
                self.read(index, call, (*seq, *digest), *may_be_stale)
            }
            Answer::Commit { operation, told } => match self.truth.place(operation) {
                Some(found) => self.commit(index, call, operation, *told, found),
                None if *told == Told::Rejected => self.rejection(index, call, operation),
                None => None,
            },
        };
        if let Some(proved) = self.proved.get_mut(index) {
            *proved = proves;
        }
    }

    fn returned(&mut self, index: usize, call: &Call<O>) {
        let Some(seq) = self.proved.get(index).copied().flatten() else { return };
        let shown = Shown { seq, call: index };
        if self.newest.is_none_or(|newest| newest.seq < seq) {
            self.newest = Some(shown);
        }
        // A rejection does not show its client which state it was judged on.
        let rejected = matches!(call.answer, Answer::Commit { told: Told::Rejected, .. });
        if !rejected && self.sessions.get(&call.client).is_none_or(|session| session.seq < seq) {
            self.sessions.insert(call.client, shown);
        }
    }

    fn read(
        &mut self,
        index: usize,
        call: &Call<O>,
        (seq, digest): (u64, Option<u64>),
        may_be_stale: bool,
    ) -> Option<u64> {
        self.session(index, call, seq);
        if !may_be_stale && let Some(newest) = self.newest.filter(|newest| newest.seq > seq) {
            let (earlier, seen) = (newest.call, newest.seq);
            self.violations.push(Violation::StaleRead { call: index, seq, earlier, seen });
        }
        let newest = self.truth.newest(call.returned);
        if seq > newest {
            self.violations.push(Violation::Future { call: index, seq, newest });
            return None;
        }
        if let (Some(read), Some(replayed)) = (digest, self.replay.digest(seq))
            && read != replayed
        {
            self.violations.push(Violation::WrongSnapshot { call: index, seq, read, replayed });
        }
        Some(seq)
    }

    fn commit(
        &mut self,
        index: usize,
        call: &Call<O>,
        operation: &O,
        told: Told,
        found: Position,
    ) -> Option<u64> {
        // A phantom's place says nothing about order: the answer is wrong.
        if matches!(told, Told::Rejected | Told::Never) {
            return None;
        }
        // A later call that asks what became of an operation is told, rightly,
        // of an old commit: only the first one says when the operation began.
        let began = self.truth.first_call(operation) == Some(index);
        if let Some(newest) = self.newest.filter(|newest| began && newest.seq >= found.seq) {
            let (operation, earlier, seen) = (operation.clone(), newest.call, newest.seq);
            let call = index;
            self.violations.push(Violation::Reordered { call, operation, found, earlier, seen });
        }
        let Told::Committed { seq, .. } = told else { return None };
        if began {
            self.session(index, call, seq);
        }
        if let (Some(at), Some(returned)) = (self.truth.at(found.seq), call.returned)
            && returned < at
        {
            let newest = self.truth.newest(call.returned);
            self.violations.push(Violation::Future { call: index, seq: found.seq, newest });
        }
        Some(found.seq)
    }

    /// The earliest state that explains the rejection: whoever was rejected
    /// because of it has been shown that it exists. The earliest one is asked
    /// the least of all later calls, so taking it never blames one wrongly.
    fn rejection(&mut self, index: usize, call: &Call<O>, operation: &O) -> Option<u64> {
        let began = self.truth.first_call(operation).unwrap_or(index);
        let began = self.floors.get(began).copied().unwrap_or_else(|| self.truth.base());
        let last = self.truth.newest(call.returned).max(began);
        let explained = self.replay.first_rejection(operation, began..=last);
        if explained.is_none() {
            let operation = operation.clone();
            let (call, first) = (index, began);
            self.violations.push(Violation::FalseConflict { call, operation, first, last });
        }
        explained
    }

    fn session(&mut self, index: usize, call: &Call<O>, seq: u64) {
        if let Some(shown) = self.sessions.get(&call.client).filter(|shown| shown.seq > seq) {
            let (client, earlier, seen) = (call.client, shown.call, shown.seq);
            self.violations.push(Violation::SessionBack {
                call: index,
                client,
                seq,
                earlier,
                seen,
            });
        }
    }
}
