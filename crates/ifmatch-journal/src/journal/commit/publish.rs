//! One body on its way into the register, until its outcome is known.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Retry;

use crate::error::Error;
use crate::head::Head;
use crate::id::CommitId;
use crate::journal::backoff::Backoff;
use crate::journal::commit::draft::Draft;
use crate::journal::engine::{Engine, Found, Seen};
use crate::journal::read::adopt::rewound;
use crate::journal::read::session::{Base, Moment};
use crate::machine::Machine;
use crate::register::{Swap, Token};
use crate::rules::{Descent, Outcome, outcome_of};
use crate::zoo::{Bug, planted};

/// A slower answer says that something is wrong, not how far away the store is.
const SLOW: Duration = Duration::from_millis(250);

/// Who rides in a body.
pub(crate) trait Riders: Send + Sync {
    /// The body can never land.
    fn disembark(&self);
    /// Whether anybody still waits.
    fn is_wanted(&self) -> bool;
}

/// What became of a body.
pub(crate) enum Published {
    /// It is a commit.
    Landed,
    /// Another came first: it never will be. Whether the state has moved on to
    /// the winner's head.
    Lost { moved: bool },
    /// It cannot have been applied, and who rides may have changed: plan again.
    Changed,
    /// It cannot have been applied, and trying again makes no sense.
    Refused(Error),
    /// Everybody left while its outcome was open.
    Abandoned,
    /// The journal no longer tells.
    Forgotten,
}

enum Judgement {
    Landed {
        moved: bool,
    },
    Never {
        moved: bool,
    },
    /// The base is still the newest, under this token: send the same bytes.
    Open(Token),
    /// Read again later.
    Unclear,
    Forgotten,
}

impl<M: Machine> Engine<M> {
    /// Sends the body until its outcome is known, or nobody waits for it.
    ///
    /// Identical bytes may be sent any number of times: they land at most once,
    /// for the token dies with the first success.
    pub(crate) async fn publish(
        &self,
        base: &Arc<Base<M::State>>,
        draft: Draft<M::State>,
        riders: &dyn Riders,
        losses: u32,
        backoff: &mut Backoff<'_>,
    ) -> Published {
        let commit = draft.head.commit();
        let mut token = base.token.clone();
        // Whether a request with this body may still be under way.
        let mut loose = false;
        loop {
            let mut asked = None;
            let (sent, began) = (Moment::now(&self.env), self.env.now());
            self.stats.head_puts.add(1);
            let swap = self.within(self.register.replace(&token, draft.bytes.clone())).await;
            match swap {
                Some(Swap::Applied { token, date }) => {
                    self.measure(began);
                    let Draft { head, bytes, state } = draft;
                    let next = Base { head, bytes, token, state, written: date };
                    if self.session.advance(base, next).1 {
                        self.session.confirm(sent, &self.env);
                    }
                    return Published::Landed;
                }
                Some(Swap::Rejected { .. }) if planted(Bug::RejectionIsVerdict) => {
                    return Published::Lost { moved: false };
                }
                Some(Swap::Rejected { .. }) => {
                    loose = true;
                    self.let_others_pass(losses).await;
                }
                Some(Swap::Refused(error)) => {
                    let error = Error::from(error);
                    self.trouble(&error);
                    if !loose {
                        riders.disembark();
                        if error.retry() != Retry::Same {
                            return Published::Refused(error);
                        }
                        self.pause(backoff, Some(&error), riders).await;
                        return Published::Changed;
                    }
                }
                Some(Swap::Unknown(error)) => {
                    loose = true;
                    let error = Error::from(error);
                    self.trouble(&error);
                    asked = Some(error);
                    if planted(Bug::BlindRetry) {
                        return Published::Lost { moved: false };
                    }
                }
                None => {
                    loose = true;
                    self.trouble(&self.timed_out());
                }
            }
            loop {
                match self.judge(base, commit, &token).await {
                    Judgement::Landed { moved: true } => return Published::Landed,
                    Judgement::Landed { moved: false } => {
                        // Whoever is told sees it, though the newest head could not
                        // be adopted yet. The token is dead: the next look moves on.
                        let Draft { head, bytes, state } = draft;
                        let next = Base { head, bytes, token, state, written: None };
                        self.session.advance(base, next);
                        return Published::Landed;
                    }
                    Judgement::Never { moved } => return Published::Lost { moved },
                    Judgement::Forgotten => return Published::Forgotten,
                    Judgement::Open(now) => {
                        token = now;
                        if !riders.is_wanted() {
                            return Published::Abandoned;
                        }
                        self.pause(backoff, asked.as_ref(), riders).await;
                        break;
                    }
                    Judgement::Unclear => self.pause(backoff, None, riders).await,
                }
                if !riders.is_wanted() {
                    return Published::Abandoned;
                }
            }
        }
    }

