//! Validating a batch on a base.

use std::sync::Arc;

use bytes::Bytes;

use super::engine::Engine;
use super::member::{Answer, Committed, Member};
use super::session::Base;
use crate::error::{CommitError, Error};
use crate::id::CommitId;
use crate::machine::{Decision, Machine, Position};
use crate::record::Entries;
use crate::zoo::{Bug, planted};

/// What a batch comes to on one base. A member that fails fails alone.
pub(crate) struct Plan<M: Machine> {
    pub(crate) entries: Vec<Bytes>,
    /// Who wrote which entry, and what they hear once it is committed. A fence
    /// writes none.
    pub(crate) writers: Vec<Writer<M>>,
    /// What the others hear once the base is known to have been current.
    pub(crate) others: Vec<(Arc<Member<M>>, Other<M>)>,
    /// The state after the entries.
    pub(crate) state: M::State,
}

pub(crate) struct Writer<M: Machine> {
    pub(crate) member: Arc<Member<M>>,
    pub(crate) ordinal: Option<u32>,
    pub(crate) reply: Option<M::Reply>,
}

pub(crate) enum Other<M: Machine> {
    Answer(M::Reply),
    Reject(M::Rejection),
    Fail(Error),
}

impl<M: Machine> Engine<M> {
    /// Validates members in their order, each on the base and what those before
    /// it write, for a commit with this number. How many have found room.
    pub(crate) fn plan(
        &self,
        base: &Base<M::State>,
        seq: u64,
        members: &[Arc<Member<M>>],
    ) -> (Plan<M>, usize) {
        let state = base.state.clone();
        let mut plan = Plan { entries: Vec::new(), writers: Vec::new(), others: Vec::new(), state };
        let mut bytes = 0;
        for (taken, member) in members.iter().enumerate() {
            if bytes > self.options.batch_bytes {
                return (plan, taken);
            }
            bytes += self.place(seq, member, &mut plan);
        }
        (plan, members.len())
    }

    /// Validates one member; how many bytes it writes.
    fn place(&self, seq: u64, member: &Arc<Member<M>>, plan: &mut Plan<M>) -> usize {
        let member = Arc::clone(member);
        let Some(command) = &member.command else {
            plan.writers.push(Writer { member, ordinal: None, reply: None });
            return 0;
        };
        let ordinal = u32::try_from(plan.entries.len()).unwrap_or(u32::MAX);
        let position = Position { seq, ordinal };
        let (entry, reply) = match self.machine.decide(&plan.state, command, position) {
            Decision::Write { entry, reply } => (entry, reply),
            Decision::Answer(reply) => {
                plan.others.push((member, Other::Answer(reply)));
                return 0;
            }
            Decision::Reject(rejection) => {
                plan.others.push((member, Other::Reject(rejection)));
                return 0;
            }
        };
        if entry.len() > MAX_ENTRY {
            let error = Error::Store(ifmatch_core::Error::TooLarge {
                subject: "an entry of a commit".into(),
                size: entry.len() as u64,
                limit: MAX_ENTRY as u64,
            });
            plan.others.push((member, Other::Fail(error)));
            return 0;
        }
        let mut after = plan.state.clone();
        if let Err(damage) = self.machine.apply(&mut after, &entry, position) {
            let error = Error::invalid(format!("the machine refuses its own entry: {damage}"));
            plan.others.push((member, Other::Fail(error)));
            return 0;
        }
        plan.state = after;
        let bytes = entry.len();
        plan.entries.push(entry);
        plan.writers.push(Writer { member, ordinal: Some(ordinal), reply: Some(reply) });
        bytes
    }
}

/// Most bytes of one entry: what one request may carry.
const MAX_ENTRY: usize = 64 << 20;

impl<M: Machine> Plan<M> {
    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.writers.is_empty()
    }

    pub(crate) fn entries(&self) -> Entries {
        self.entries.iter().collect()
    }

    /// Everybody rides in this body; `false`, and nobody does, where a caller
    /// has left.
    pub(crate) fn board(&self, commit: CommitId) -> bool {
        let aboard =
            |writer: &Writer<M>| writer.member.send(commit, writer.ordinal.unwrap_or_default());
        if self.writers.iter().all(aboard) || planted(Bug::UnknownRidesAgain) {
            return true;
        }
        self.disembark();
        false
    }

    /// The body can never land.
    pub(crate) fn disembark(&self) {
        self.writers.iter().for_each(|writer| writer.member.unsend());
    }

    /// Whether anybody still waits.
    pub(crate) fn is_wanted(&self) -> bool {
        self.writers.iter().any(|writer| writer.member.is_live())
            || self.others.iter().any(|(member, _)| member.is_live())
    }

    /// The commit landed on the base that the plan was made for.
    pub(crate) fn landed(self, commit: CommitId) {
        for Writer { member, ordinal, reply } in self.writers {
            member.answer(Ok(Committed { commit, ordinal, reply }));
        }
        answer_others(self.others, commit);
    }

    /// Tells everybody before anything is sent: a planted bug.
    pub(crate) fn acknowledged(self, commit: CommitId) -> Self {
        let Self { writers, others, state, entries } = self;
        let told = Self { writers, others, state: state.clone(), entries: Vec::new() };
        told.landed(commit);
        Self { writers: Vec::new(), others: Vec::new(), state, entries }
    }

    /// The base was current at a moment after everybody's call began, and
    /// nothing was to be written.
    pub(crate) fn proven(self, base: CommitId) {
        answer_others(self.others, base);
    }

    /// Nothing was applied, and it makes no sense to go on.
    pub(crate) fn failed(self, error: &Error) {
        for Writer { member, .. } in self.writers {
            member.answer(Err(CommitError::Failed(error.clone())));
        }
        for (member, _) in self.others {
            member.answer(Err(CommitError::Failed(error.clone())));
        }
    }
}

fn answer_others<M: Machine>(others: Vec<(Arc<Member<M>>, Other<M>)>, commit: CommitId) {
    for (member, other) in others {
        let answer: Answer<M> = match other {
            Other::Answer(reply) => Ok(Committed { commit, ordinal: None, reply: Some(reply) }),
            Other::Reject(rejection) => Err(CommitError::Rejected(rejection)),
            Other::Fail(error) => Err(CommitError::Failed(error)),
        };
        member.answer(answer);
    }
}
