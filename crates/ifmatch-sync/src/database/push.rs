//! Publishing local changes.

use ifmatch_core::{
    ConditionalBlobStore, Current, Error as StoreError, Operation, OutcomeUnknown, Precondition,
    Reason,
};

use super::SyncedDatabase;
use super::report::{Outcome, SyncReport};
use super::work::Work;
use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result, SyncConflict};
use crate::local::{Base, connect, take_snapshot, verify, write_mark};
use crate::options::{Locking, OnConflict};
use crate::remote::{Head, Packed, head_key, pack, snapshot_key};

/// How often a push begins anew when the base turns out to be known under
/// another version.
const MAX_ROUNDS: u32 = 8;

impl SyncedDatabase {
    /// Publishes the local changes, if nobody published since this copy's base.
    ///
    /// # Atomicity
    /// Others see all of it or nothing. What is committed in the file when the
    /// push takes its snapshot is published; later changes belong to the next.
    ///
    /// # Errors
    /// - [`Error::Conflict`]: nothing was published. The local changes stay
    ///   where they are, unless [`OnConflict::Reload`] says otherwise.
    /// - [`Error::Store`] with `outcome_unknown`: it may have been published;
    ///   the next operation finds out, and a next push of the same content
    ///   never publishes it twice.
    /// - [`Error::Swapped`]: the file is not the one that this copy was.
    /// - everything else: nothing was published.
    ///
    /// # Cost
    /// Nothing changed: no request. Otherwise two: the snapshot, the head; one
    /// more the first time a copy publishes through an endpoint, and a probe
    /// where nobody has published through it before. One or two more where the
    /// outcome of an earlier push is unknown, and one with [`Locking::None`].
    pub async fn push(&self) -> Result<SyncReport> {
        let mut work = self.work().await?;
        let mode = match self.options.locking {
            Locking::Optimistic => Mode::Checked,
            Locking::None => Mode::Unchecked,
        };
        match work.push(mode).await {
            Err(Error::Conflict(conflict)) if self.options.on_conflict == OnConflict::Reload => {
                let reloaded = work.reload().await?;
                Err(Error::Conflict(Box::new(SyncConflict {
                    remote: reloaded.base,
                    reloaded: true,
                    saved: reloaded.saved,
                    ..*conflict
                })))
            }
            pushed => pushed,
        }
    }

    /// Publishes the local content whatever is there, as a commit on top of it;
    /// the report names the commit that it replaced.
    ///
    /// # Errors
    /// As [`push`](Self::push), without conflicts and without
    /// [`Error::Swapped`].
    ///
    /// # Cost
    /// One request more than a push.
    pub async fn push_force(&self) -> Result<SyncReport> {
        self.work().await?.push(Mode::Forced).await
    }

    /// Publishes what is local, or adopts what is remote. Where there is both,
    /// that is a conflict.
    ///
    /// # Errors
    /// As [`push`](Self::push) and [`pull`](Self::pull).
    pub async fn sync(&self) -> Result<SyncReport> {
        let changed = self.work().await?.has_local_changes().await?;
        if changed { self.push().await } else { self.pull().await }
    }
}

/// What may stand in the way of a push.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// What others published since the base.
    Checked,
    /// Nothing; but a copy without changes publishes nothing.
    Unchecked,
    /// Nothing: the content is published, old or new, ours or swapped in.
    Forced,
}

