//! One batch: everything that waits, committed together, base after base.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Error as StoreError, Operation, Reason, Retry};

use crate::error::Error;
use crate::id::{CommitId, Nonce};
use crate::journal::backoff::Backoff;
use crate::journal::commit::member::Member;
use crate::journal::commit::plan::Plan;
use crate::journal::commit::publish::{Published, Riders};
use crate::journal::engine::{Engine, Seen};
use crate::journal::maintenance::fold::Fold;
use crate::journal::maintenance::maintain::is_overdue;
use crate::journal::read::session::{Base, Moment};
use crate::machine::Machine;
use crate::zoo::{Bug, planted};

pub(crate) struct Batch<'a, M: Machine> {
    engine: &'a Engine<M>,
    members: Vec<Arc<Member<M>>>,
    backoff: Backoff<'a>,
    losses: u32,
    /// Whether another's commit is known to stand on the base.
    stale: bool,
    /// The id of the last body; each has its own.
    nonce: Option<Nonce>,
    first: Option<Arc<Base<M::State>>>,
}

/// How a round ended.
enum Round {
    /// On with the next base, or again.
    Again,
    /// It is over; how many members landed.
    Over(Option<usize>),
}

enum Proof {
    Current,
    Moved,
    Unclear,
}

impl<'a, M: Machine> Batch<'a, M> {
    pub(crate) fn new(engine: &'a Engine<M>) -> Self {
        let backoff = Backoff::start(&engine.env, engine.options.retry);
        let (members, losses, stale) = (Vec::new(), 0, false);
        Self { engine, members, backoff, losses, stale, nonce: None, first: None }
    }

    /// Commits what waits, and what joins on the way; how many members landed.
    pub(crate) async fn commit(mut self) -> Option<usize> {
        loop {
            if let Round::Over(landed) = self.round().await {
                return landed;
            }
        }
    }

    async fn round(&mut self) -> Round {
        let engine = self.engine;
        if self.stale && !self.catch_up().await {
            return if self.members.is_empty() { Round::Over(None) } else { Round::Again };
        }
        engine.queue.board(&mut self.members, engine.options.batch.max(1));
        self.members.retain(|member| member.is_live() || planted(Bug::UnknownRidesAgain));
        if is_overdue(&engine.session.base().head) && engine.notes().fold.is_none() {
            // Counted; the commit goes on as long as its head can be read.
            let _ = engine.prepare_maintenance().await;
        }
        let base = engine.session.base();
        let fold = engine.fold_for(&base);
        if self.members.is_empty() && fold.is_none() {
            return Round::Over(None);
        }
        let first = Arc::clone(self.first.get_or_insert_with(|| Arc::clone(&base)));
        let valid = if planted(Bug::NoRevalidation) { &first } else { &base };
        let (plan, taken) = engine.plan(valid, base.head.seq + 1, &self.members);
        engine.queue.put_back(self.members.drain(taken..));
        if plan.is_empty() && fold.is_none() {
            return self.answer(&base, plan).await;
        }
        self.send(&base, plan, fold).await
    }

    /// Moves on to the winner's head before anything is validated again.
    async fn catch_up(&mut self) -> bool {
        match self.engine.look_until_answered().await {
            Ok(_) => self.stale = false,
            Err(error) => {
                self.engine.trouble(&error);
                self.backoff.pause(Some(&error)).await;
            }
        }
        self.members.retain(|member| member.is_live());
        !self.stale
    }

    /// Nothing is to be written: what is to be said is said only of a base that
    /// was the newest after every call began.
    async fn answer(&mut self, base: &Arc<Base<M::State>>, plan: Plan<M>) -> Round {
        match self.engine.prove(base).await {
            Proof::Current => {
                plan.proven(base.head.commit());
                return Round::Over(None);
            }
            Proof::Moved => {
                // What is known now was the newest at a moment after the look
                // began, and so during every call that waited for it.
                self.members.retain(|member| member.is_live());
                let base = self.engine.session.base();
                let (plan, taken) = self.engine.plan(&base, base.head.seq + 1, &self.members);
                if plan.is_empty() && taken == self.members.len() {
                    plan.proven(base.head.commit());
                    return Round::Over(None);
                }
            }
            Proof::Unclear => {
                let error = self.engine.last_trouble();
                self.backoff.pause(error.as_ref()).await;
            }
        }
        Round::Again
    }

