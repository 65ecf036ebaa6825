//! A register behind a chain: what its states are, and the same history for
//! the other checker.

use std::collections::BTreeMap;

use ifmatch_testkit::check::chain::{Answer, History, Replay, Told};
use ifmatch_testkit::check::linear::{Call, Model, Register, RegisterAnswer, RegisterOp};

/// A history of one register, which holds 0 before the first commit.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) history: History<u64>,
    /// What each operation writes, by id.
    pub(crate) writes: BTreeMap<u64, RegisterOp<u64>>,
    /// The value after each commit, by number; the digest of a state is it.
    pub(crate) values: Vec<u64>,
}

impl Replay<u64> for Recorded {
    fn digest(&self, seq: u64) -> Option<u64> {
        self.values.get(usize::try_from(seq).unwrap()).copied()
    }

    fn rejects(&self, operation: &u64, seq: u64) -> bool {
        match self.writes[operation] {
            RegisterOp::Cas { expected, .. } => self.digest(seq) != Some(expected),
            _ => false,
        }
    }

    fn admits(&self, operation: &u64, seq: u64, _: u32) -> bool {
        !self.rejects(operation, seq - 1)
    }
}

/// The register with the number of its writes, as a client of a chain sees it.
pub(crate) struct Versioned;

/// What a client of [`Versioned`] is told.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Read { value: u64, seq: u64 },
    Committed { seq: u64, ordinal: u32 },
    Rejected,
}

impl Model for Versioned {
    type State = (u64, u64);
    type Op = RegisterOp<u64>;
    type Answer = Seen;

    fn start(&self) -> (u64, u64) {
        (0, 0)
    }

    fn apply(
        &self,
        state: &(u64, u64),
        op: &RegisterOp<u64>,
        answer: Option<&Seen>,
    ) -> Option<(u64, u64)> {
        let (value, seq) = *state;
        let written = match op {
            RegisterOp::Read => None,
            RegisterOp::Write(new) => Some(*new),
            RegisterOp::Cas { expected, new } => (*expected == value).then_some(*new),
            _ => return None,
        };
        let after = written.map_or(*state, |new| (new, seq + 1));
        let fits = match answer {
            None => true,
            Some(Seen::Read { value, seq }) => *state == (*value, *seq),
            Some(Seen::Committed { seq, ordinal }) => {
                written.is_some() && after.1 == *seq && *ordinal == 0
            }
            Some(Seen::Rejected) => written.is_none(),
        };
        fits.then_some(after)
    }
}

impl Recorded {
    /// The same calls for the search, without the chain. What was told "never"
    /// is left out: it claims to have no effect at all.
    pub(crate) fn versioned(&self) -> Vec<Call<RegisterOp<u64>, Seen>> {
        self.calls(|answer| match answer {
            Answer::Read { seq, digest, .. } => {
                Some(Seen::Read { value: digest.unwrap(), seq: *seq })
            }
            Answer::Commit { told: Told::Committed { seq, ordinal }, .. } => {
                Some(Seen::Committed { seq: *seq, ordinal: *ordinal })
            }
            Answer::Commit { told: Told::Rejected, .. } => Some(Seen::Rejected),
            _ => None,
        })
    }

    /// The same without any numbers, for the plain register.
    pub(crate) fn plain(&self) -> Vec<Call<RegisterOp<u64>, RegisterAnswer<u64>>> {
        self.calls(|answer| match answer {
            Answer::Read { digest, .. } => Some(RegisterAnswer::Value(digest.unwrap())),
            Answer::Commit { operation, told } => {
                let swap = matches!(self.writes[operation], RegisterOp::Cas { .. });
                match told {
                    Told::Committed { .. } if swap => Some(RegisterAnswer::Swapped(true)),
                    Told::Committed { .. } => Some(RegisterAnswer::Written),
                    Told::Rejected => Some(RegisterAnswer::Swapped(false)),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    /// The register that [`plain`](Self::plain) is of.
    pub(crate) const fn start() -> Register<u64> {
        Register { initial: 0 }
    }

    fn calls<A>(&self, told: impl Fn(&Answer<u64>) -> Option<A>) -> Vec<Call<RegisterOp<u64>, A>> {
        let mut calls = Vec::new();
        for call in &self.history.calls {
            let op = match &call.answer {
                Answer::Commit { told: Told::Never, .. } => continue,
                Answer::Commit { operation, .. } => self.writes[operation].clone(),
                _ => RegisterOp::Read,
            };
            let returned = call.returned.and_then(|at| Some((at, told(&call.answer)?)));
            calls.push(Call { invoked: call.invoked, returned, op });
        }
        calls
    }
}
