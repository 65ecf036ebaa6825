//! One operation on a copy, under its lock.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_core::{ConditionalBlobStore, Instrumented, ProbeGate, ProbePolicy, Totals, Version};

use ifmatch_journal::{Kind, Marker};

use super::report::{Outcome, Status, SyncReport};
use super::{SyncedDatabase, no_copy};
use crate::commit_id::{CommitId, JournalId};
use crate::error::{Error, Result};
use crate::local::{
    Base, CopyLock, LocalSnapshot, Sidecar, blocking, connect, read_mark, take_snapshot,
};
use crate::remote::{Head, HeadRead, Relation, read_head, relate};

/// How often a head that contradicts the base is read again: the store may be
/// stale.
const SECOND_LOOKS: u32 = 3;

/// One operation: the copy's lock, its sidecar, and a store that counts.
pub(super) struct Work<'a> {
    pub(super) database: &'a SyncedDatabase,
    pub(super) store: Instrumented,
    pub(super) sidecar: Sidecar,
    lock: Arc<CopyLock>,
}

/// What the remote is, seen from the base.
pub(super) enum Remote {
    /// It is the base.
    Same,
    /// There is none yet, and there was none before.
    None,
    /// Others published this.
    Ahead(Base),
}

impl SyncedDatabase {
    pub(super) async fn work(&self) -> Result<Work<'_>> {
        let lock = CopyLock::acquire(&self.path, self.store.env(), self.options.wait).await?;
        let path = self.path.clone();
        let sidecar = blocking(move || Sidecar::load(&path)?.ok_or_else(|| no_copy(&path))).await?;
        let store = Instrumented::new(Arc::clone(&self.store));
        let mut work = Work { database: self, store, sidecar, lock: Arc::new(lock) };
        work.settle().await?;
        Ok(work)
    }

    /// How this copy stands to its remote.
    ///
    /// # Errors
    /// [`Error::Store`]; `corrupt` where the head does not verify.
    ///
    /// # Cost
    /// One request, and reading the whole file.
    pub async fn status(&self) -> Result<Status> {
        let mut work = self.work().await?;
        let remote = work.remote().await?;
        let base = work.sidecar.base.as_ref().map(Base::commit);
        Ok(Status {
            url: work.sidecar.url.clone(),
            remote: match &remote {
                Remote::Same => base,
                Remote::None => None,
                Remote::Ahead(ahead) => Some(ahead.commit()),
            },
            behind: matches!(remote, Remote::Ahead(_)),
            local_changes: work.has_local_changes().await?,
            base,
        })
    }
}