    async fn send(
        &mut self,
        base: &Arc<Base<M::State>>,
        mut plan: Plan<M>,
        fold: Option<Fold>,
    ) -> Round {
        let engine = self.engine;
        if let Err(error) = engine.pass().await {
            return self.not_sent(plan, &error).await;
        }
        let drawn = Nonce::random(&engine.env);
        let kept = self.nonce.filter(|_| planted(Bug::IdKeptOverRebase));
        let nonce = *self.nonce.insert(kept.unwrap_or(drawn));
        // Everybody rides from here on, through the upload of a segment too: who
        // leaves meanwhile does not hold up the others.
        let commit = CommitId { journal: base.head.journal, seq: base.head.seq + 1, nonce };
        if !plan.board(commit) {
            engine.notes().fold = fold;
            return Round::Again;
        }
        let (entries, state) = (plan.entries(), plan.state.clone());
        let draft = match engine.draft(base, nonce, entries, state, fold.as_ref()).await {
            Ok(draft) => draft,
            Err(error) => {
                plan.disembark();
                return self.not_sent(plan, &error).await;
            }
        };
        let count = plan.writers.len();
        if planted(Bug::DirtyState) {
            engine.session.advance(base, base.with_state(draft.state.clone()));
        }
        if planted(Bug::AcknowledgeFirst) {
            plan = plan.acknowledged(commit);
        }
        let aboard = Aboard {
            plan: &plan,
            // Maintenance alone is given up when its time is over.
            until: fold.is_some().then(|| self.backoff.ends()),
            engine,
        };
        let folds = fold.is_some();
        let published = {
            let backoff = &mut self.backoff;
            engine.publish(base, draft, &aboard, self.losses, backoff).await
        };
        if let Some(fold) = fold {
            engine.fold_done(fold, &published);
        }
        match published {
            Published::Landed => {
                engine.stats.commits.add(1);
                engine.stats.commands.add(count as u64);
                plan.landed(commit);
                Round::Over(Some(count))
            }
            Published::Lost { moved } => {
                engine.stats.lost.add(1);
                plan.disembark();
                let blind = planted(Bug::BlindRetry) || planted(Bug::OpenIsNever);
                self.stale = !moved && !blind;
                self.losses += 1;
                Round::Again
            }
            Published::Changed => Round::Again,
            // Without the maintenance there may be nothing to write.
            Published::Refused(_) if folds => Round::Again,
            Published::Refused(error) => {
                plan.failed(&error);
                Round::Over(None)
            }
            Published::Abandoned => {
                engine.stats.abandoned.add(1);
                if planted(Bug::UnknownRidesAgain) {
                    return Round::Again;
                }
                Round::Over(None)
            }
            Published::Forgotten => {
                engine.stats.abandoned.add(1);
                plan.forgotten(commit, &engine.forgotten());
                Round::Over(None)
            }
        }
    }

    /// The store did not pass, or a segment could not be written.
    async fn not_sent(&mut self, plan: Plan<M>, error: &Error) -> Round {
        self.engine.trouble(error);
        if !matches!(error.retry(), Retry::Same | Retry::Verify) {
            plan.failed(error);
            return Round::Over(None);
        }
        self.backoff.pause(Some(error)).await;
        Round::Again
    }
}

impl<M: Machine> Engine<M> {
    /// Whether the base is the newest, at a moment after now.
    async fn prove(&self, base: &Arc<Base<M::State>>) -> Proof {
        if planted(Bug::ConflictFromCache) {
            return Proof::Current;
        }
        let looked = Moment::now(&self.env);
        let error = match self.look(Some(&base.token)).await {
            Ok(Seen::Unchanged) => {
                self.session.confirm(looked, &self.env);
                return Proof::Current;
            }
            Ok(Seen::Found(found)) => match self.adopt(*found, base.head.seq).await {
                Ok(_) => return Proof::Moved,
                Err(error) => error,
            },
            Ok(Seen::Absent) => self.gone(),
            Err(error) => error,
        };
        self.trouble(&error);
        Proof::Unclear
    }

    fn forgotten(&self) -> Error {
        Error::Store(StoreError::unavailable(
            Operation::Put,
            Arc::clone(&self.what),
            Reason::new("the journal no longer tells what became of the commit"),
        ))
    }
}

/// Those who ride in a body.
struct Aboard<'a, M: Machine> {
    plan: &'a Plan<M>,
    until: Option<Duration>,
    engine: &'a Engine<M>,
}

impl<M: Machine> Riders for Aboard<'_, M> {
    fn disembark(&self) {
        self.plan.disembark();
    }

    fn is_wanted(&self) -> bool {
        self.plan.is_wanted() || self.until.is_some_and(|until| self.engine.env.now() < until)
    }
}
