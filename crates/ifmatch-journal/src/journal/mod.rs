//! The engine: a state machine on a journal, shared by any number of writers.

mod backoff;
mod commit;
mod engine;
mod maintenance;
mod objects;
mod open;
mod options;
mod read;
mod stats;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use ifmatch_core::Background;

use commit::member::{self, Answer, At, Leaving, Member};
use engine::Engine;
use read::follow;

pub use commit::member::Committed;
pub use options::{Freshness, Options, Place, Seen};
pub use read::follow::Pace;
pub use read::resolve::Resolution;
pub use read::snapshot::Snapshot;
pub use read::verify::{Damaged, Verified, verify};
pub use stats::Totals;

use crate::error::{CommitError, Error, Result};
use crate::id::CommitId;
use crate::machine::Machine;
use crate::record::CommitRecord;
use crate::zoo::{Bug, planted};

/// A state machine on a journal. Clones share everything.
///
/// # Contract
/// 1. *One order.* Commits are numbered without gaps; every reader sees them in
///    that order, each whole or not at all.
/// 2. *True outcomes.* A commit is answered as committed, rejected (on a state
///    that was the newest at some moment during the call), or unknown; an
///    unknown one can be resolved, in this process or a later one.
/// 3. *Nothing twice.* A command that was committed is part of one commit.
/// 4. *Sessions go forward.* What a handle shows is never older than what it
///    showed before, or than what it committed.
///
/// # Examples
/// ```
/// use ifmatch_core::{Env, MemoryBlobStore};
/// use ifmatch_journal::kv::{Command, KeyValue};
/// use ifmatch_journal::{Freshness, Journal, Options};
/// use std::sync::Arc;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = Arc::new(MemoryBlobStore::new(Env::real()));
/// let journal = Journal::open(store, KeyValue, Options::create()).await?;
/// journal.commit(Command::put("greeting", "hello")).await?;
/// let now = journal.read(Freshness::Strong).await?;
/// assert_eq!(now.state().value("greeting"), Some(&b"hello"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Journal<M: Machine> {
    engine: Arc<Engine<M>>,
    tasks: Arc<Tasks>,
}

/// What works for a journal; ends with its last clone.
#[derive(Debug)]
struct Tasks {
    _committer: Background,
    _reader: Background,
}

impl<M: Machine> Journal<M> {
    /// Commits a command, together with whatever else is under way.
    ///
    /// # Atomicity
    /// All of its entry or nothing. A command that fails fails alone.
    ///
    /// # Consistency
    /// Committed: it is part of the history, for every reader from now on. A
    /// rejection is true of a state that was the newest during the call.
    ///
    /// # Errors
    /// - [`CommitError::Rejected`]: nothing was applied.
    /// - [`CommitError::Failed`]: nothing was applied, unless
    ///   [`Error::pending`] names a commit, which may have been applied.
    ///
    /// # Cancellation
    /// Dropping the call leaves the outcome unknown, and harms nobody else: the
    /// committer goes on with what was sent. What was not sent yet never will be.
    ///
    /// # Cost
    /// One request without contention, two when the tail spills, shared by all
    /// who commit together; for each lost race one more read and write. A
    /// rejection alone costs one request without a body.
    pub async fn commit(
        &self,
        command: M::Command,
    ) -> Result<Committed<M::Reply>, CommitError<M::Rejection>> {
        member::with_reply::<M>(self.ride(Some(command)).await)
    }

    /// Commits nothing: afterwards no request that was sent before can land.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), never rejected.
    ///
    /// # Cost
    /// As a commit.
    pub async fn fence(&self) -> Result<CommitId> {
        match self.ride(None).await {
            Ok(committed) => Ok(committed.commit),
            Err(CommitError::Failed(error)) => Err(error),
            Err(CommitError::Rejected(_)) => Err(Error::invalid("a fence is never rejected")),
        }
    }

