//! Moving a state to a head that was read.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Replaced, Result, Rewound};
use crate::head::Head;
use crate::journal::engine::{Engine, Found};
use crate::journal::read::records::{reach, tail_start};
use crate::journal::read::session::Base;
use crate::machine::{Machine, Position};
use crate::record::CommitRecord;
use crate::rules::{Descent, descent};
use crate::zoo::{Bug, planted};

/// Commits that are older than this beside the newest are no rivals'.
const RECENT: Duration = Duration::from_secs(5);

impl<M: Machine> Engine<M> {
    /// Moves on to a head, if it descends from what is known. Gives back what
    /// is known afterwards: that head, or a newer one. `known` is the newest commit
    /// that was known before the head was asked for.
    ///
    /// # Errors
    /// `RemoteRewound` for an older head too; it may be a stale read, so the
    /// caller reads again.
    pub(crate) async fn adopt(&self, found: Found, known: u64) -> Result<Arc<Base<M::State>>> {
        loop {
            let base = self.session.base();
            let relation = self.relation(&base, &found.head).await?;
            let state = match relation {
                Descent::Same if base.token == found.token => return Ok(base),
                Descent::Same => base.state.clone(),
                Descent::Ahead => self.catch_up(&base, &found.head).await?,
                Descent::Beyond => self.load(&found.head).await?,
                Descent::Older if planted(Bug::SessionGoesBack) => self.load(&found.head).await?,
                // The answer is late: somebody moved on while it was on its way.
                Descent::Older if found.head.seq >= known => return Ok(base),
                Descent::Older | Descent::Diverged => {
                    return Err(rewound(base.head.commit(), &found.head));
                }
                Descent::Replaced => return Err(self.replaced(&base.head, &found.head)),
            };
            let Found { head, bytes, token, written } = found.clone();
            let next = Base { head, bytes, token, state, written };
            let (known, moved) = self.session.advance(&base, next);
            if moved {
                return Ok(known);
            }
            // Somebody else moved on meanwhile: how does the head stand to that?
        }
    }

    /// How a head stands to what is known; where it does not reach back so far
    /// itself, segments and history tell.
    pub(crate) async fn relation(&self, base: &Base<M::State>, head: &Head) -> Result<Descent> {
        let mine = base.head.commit();
        let relation = descent(mine, base.head.fork, head);
        if planted(Bug::AdoptsAnything) && head.seq > mine.seq {
            return Ok(Descent::Ahead);
        }
        if relation != Descent::Beyond {
            return Ok(relation);
        }
        Ok(match self.record(head, mine.seq).await? {
            Some(record) if record.nonce == mine.nonce => Descent::Ahead,
            Some(_) => Descent::Diverged,
            None => Descent::Beyond,
        })
    }

    /// The base's state with everything that was committed since.
    async fn catch_up(&self, base: &Base<M::State>, head: &Head) -> Result<M::State> {
        let (mut first, last) = (base.head.seq + 1, head.seq);
        if first < reach(head) && head.checkpoint.is_some() && !planted(Bug::TailIsAll) {
            return self.load(head).await;
        }
        if planted(Bug::TailIsAll) || planted(Bug::TailAppliedTwice) {
            first = tail_start(head);
        }
        let records = self.records(head, first, last).await?;
        let mut state = base.state.clone();
        self.apply(&mut state, &records)?;
        self.meet(&records);
        Ok(state)
    }

    /// Remembers who commits beside us; what is long past is no rivalry.
    fn meet(&self, records: &[CommitRecord]) {
        let newest = records.last().and_then(|record| record.base_time);
        let recent = |record: &&CommitRecord| {
            let ages = newest.zip(record.base_time);
            ages.is_none_or(|(newest, at)| newest.since(at) <= RECENT)
        };
        let (now, mut notes) = (self.env.now(), self.notes());
        let round_trip = notes.round_trip;
        for record in records.iter().filter(recent).filter(|at| at.writer != self.writer) {
            notes.rivals.met(record.writer, now, round_trip);
        }
    }

    /// The state of a head, loaded anew: two or three round trips.
    pub(crate) async fn load(&self, head: &Head) -> Result<M::State> {
        self.state_at(head, head.checkpoint.as_ref(), head.seq).await
    }

    /// The state at `seq`, from a checkpoint at or before it.
    pub(crate) async fn state_at(
        &self,
        head: &Head,
        checkpoint: Option<&crate::head::CheckpointRef>,
        seq: u64,
    ) -> Result<M::State> {
        let first = checkpoint.map_or(1, |checkpoint| checkpoint.seq + 1);
        let parts = async {
            match checkpoint {
                Some(checkpoint) => self.objects.parts(checkpoint).await.map(Some),
                None => Ok(None),
            }
        };
        let records = self.records(head, first, seq);
        let (parts, records) = futures::future::try_join(parts, records).await?;
        let mut state = match parts {
            Some(parts) => self.machine.restore(&parts).map_err(|damage| {
                Error::corrupt(format!("the checkpoint at {}", first - 1), damage.to_string())
            })?,
            None => self.machine.empty(),
        };
        self.apply(&mut state, &records)?;
        Ok(state)
    }

    fn apply(&self, state: &mut M::State, records: &[CommitRecord]) -> Result<()> {
        for record in records {
            for (ordinal, entry) in (0..).zip(record.entries.iter()) {
                let position = Position { seq: record.seq, ordinal };
                self.machine.apply(state, &entry, position).map_err(|damage| {
                    Error::corrupt(
                        format!("entry {ordinal} of commit {}", record.seq),
                        damage.to_string(),
                    )
                })?;
            }
        }
        Ok(())
    }

    pub(crate) fn replaced(&self, mine: &Head, theirs: &Head) -> Error {
        let what = Arc::clone(&self.what);
        let (mine, theirs) = (mine.journal, theirs.journal);
        Error::RemoteReplaced(Box::new(Replaced { what, mine, theirs, pending: None }))
    }
}

pub(crate) fn rewound(mine: crate::id::CommitId, theirs: &Head) -> Error {
    Error::RemoteRewound(Box::new(Rewound { mine, theirs: theirs.commit(), pending: None }))
}