impl Work<'_> {
    pub(super) fn path(&self) -> PathBuf {
        self.database.path.clone()
    }

    /// Runs `work` where it may block. It keeps the copy's lock until it ends,
    /// also when the caller stops waiting for it.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let lock = Arc::clone(&self.lock);
        blocking(move || {
            let done = work();
            drop(lock);
            done
        })
        .await
    }

    pub(super) fn cost(&self) -> Totals {
        self.store.log().totals()
    }

    pub(super) fn report(&self, outcome: Outcome, base: CommitId) -> SyncReport {
        SyncReport { outcome, base, replaced: None, saved: None, cost: self.cost() }
    }

    pub(super) async fn save(&self) -> Result<()> {
        let (sidecar, path) = (self.sidecar.clone(), self.path());
        self.blocking(move || sidecar.save(&path)).await
    }

    /// Moves the copy to another base, durably.
    pub(super) async fn adopt(&mut self, base: Base) -> Result<()> {
        self.sidecar.adopt(base);
        self.save().await
    }

    /// After a crash while the database was being replaced: its mark says
    /// whether it was. (Its content may have been changed since.)
    async fn settle(&mut self) -> Result<()> {
        let Some(target) = self.sidecar.adopting.clone() else { return Ok(()) };
        if self.mark().await? == Some((target.head.journal, target.commit())) {
            return self.adopt(target).await;
        }
        self.sidecar.adopting = None;
        self.save().await
    }

    /// The mark in the database.
    pub(super) async fn mark(&self) -> Result<Option<(JournalId, CommitId)>> {
        let (path, wait) = (self.path(), self.database.options.wait);
        self.blocking(move || read_mark(&connect(&path, wait)?).map_err(Error::sqlite(&path))).await
    }

    /// The committed content of the file at this moment.
    pub(super) async fn snapshot(&self) -> Result<LocalSnapshot> {
        let (path, wait) = (self.path(), self.database.options.wait);
        self.blocking(move || take_snapshot(&connect(&path, wait)?, &path)).await
    }

    pub(super) async fn has_local_changes(&self) -> Result<bool> {
        match &self.sidecar.base {
            None => Ok(true),
            Some(base) => Ok(self.snapshot().await?.content != base.content()),
        }
    }

    /// Whether the file is the base, with nothing to publish.
    pub(super) async fn is_clean(&self) -> Result<bool> {
        Ok(!self.has_local_changes().await?)
    }

    /// Lets the store pass its gate: by the verdict on record for this
    /// endpoint, else by asking what lies there, else by a probe.
    pub(super) async fn vouch(&mut self) -> Result<()> {
        let gate = self.store.probe_gate();
        let policy = gate.map_or(ProbePolicy::OnCreate, ProbeGate::policy);
        let endpoint = self.store.endpoint();
        match (policy, self.sidecar.probes.get(&endpoint), gate) {
            (ProbePolicy::Never, ..) | (ProbePolicy::OnCreate, Some(_), None) => Ok(()),
            (ProbePolicy::OnCreate, Some(verdict), Some(gate)) => {
                gate.accept(*verdict).await;
                Ok(())
            }
            _ => {
                let id = self.sidecar.journal;
                let verdict = Marker::ensure(&self.store, Kind::Database, id).await?;
                if let Some(verdict) = verdict {
                    self.sidecar.probes.insert(endpoint, verdict);
                    self.save().await?;
                }
                Ok(())
            }
        }
    }

    /// What others published on top of the base, if anything.
    pub(super) async fn ahead(&mut self) -> Result<Option<Base>> {
        Ok(match self.remote().await? {
            Remote::Ahead(ahead) => Some(ahead),
            Remote::Same | Remote::None => None,
        })
    }

    /// Reads the head and says how it stands to the base. A commit of ours
    /// whose outcome was unknown and which is found published becomes the base.
    pub(super) async fn remote(&mut self) -> Result<Remote> {
        let known = self.sidecar.base.as_ref().and_then(|base| base.version.clone());
        let mut looks = SECOND_LOOKS;
        loop {
            let found = match read_head(&self.store, known.as_ref()).await? {
                HeadRead::Unchanged => return Ok(Remote::Same),
                HeadRead::Absent => None,
                HeadRead::Found(head, version) => Some((*head, version)),
            };
            match self.place(found).await {
                Err(error) if looks > 0 && is_contradiction(&error) => {
                    looks -= 1;
                    let pause = std::time::Duration::from_millis(100);
                    self.database.store.env().sleep(pause).await;
                }
                placed => return placed,
            }
        }
    }

    async fn place(&mut self, found: Option<(Head, Version)>) -> Result<Remote> {
        let store = || self.database.store.to_string().into();
        let Some((head, version)) = found else {
            return match &self.sidecar.base {
                None => Ok(Remote::None),
                Some(base) => Err(Error::RemoteGone { store: store(), base: base.commit() }),
            };
        };
        let pending = self.sidecar.pending_ids();
        let base = self.sidecar.base.as_ref().map(Base::commit);
        let relation = relate(&head, self.sidecar.journal, base, &pending);
        let newest = Base { head, version: Some(version) };
        match relation {
            Relation::Same => {
                self.adopt_version(newest.version).await?;
                Ok(Remote::Same)
            }
            Relation::Mine(commit) => {
                self.sidecar.found(commit, &newest);
                self.save().await?;
                let is_newest = commit == newest.commit();
                Ok(if is_newest { Remote::Same } else { Remote::Ahead(newest) })
            }
            Relation::Ahead => {
                if self.sidecar.forget_pending(&newest.head) {
                    self.save().await?;
                }
                Ok(Remote::Ahead(newest))
            }
            Relation::Replaced => Err(Error::RemoteReplaced { store: store() }),
            Relation::Rewound => match &self.sidecar.base {
                Some(base) => Err(Error::RemoteRewound(Box::new((base.commit(), newest.commit())))),
                None => Err(Error::RemoteReplaced { store: store() }),
            },
        }
    }

    /// The base is unchanged but was known without its version, or under
    /// another one.
    async fn adopt_version(&mut self, version: Option<Version>) -> Result<()> {
        if let Some(base) = &mut self.sidecar.base
            && base.version != version
        {
            base.version = version;
            self.save().await?;
        }
        Ok(())
    }
}

/// Whether the remote seems to have gone back, which a stale read also looks
/// like.
fn is_contradiction(error: &Error) -> bool {
    matches!(
        error,
        Error::RemoteGone { .. } | Error::RemoteReplaced { .. } | Error::RemoteRewound(_)
    )
}