    async fn ride(&self, command: Option<M::Command>) -> Answer<M> {
        let (member, mut answer) = Member::new(command);
        let _leaving = Leaving { member: &member, left: &self.engine.left };
        if *self.engine.ended.borrow() {
            return Err(CommitError::Failed(self.closed()));
        }
        let began = self.engine.env.now();
        let mut ended = self.engine.ended.subscribe();
        self.engine.queue.push(Arc::clone(&member));
        let deadline = self.engine.env.sleep(self.engine.options.retry.deadline);
        tokio::select! {
            biased;
            told = &mut answer => if let Ok(told) = told { return told },
            () = deadline => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
        // Nobody answered in time: what is known of the member?
        let left = member.leave();
        if let Ok(answer) = answer.try_recv() {
            return answer;
        }
        let dead = *self.engine.ended.borrow();
        let error = if dead { self.closed() } else { self.engine.out_of_time(began) };
        Err(CommitError::Failed(match left {
            At::Sent(_, _) if planted(Bug::TimeoutIsFailure) => error,
            At::Sent(commit, ordinal) => error.leaving_open(commit, ordinal),
            At::Waiting | At::Left => error,
        }))
    }

    /// The committer has ended: its machine panicked.
    fn closed(&self) -> Error {
        let what = format!("{}: its machine panicked; open it again", self.engine.what);
        Error::Store(ifmatch_core::Error::Closed { what: what.into() })
    }

    /// The state of one commit, as fresh as wanted.
    ///
    /// # Consistency
    /// A snapshot: it never changes. `Strong` is the newest commit at some moment
    /// after the call began; nothing is older than what this handle has shown
    /// before.
    ///
    /// # Errors
    /// `Unavailable`, `Denied`; `RemoteGone`, `RemoteReplaced`, `RemoteRewound`
    /// once the policy's deadline has shown that it is no stale read.
    ///
    /// # Cost
    /// `Strong`: one request, no body where nothing changed; the tail lies in the
    /// answer. Behind by more than the tail: its segments, or the checkpoint.
    /// Callers at the same time share it.
    pub async fn read(&self, freshness: Freshness) -> Result<Snapshot<M>> {
        Ok(Snapshot::new(self.engine.fresh(freshness).await?))
    }

    /// The state after the commit `seq`, from the checkpoint before it.
    ///
    /// # Errors
    /// `Invalid` for a commit that is not there yet; `NotFound` where the journal
    /// no longer has what is needed.
    ///
    /// # Cost
    /// What [`read`](Self::read) costs, the checkpoint and the segments since it.
    pub async fn state_at(&self, seq: u64) -> Result<M::State> {
        self.engine.state_of(seq).await
    }

    /// The commits after `after`, up to the newest.
    ///
    /// # Errors
    /// `NotFound` where the journal no longer has a commit.
    ///
    /// # Cost
    /// What a strong read costs, then one request per segment.
    pub fn log(&self, after: u64) -> BoxStream<'_, Result<CommitRecord>> {
        follow::log(&self.engine, after)
    }

    /// The commits after `after`, for ever: looks for news at this pace.
    ///
    /// # Errors
    /// As [`log`](Self::log); the stream goes on after an error that may pass.
    ///
    /// # Cost
    /// One request without a body per look, what was committed meanwhile else.
    pub fn follow(&self, after: u64, pace: Pace) -> BoxStream<'_, Result<CommitRecord>> {
        follow::follow(&self.engine, after, pace)
    }

    /// What became of a commit whose outcome is unknown; also of one of another
    /// process.
    ///
    /// # Errors
    /// `Invalid` for a commit of another journal; as [`read`](Self::read).
    ///
    /// # Cost
    /// One request; a few more for a commit of long ago.
    pub async fn resolve(&self, commit: CommitId) -> Result<Resolution> {
        self.engine.resolve(commit).await
    }

    /// The same, but never [`Resolution::Open`]: ends it by an empty commit.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve) and [`commit`](Self::commit).
    ///
    /// # Cost
    /// At most two reads and a commit.
    pub async fn resolve_or_fence(&self, commit: CommitId) -> Result<Resolution> {
        loop {
            match self.resolve(commit).await? {
                Resolution::Open => self.fence().await?,
                settled => return Ok(settled),
            };
        }
    }

    /// The first half of the nonce of the commit `seq`: what tells it from a
    /// commit of the same number on another branch. `None` where what this
    /// handle knows has no such commit, or no longer its record.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// # Cost
    /// None for the last 128 commits; a few requests for a commit of long ago.
    pub async fn bits(&self, seq: u64) -> Result<Option<u64>> {
        self.engine.bits(seq).await
    }

    /// Commits a checkpoint of what is known, now.
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    ///
    /// # Cost
    /// One request per part that changed, two for history, and a commit.
    pub async fn checkpoint(&self) -> Result<u64> {
        let deadline = self.engine.options.retry.deadline;
        let ends = self.engine.env.now().saturating_add(deadline);
        loop {
            let base = self.engine.session.base();
            let fold = self.engine.prepare_checkpoint(&base).await?;
            self.engine.notes().fold = Some(fold);
            self.fence().await?;
            let head = &self.engine.session.base().head;
            match &head.checkpoint {
                Some(checkpoint) if checkpoint.seq >= base.head.seq => return Ok(checkpoint.seq),
                _ if self.engine.env.now() >= ends => {
                    return Err(self.engine.out_of_time(Duration::ZERO));
                }
                // Others fold the same segments: once more, on what they left.
                _ => {}
            }
        }
    }

    /// Does the maintenance that is due, if any, before a program ends; whether
    /// it has done some. A handle that lives on does it by itself.
    ///
    /// # Errors
    /// As [`checkpoint`](Self::checkpoint).
    pub async fn maintain(&self) -> Result<bool> {
        if !self.engine.prepare_maintenance().await? {
            return Ok(false);
        }
        let folded = |totals: Totals| totals.checkpoints + totals.merges;
        let before = folded(self.totals());
        self.fence().await?;
        Ok(folded(self.totals()) > before)
    }

    /// What this handle knows, without a request and without waiting.
    pub fn known(&self) -> Snapshot<M> {
        Snapshot::new(self.engine.session.base())
    }

    /// What this handle has seen, for a program that wants to notice after a
    /// restart that the journal was rewound or replaced.
    pub fn seen(&self) -> Seen {
        self.engine.session.base().seen()
    }

    /// What this handle has done so far.
    pub fn totals(&self) -> Totals {
        self.engine.stats.totals()
    }
}

impl<M: Machine> Clone for Journal<M> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), tasks: Arc::clone(&self.tasks) }
    }
}

impl<M: Machine> fmt::Debug for Journal<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commit = self.engine.session.base().head.commit();
        write!(f, "Journal({} at {commit})", self.engine.what)
    }
}
