//! The chain, indexed: where each operation is, and from when on a commit can
//! have existed.

use std::collections::BTreeMap;

use super::super::Moment;
use super::{Answer, Commit, History, Position, Replay, Violation};

pub(super) struct Truth<'a, O> {
    /// By number.
    commits: Vec<&'a Commit<O>>,
    placed: BTreeMap<&'a O, Position>,
    doubled: Vec<(&'a O, Position, Position)>,
    /// The first call that asked for each operation.
    asked: BTreeMap<&'a O, (Moment, usize)>,
    /// The moment before which `commits[i]` cannot have existed. It never
    /// falls, since a commit does not exist before the one it was made on.
    born: Vec<Moment>,
}

impl<'a, O: Clone + Ord> Truth<'a, O> {
    pub(super) fn new(history: &'a History<O>) -> Self {
        let asked = asked(history);
        let mut commits: Vec<_> = history.chain.iter().collect();
        commits.sort_by_key(|commit| commit.number);
        let mut placed = BTreeMap::new();
        let mut doubled = Vec::new();
        let mut born = Vec::with_capacity(commits.len());
        let mut moment = Moment::default();
        for commit in &commits {
            for (ordinal, operation) in (0_u32..).zip(&commit.operations) {
                let position = Position { seq: commit.number, ordinal };
                let first = *placed.entry(operation).or_insert(position);
                if first != position {
                    doubled.push((operation, first, position));
                }
                if let Some((invoked, _)) = asked.get(operation) {
                    moment = moment.max(*invoked);
                }
            }
            moment = moment.max(commit.at.unwrap_or_default());
            born.push(moment);
        }
        Self { commits, placed, doubled, asked, born }
    }

    /// What is wrong with the chain itself.
    pub(super) fn violations(&self, replay: &impl Replay<O>) -> Vec<Violation<O>> {
        let mut violations = Vec::new();
        for pair in self.commits.windows(2) {
            let [before, commit] = pair else { continue };
            let dense = before.number.checked_add(1) == Some(commit.number);
            if !dense || commit.parent != before.number {
                let (after, number, parent) = (before.number, commit.number, commit.parent);
                violations.push(Violation::Gap { after, number, parent });
            }
        }
        if let Some(first) = self.commits.first()
            && first.parent.checked_add(1) != Some(first.number)
        {
            let (number, parent) = (first.number, first.parent);
            violations.push(Violation::Gap { after: parent, number, parent });
        }
        for (operation, first, second) in &self.doubled {
            let (operation, first, second) = ((*operation).clone(), *first, *second);
            violations.push(Violation::Doubled { operation, first, second });
        }
        for commit in &self.commits {
            for (ordinal, operation) in (0_u32..).zip(&commit.operations) {
                let found = Position { seq: commit.number, ordinal };
                if !replay.admits(operation, found.seq, found.ordinal) {
                    let operation = operation.clone();
                    violations.push(Violation::FalseCommit { operation, found });
                }
                let Some((invoked, call)) = self.asked.get(operation) else { continue };
                if commit.at.is_some_and(|at| at < *invoked) {
                    let (call, operation) = (*call, operation.clone());
                    violations.push(Violation::Early { call, operation, found });
                }
            }
        }
        violations
    }
}

impl<O: Ord> Truth<'_, O> {
    pub(super) fn place(&self, operation: &O) -> Option<Position> {
        self.placed.get(operation).copied()
    }

    pub(super) fn operations(&self) -> usize {
        self.placed.len()
    }

    pub(super) fn unasked(&self) -> usize {
        self.placed.keys().filter(|operation| !self.asked.contains_key(*operation)).count()
    }

    /// The call with which `operation` began.
    pub(super) fn first_call(&self, operation: &O) -> Option<usize> {
        self.asked.get(operation).map(|(_, call)| *call)
    }

    /// The state before the history.
    pub(super) fn base(&self) -> u64 {
        self.commits.first().map_or(0, |commit| commit.parent)
    }

    /// The newest commit that can have existed at `moment`, or at the end.
    pub(super) fn newest(&self, moment: Option<Moment>) -> u64 {
        let existing = moment
            .map_or(self.born.len(), |moment| self.born.partition_point(|born| *born <= moment));
        let last = existing.checked_sub(1).and_then(|last| self.commits.get(last));
        last.map_or_else(|| self.base(), |commit| commit.number)
    }

    /// When commit `seq` came to exist, where the chain says so.
    pub(super) fn at(&self, seq: u64) -> Option<Moment> {
        let found = self.commits.binary_search_by_key(&seq, |commit| commit.number).ok()?;
        self.commits.get(found)?.at
    }
}

fn asked<O: Ord>(history: &History<O>) -> BTreeMap<&O, (Moment, usize)> {
    let mut asked = BTreeMap::new();
    for (index, call) in history.calls.iter().enumerate() {
        if let Answer::Commit { operation, .. } = &call.answer {
            let this = (call.invoked, index);
            let first = asked.entry(operation).or_insert(this);
            *first = this.min(*first);
        }
    }
    asked
}
