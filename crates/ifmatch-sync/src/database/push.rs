//! Publishing local changes.

use ifmatch_core::{BlobKey, ConditionalBlobStore, Error as StoreError, Precondition};

use super::SyncedDatabase;
use super::report::{Outcome, SyncReport};
use super::work::{Remote, Work};
use crate::commit_id::CommitId;
use crate::error::{Error, Result, SyncConflict};
use crate::local::{Base, connect, take_snapshot, write_mark};
use crate::options::{Locking, OnConflict};
use crate::remote::{Head, Packed, pack, snapshot_key};

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
    ///   the next operation finds out, and never publishes it twice.
    /// - [`Error::Swapped`]: the file is not the one that this copy was.
    /// - everything else: nothing was published.
    ///
    /// # Cost
    /// Nothing changed: no request. Otherwise two: the snapshot, the head; one
    /// more the first time a copy publishes through an endpoint, and a probe
    /// where nobody has published through it before.
    pub async fn push(&self) -> Result<SyncReport> {
        let mut work = self.work().await?;
        match work.push(self.options.locking == Locking::None).await {
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
        self.work().await?.push(true).await
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

impl Work<'_> {
    pub(super) async fn push(&mut self, force: bool) -> Result<SyncReport> {
        let mut replaced = None;
        if force {
            if let Remote::Ahead(ahead) = self.remote().await? {
                replaced = Some(ahead.commit());
                self.adopt(ahead).await?;
            }
        } else {
            self.check_mark().await?;
        }
        let mut rounds = 0;
        loop {
            rounds += 1;
            if let Some(base) = &self.sidecar.base
                && !self.has_local_changes().await?
            {
                if self.sidecar.pending.is_empty() {
                    return Ok(self.report(Outcome::Clean, base.commit()));
                }
                // Something of ours may have been published.
                if let Remote::Ahead(ahead) = self.remote().await? {
                    return Err(self.conflict(&ahead));
                }
                if !self.has_local_changes().await?
                    && let Some(base) = &self.sidecar.base
                {
                    return Ok(self.report(Outcome::Clean, base.commit()));
                }
            }
            match self.publish().await {
                Ok(commit) => {
                    let mut report = self.report(Outcome::Committed, commit);
                    report.replaced = replaced;
                    return Ok(report);
                }
                Err(error) if decides_nothing(&error) => match self.remote().await? {
                    // A commit of ours has become the base, or its version was
                    // not known: go on from there.
                    Remote::Same if error.kind() == "conflict" && rounds < MAX_ROUNDS => {}
                    Remote::Same | Remote::None => {
                        if self.is_clean().await? {
                            return self.committed();
                        }
                        return Err(error);
                    }
                    Remote::Ahead(ahead) if force => {
                        replaced = Some(ahead.commit());
                        self.adopt(ahead).await?;
                    }
                    Remote::Ahead(ahead) => return Err(self.conflict(&ahead)),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// After an unknown outcome: whether our commit turned out to be the base.
    async fn is_clean(&self) -> Result<bool> {
        Ok(self.sidecar.base.is_some()
            && self.sidecar.pending.is_empty()
            && !self.has_local_changes().await?)
    }

    fn committed(&self) -> Result<SyncReport> {
        match &self.sidecar.base {
            Some(base) => Ok(self.report(Outcome::Committed, base.commit())),
            None => Err(Error::invalid("a copy without a base has committed nothing")),
        }
    }

    fn conflict(&self, ahead: &Base) -> Error {
        Error::Conflict(Box::new(SyncConflict {
            base: self.sidecar.base.as_ref().map(Base::commit),
            remote: ahead.commit(),
            reloaded: false,
            saved: None,
        }))
    }

    /// One attempt to publish the local content on the base.
    async fn publish(&mut self) -> Result<CommitId> {
        let expected = match &self.sidecar.base {
            None => Precondition::IfAbsent,
            Some(Base { version: Some(version), .. }) => Precondition::IfMatch(version.clone()),
            Some(_) => return Err(unknown_version()?),
        };
        self.vouch().await?;
        let env = self.database.store.env();
        let seq = self.sidecar.base.as_ref().map_or(0, |base| base.commit().seq()) + 1;
        let commit = CommitId::new(env, seq);
        // Before it is put into the database: after a crash in between the file
        // must not look like a stranger's.
        self.sidecar.draw(commit);
        self.save().await?;
        let packed = self.pack(commit).await?;
        let time = env.wall_clock();
        let base = self.sidecar.base.as_ref().map(|base| &base.head);
        let head = Head::on(self.sidecar.journal, base, commit, packed.reference, time);
        self.store.put(&snapshot_key(&commit)?, packed.body, Precondition::Overwrite).await?;
        // From here on the commit may become visible: remember it first.
        self.sidecar.expect(&head);
        self.save().await?;
        let stored = head.put(&self.store, expected).await?;
        self.adopt(Base { head, version: Some(stored.version) }).await?;
        Ok(commit)
    }

    /// Marks the database with the commit and takes its snapshot.
    async fn pack(&self, commit: CommitId) -> Result<Packed> {
        let (path, options) = (self.path(), self.database.options.clone());
        let journal = self.sidecar.journal;
        self.blocking(move || {
            let mut connection = connect(&path, options.wait)?;
            write_mark(&mut connection, journal, commit).map_err(Error::sqlite(&path))?;
            let mut snapshot = take_snapshot(&connection, &path)?;
            drop(connection);
            pack(snapshot.file.as_file_mut(), &path, &snapshot.content, options.max_database)
        })
        .await
    }
}

/// Whether an error leaves open what is published now.
fn decides_nothing(error: &Error) -> bool {
    matches!(error.kind(), "conflict" | "outcome_unknown")
}

/// The base's head was overwritten by others before we learned its version:
/// the same as a conflict.
fn unknown_version() -> Result<Error> {
    let key = BlobKey::new("head")?;
    let current = ifmatch_core::Current::Unknown;
    Ok(StoreError::conflict(&key, Precondition::IfAbsent, current).into())
}
