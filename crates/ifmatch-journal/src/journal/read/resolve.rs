//! What became of a commit, by its id alone.

use ifmatch_core::Retry;

use crate::error::{Error, Result};
use crate::id::CommitId;
use crate::journal::backoff::Backoff;
use crate::journal::engine::{Engine, Found, Seen};
use crate::journal::read::adopt::rewound;
use crate::journal::read::session::Base;
use crate::machine::Machine;
use crate::rules::{Descent, Outcome, outcome_of};
use crate::zoo::{Bug, planted};

/// What became of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Resolution {
    /// It is part of the history.
    Committed,
    /// It is not, and never will be.
    Never,
    /// Its base is still the newest commit: it is not part of the history, but a
    /// request under way may still make it so.
    Open,
    /// The journal no longer has the record that would tell.
    Forgotten,
}

impl<M: Machine> Engine<M> {
    pub(crate) async fn resolve(&self, commit: CommitId) -> Result<Resolution> {
        let fork = self.session.base().head.fork;
        let mine = self.session.base().head.journal;
        if commit.journal != mine {
            return Err(Error::invalid(format!(
                "commit {commit} is of another journal; {} is {mine}",
                self.what
            )));
        }
        let mut backoff = Backoff::start(&self.env, self.options.retry);
        loop {
            let known = self.session.base();
            match outcome_of(commit, fork, Some(&known.head)) {
                Outcome::Committed => return Ok(Resolution::Committed),
                Outcome::Never => return Ok(Resolution::Never),
                _ => {}
            }
            let error = match self.look(None).await {
                Ok(Seen::Found(found)) => match outcome_of(commit, fork, Some(&found.head)) {
                    _ if found.head.seq < known.head.seq => self.no_witness(commit, &found),
                    Outcome::NoWitness => self.no_witness(commit, &found),
                    outcome => match self.settle(commit, outcome, &known, &found).await {
                        // What was learned is also what is known from now on.
                        Ok(resolution) => match self.adopt(*found, known.head.seq).await {
                            Ok(_) => return Ok(resolution),
                            Err(error) => error,
                        },
                        Err(error) => error,
                    },
                },
                Ok(_) => self.gone(),
                Err(error) => error,
            };
            if error.retry() == Retry::Never && error.kind() == "denied" {
                return Err(error);
            }
            backoff.pause_after(error).await?;
        }
    }

    async fn settle(
        &self,
        commit: CommitId,
        outcome: Outcome,
        known: &Base<M::State>,
        found: &Found,
    ) -> Result<Resolution> {
        // Another branch tells nothing of what is on ours.
        if self.relation(known, &found.head).await? == Descent::Diverged {
            return Err(rewound(known.head.commit(), &found.head));
        }
        Ok(match outcome {
            Outcome::Committed => Resolution::Committed,
            Outcome::Never => Resolution::Never,
            Outcome::Open if planted(Bug::ResolveOpenIsNever) => Resolution::Never,
            Outcome::Open => Resolution::Open,
            Outcome::Beyond if planted(Bug::AbsentIsNever) => Resolution::Never,
            _ => match self.record(&found.head, commit.seq).await? {
                Some(record) if record.nonce == commit.nonce => Resolution::Committed,
                Some(_) => Resolution::Never,
                None => Resolution::Forgotten,
            },
        })
    }

    fn no_witness(&self, commit: CommitId, found: &Found) -> Error {
        let base = self.session.base();
        if found.head.journal != commit.journal || found.head.fork != base.head.fork {
            return self.replaced(&base.head, &found.head);
        }
        rewound(commit, &found.head)
    }
}