    /// Reads the register once and applies the outcome rule.
    async fn judge(
        &self,
        base: &Arc<Base<M::State>>,
        commit: CommitId,
        token: &Token,
    ) -> Judgement {
        let found = match self.look(Some(token)).await {
            Ok(Seen::Found(found)) => *found,
            Ok(Seen::Unchanged) if planted(Bug::OpenIsNever) => {
                return Judgement::Never { moved: false };
            }
            Ok(Seen::Unchanged) => return Judgement::Open(token.clone()),
            Ok(Seen::Absent) => {
                self.trouble(&self.gone());
                return Judgement::Unclear;
            }
            Err(error) => {
                self.trouble(&error);
                return Judgement::Unclear;
            }
        };
        match self.outcome(commit, base, &found.head).await {
            Ok(Outcome::Committed) => {
                self.stats.read_back.add(1);
                Judgement::Landed { moved: self.move_on(found, base).await }
            }
            Ok(Outcome::Never) => Judgement::Never { moved: self.move_on(found, base).await },
            Ok(Outcome::Open) => Judgement::Open(found.token),
            Ok(Outcome::Beyond) => {
                self.move_on(found, base).await;
                Judgement::Forgotten
            }
            Ok(_) => Judgement::Unclear,
            Err(error) => {
                self.trouble(&error);
                Judgement::Unclear
            }
        }
    }

    /// What a head, its segments and its history say about our commit. A head
    /// that does not descend from our base is no witness.
    async fn outcome(
        &self,
        commit: CommitId,
        base: &Base<M::State>,
        head: &Head,
    ) -> Result<Outcome, Error> {
        let told = match outcome_of(commit, base.head.fork, Some(head)) {
            Outcome::Beyond if planted(Bug::AbsentIsNever) => Outcome::Never,
            Outcome::NoWitness if planted(Bug::StaleIsNever) => Outcome::Never,
            Outcome::Beyond => match self.record(head, commit.seq).await? {
                Some(record) if record.nonce == commit.nonce => Outcome::Committed,
                Some(_) => Outcome::Never,
                None => Outcome::Beyond,
            },
            told => told,
        };
        let mine = base.head.commit();
        let strays = match told {
            Outcome::NoWitness => true,
            Outcome::Committed | Outcome::Beyond => false,
            // Only what descends from our base tells what came after it.
            _ => self.relation(base, head).await? == Descent::Diverged,
        };
        if strays && !planted(Bug::StaleIsNever) && !planted(Bug::AdoptsAnything) {
            let other = head.journal != mine.journal || head.fork != base.head.fork;
            let error = if other { self.replaced(&base.head, head) } else { rewound(mine, head) };
            return Err(error);
        }
        Ok(told)
    }

    /// Adopts a head that was read on the way; whether that worked. If not, the
    /// next look does.
    async fn move_on(&self, found: Found, base: &Base<M::State>) -> bool {
        match self.adopt(found, base.head.seq).await {
            Ok(_) => true,
            Err(error) => {
                self.trouble(&error);
                false
            }
        }
    }

    /// Before looking who won: the fewer races were lost, the longer. What is
    /// read afterwards is then used at once, while it is the newest.
    async fn let_others_pass(&self, losses: u32) {
        let limit = {
            let (mut notes, now) = (self.notes(), self.env.now());
            let round_trip = notes.round_trip;
            notes.rivals.passes(now, round_trip, losses)
        };
        let pause = self.env.jitter(limit);
        if !pause.is_zero() {
            self.env.sleep(pause).await;
        }
    }

    /// Waits before the next attempt, unless nobody waits for it any more.
    async fn pause(&self, backoff: &mut Backoff<'_>, error: Option<&Error>, riders: &dyn Riders) {
        let mut pause = std::pin::pin!(backoff.pause(error));
        loop {
            tokio::select! {
                biased;
                () = &mut pause => return,
                () = self.left.notified() => if !riders.is_wanted() { return },
            }
        }
    }

    fn measure(&self, sent: Duration) {
        let took = self.env.now().saturating_sub(sent).min(SLOW);
        let mut notes = self.notes();
        notes.trouble = None;
        notes.round_trip =
            if notes.round_trip.is_zero() { took } else { (notes.round_trip * 7 + took) / 8 };
    }
}
