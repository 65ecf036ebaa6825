//! Validating a batch on a base.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{CommitError, Error};
use crate::id::CommitId;
use crate::journal::commit::member::{Answer, Committed, Member};
use crate::journal::engine::Engine;
use crate::journal::read::session::Base;
use crate::machine::{Damage, Decision, Machine, Position};
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
        // A member whose entry its own machine refuses spoils the state, which is
        // then made anew without it; so does one that shows too much in the head.
        let (mut broken, mut careful) = (Vec::new(), false);
        'anew: loop {
            let state = base.state.clone();
            let (entries, writers, others) = (Vec::new(), Vec::new(), Vec::new());
            let mut plan = Plan { entries, writers, others, state };
            let mut bytes = 0;
            for (taken, member) in members.iter().enumerate() {
                if broken.contains(&taken) {
                    continue;
                }
                let placed = self.place(seq, member, bytes, &mut plan).map_err(|damage| {
                    Error::invalid(format!("the machine refuses its own entry: {damage}"))
                });
                let shown = || if careful { self.shows(&plan) } else { Ok(()) };
                match placed.and_then(|more| shown().map(|()| more)) {
                    Ok(Some(more)) => bytes += more,
                    Ok(None) => return (plan, taken),
                    Err(error) => {
                        member.answer(Err(CommitError::Failed(error)));
                        broken.push(taken);
                        continue 'anew;
                    }
                }
            }
            if !careful && self.shows(&plan).is_err() {
                careful = true;
                continue 'anew;
            }
            return (plan, members.len());
        }
    }

    /// What the machine shows in the head is small.
    fn shows(&self, plan: &Plan<M>) -> Result<(), Error> {
        let size = self.machine.application(&plan.state).len();
        if size <= MAX_APPLICATION {
            return Ok(());
        }
        let subject = "what the machine shows in the head".into();
        let (size, limit) = (size as u64, MAX_APPLICATION as u64);
        Err(Error::Store(ifmatch_core::Error::TooLarge { subject, size, limit }))
    }

    /// Validates one member; how many bytes it writes, `None` where they find no
    /// room beside the others.
    fn place(
        &self,
        seq: u64,
        member: &Arc<Member<M>>,
        bytes: usize,
        plan: &mut Plan<M>,
    ) -> Result<Option<usize>, Damage> {
        let member = Arc::clone(member);
        let Some(command) = &member.command else {
            plan.writers.push(Writer { member, ordinal: None, reply: None });
            return Ok(Some(0));
        };
        let ordinal = u32::try_from(plan.entries.len()).unwrap_or(u32::MAX);
        let position = Position { seq, ordinal };
        let (entry, reply) = match self.machine.decide(&plan.state, command, position) {
            Decision::Write { entry, reply } => (entry, reply),
            Decision::Answer(reply) => {
                plan.others.push((member, Other::Answer(reply)));
                return Ok(Some(0));
            }
            Decision::Reject(rejection) => {
                plan.others.push((member, Other::Reject(rejection)));
                return Ok(Some(0));
            }
        };
        if entry.len() > MAX_ENTRY {
            let error = Error::Store(ifmatch_core::Error::TooLarge {
                subject: "an entry of a commit".into(),
                size: entry.len() as u64,
                limit: MAX_ENTRY as u64,
            });
            plan.others.push((member, Other::Fail(error)));
            return Ok(Some(0));
        }
        if !plan.entries.is_empty() && bytes + entry.len() > self.options.batch_bytes {
            return Ok(None);
        }
        self.machine.apply(&mut plan.state, &entry, position)?;
        let bytes = entry.len();
        plan.entries.push(entry);
        plan.writers.push(Writer { member, ordinal: Some(ordinal), reply: Some(reply) });
        Ok(Some(bytes))
    }
}

/// Most bytes that a machine shows in the head.
const MAX_APPLICATION: usize = 256 << 10;
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

    /// What became of the commit cannot be told any more.
    pub(crate) fn forgotten(self, commit: CommitId, error: &Error) {
        for Writer { member, ordinal, .. } in self.writers {
            let open = error.clone().leaving_open(commit, ordinal.unwrap_or_default());
            member.answer(Err(CommitError::Failed(open)));
        }
        for (member, _) in self.others {
            member.answer(Err(CommitError::Failed(error.clone())));
        }
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