impl Work<'_> {
    pub(super) async fn push(&mut self, mode: Mode) -> Result<SyncReport> {
        if mode != Mode::Forced && self.sidecar.pending.is_empty() && self.is_clean().await? {
            return self.nothing_to_do();
        }
        // Something of ours may have been published: that comes first.
        let known = self.sidecar.base.as_ref().is_none_or(|base| base.version.is_some());
        let sure = known && self.sidecar.pending.is_empty();
        let mut ahead = if mode == Mode::Checked && sure { None } else { self.ahead().await? };
        let mut tried = Vec::new();
        for round in 0.. {
            if (mode != Mode::Forced || ahead.is_none()) && self.is_clean().await? {
                return self.nothing_to_do();
            }
            if mode != Mode::Forced {
                self.sidecar.check(&self.path(), self.mark().await?)?;
            }
            if let Some(ahead) = &ahead
                && mode == Mode::Checked
            {
                return Err(self.overtaken(ahead));
            }
            let replaced = ahead.as_ref().map(Base::commit);
            let on = ahead.or_else(|| self.sidecar.base.clone());
            let expected = expected(on.as_ref())?;
            let head = self.prepare(mode, on.as_ref()).await.map_err(nothing_published)?;
            let commit = head.commit();
            tried.push((commit, replaced));
            let error = match head.put(&self.store, expected).await {
                Ok(stored) => {
                    self.adopt(Base { head, version: Some(stored.version) }).await?;
                    return Ok(self.committed(commit, replaced));
                }
                Err(error) if !decides_nothing(&error) => return Err(error),
                Err(error) => error,
            };
            let unknown = error.kind() == "outcome_unknown";
            ahead = match self.ahead().await {
                // What was sent may have been applied, whatever this look says.
                Err(_) if unknown => return Err(error),
                found => found?,
            };
            let base = self.sidecar.base.as_ref().map(Base::commit);
            if let Some((commit, replaced)) = tried.iter().find(|(id, _)| Some(*id) == base) {
                return Ok(self.committed(*commit, *replaced));
            }
            let open = unknown && self.sidecar.pending_ids().contains(&commit);
            if open || ahead.is_none() && round >= MAX_ROUNDS {
                return Err(error);
            }
        }
        Err(Error::invalid("a push that never ended"))
    }

    fn nothing_to_do(&self) -> Result<SyncReport> {
        match &self.sidecar.base {
            Some(base) => Ok(self.report(Outcome::Clean, base.commit())),
            None => Err(Error::invalid("a copy without a base is never clean")),
        }
    }

    fn committed(&self, commit: CommitId, replaced: Option<CommitId>) -> SyncReport {
        let mut report = self.report(Outcome::Committed, commit);
        report.replaced = replaced;
        report
    }

    /// Why nothing can be published on the base any more.
    fn overtaken(&self, ahead: &Base) -> Error {
        if self.sidecar.is_past(&ahead.head) {
            return forgotten().unwrap_or_else(|error| error);
        }
        Error::Conflict(Box::new(SyncConflict {
            base: self.sidecar.base.as_ref().map(Base::commit),
            remote: ahead.commit(),
            reloaded: false,
            saved: None,
        }))
    }

    /// Stores the local content and makes the head that publishes it on `on`;
    /// nothing is visible yet.
    async fn prepare(&mut self, mode: Mode, on: Option<&Base>) -> Result<Head> {
        self.vouch().await?;
        if let Some(head) = self.again(on).await? {
            return Ok(head);
        }
        let env = self.database.store.env();
        let seq = on.map_or(0, |on| on.commit().seq()) + 1;
        let commit = CommitId::new(env, seq);
        let journal = on.map_or(self.sidecar.journal, |on| on.head.journal);
        // Before it is put into the database: after a crash in between the file
        // must not look like a stranger's.
        self.sidecar.draw(commit);
        self.save().await?;
        let packed = self.pack(mode, (journal, commit)).await?;
        let time = env.wall_clock();
        let head = Head::on(journal, on.map(|on| &on.head), commit, packed.reference, time);
        self.store.put(&snapshot_key(&commit)?, packed.body, Precondition::Overwrite).await?;
        // From here on the commit may become visible: remember it first.
        self.sidecar.expect(&head, on);
        self.save().await?;
        Ok(head)
    }

    /// The commit that an earlier push sent, where its outcome is unknown and
    /// nothing was changed since.
    async fn again(&self, on: Option<&Base>) -> Result<Option<Head>> {
        if self.sidecar.pending.is_empty() {
            return Ok(None);
        }
        let content = self.snapshot().await?.content;
        let Some(head) = self.sidecar.again(on, &content) else { return Ok(None) };
        let stored = self.store.head(&snapshot_key(&head.commit())?).await?;
        Ok(stored.map(|_| head))
    }

    /// Marks the database with the commit and takes its snapshot.
    async fn pack(&self, mode: Mode, mark: (JournalId, CommitId)) -> Result<Packed> {
        let (path, options) = (self.path(), self.database.options.clone());
        let sidecar = self.sidecar.clone();
        self.blocking(move || {
            let connection = connect(&path, options.wait)?;
            // The file may have been swapped since the last look.
            write_mark(&connection, &path, mark, options.wait, |found| match mode {
                Mode::Forced => Ok(()),
                Mode::Checked | Mode::Unchecked => sidecar.check(&path, found),
            })?;
            let mut snapshot = take_snapshot(&connection, &path)?;
            drop(connection);
            verify(snapshot.file.path(), &path.display().to_string(), mark)?;
            pack(snapshot.file.as_file_mut(), &path, &snapshot.content, options.max_database)
        })
        .await
    }
}

/// What a commit on `on` depends on.
fn expected(on: Option<&Base>) -> Result<Precondition> {
    match on {
        None => Ok(Precondition::IfAbsent),
        Some(Base { version: Some(version), .. }) => Ok(Precondition::IfMatch(version.clone())),
        // Others built on it, so its version is gone: as a conflict.
        Some(_) => {
            let expected = Precondition::IfAbsent;
            Err(StoreError::conflict(&head_key()?, expected, Current::Unknown).into())
        }
    }
}

/// Whether an error leaves open what is published now.
fn decides_nothing(error: &Error) -> bool {
    matches!(error.kind(), "conflict" | "outcome_unknown")
}

/// An earlier push may have been published, and the head remembers no commit so
/// old.
fn forgotten() -> Result<Error> {
    let why = "so much was published since that the head does not tell; compare, then reload";
    Ok(Error::Store(StoreError::OutcomeUnknown(Box::new(OutcomeUnknown {
        operation: Operation::Put,
        key: head_key()?,
        write: None,
        expected: Precondition::IfAbsent,
        source: Reason::source(why),
    }))))
}

/// An error from before the head was sent: what may be stored is a snapshot or
/// a marker, and nobody knows of it.
fn nothing_published(error: Error) -> Error {
    match error {
        Error::Store(StoreError::OutcomeUnknown(unknown)) => {
            let (operation, key) = (unknown.operation, unknown.key.as_str().to_owned());
            StoreError::unavailable(operation, key, StoreError::OutcomeUnknown(unknown)).into()
        }
        error => error,
    }
}
