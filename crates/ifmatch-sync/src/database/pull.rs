//! Adopting what others published.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::SyncedDatabase;
use super::report::{Outcome, SyncReport};
use super::work::{Remote, Work};
use crate::error::{Error, Result, SyncConflict};
use crate::local::{Base, beside, folder_of, replace, sync_folder};
use crate::options::OnConflict;
use crate::remote::fetch_snapshot;

impl SyncedDatabase {
    /// Adopts what others published, if there are no local changes.
    ///
    /// # Atomicity
    /// The file has the old content or the new one, after a crash too. It must
    /// be open nowhere else meanwhile.
    ///
    /// # Errors
    /// - [`Error::Conflict`]: there are local changes and the remote moved;
    ///   nothing was changed, unless [`OnConflict::Reload`] says otherwise.
    /// - [`Error::InUse`]: another connection has the file open.
    /// - `corrupt`: what lies in the store does not verify; nothing was changed.
    /// - [`Error::RemoteGone`], [`Error::RemoteReplaced`],
    ///   [`Error::RemoteRewound`]: nothing was changed.
    ///
    /// # Cost
    /// Nothing new: one request without a body. Otherwise two.
    pub async fn pull(&self) -> Result<SyncReport> {
        let mut work = self.work().await?;
        let ahead = match work.remote().await? {
            Remote::Same => return work.up_to_date(),
            Remote::None => return Err(nothing_there(self)),
            Remote::Ahead(ahead) => ahead,
        };
        if work.replace_by(ahead.clone(), true).await? {
            return Ok(work.report(Outcome::Pulled, ahead.commit()));
        }
        let mut conflict = SyncConflict {
            base: work.sidecar.base.as_ref().map(Base::commit),
            remote: ahead.commit(),
            reloaded: false,
            saved: None,
        };
        if self.options.on_conflict == OnConflict::Reload {
            let reloaded = work.reload().await?;
            (conflict.reloaded, conflict.saved) = (true, reloaded.saved);
            conflict.remote = reloaded.base;
        }
        Err(Error::Conflict(Box::new(conflict)))
    }

    /// Adopts the remote in place of whatever is local. Local changes are not
    /// dropped: a copy of the file stays beside it, and the report names it.
    ///
    /// # Errors
    /// As [`pull`](Self::pull), without conflicts.
    ///
    /// # Cost
    /// Two requests; one where nothing differs.
    pub async fn reload(&self) -> Result<SyncReport> {
        self.work().await?.reload().await
    }
}

fn nothing_there(database: &SyncedDatabase) -> Error {
    Error::not_found(format!("{} holds no database yet: push first", database.store))
}

impl Work<'_> {
    fn up_to_date(&self) -> Result<SyncReport> {
        match &self.sidecar.base {
            Some(base) => Ok(self.report(Outcome::UpToDate, base.commit())),
            None => Err(nothing_there(self.database)),
        }
    }

    pub(super) async fn reload(&mut self) -> Result<SyncReport> {
        let target = match (self.remote().await?, &self.sidecar.base) {
            (Remote::Ahead(ahead), _) => ahead,
            (Remote::Same, Some(base)) => base.clone(),
            (Remote::Same | Remote::None, _) => return Err(nothing_there(self.database)),
        };
        let changed = self.has_local_changes().await?;
        let is_base = self.sidecar.base.as_ref().is_some_and(|b| b.commit() == target.commit());
        if !changed && is_base {
            return self.up_to_date();
        }
        let saved = if changed { Some(self.save_local().await?) } else { None };
        self.replace_by(target.clone(), false).await?;
        let outcome = if changed { Outcome::Reloaded } else { Outcome::Pulled };
        let mut report = self.report(outcome, target.commit());
        report.saved = saved;
        Ok(report)
    }

    /// Keeps a copy of the file beside it.
    async fn save_local(&self) -> Result<PathBuf> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let snapshot = self.snapshot().await?;
        let seconds = self.database.store.env().wall_clock().as_micros() / 1_000_000;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let name = beside(&self.path(), &format!("-saved-{seconds}-{process}-{count}"));
        let folder = folder_of(&name).to_owned();
        self.blocking(move || {
            snapshot.file.as_file().sync_all().map_err(Error::io("writing", &name))?;
            snapshot
                .file
                .persist_noclobber(&name)
                .map_err(|error| Error::io("creating", &name)(error.error))?;
            sync_folder(&folder)?;
            Ok(name)
        })
        .await
    }

    /// Downloads a commit, verifies it and replaces the database by it. With
    /// `only_clean`, not where there are local changes: the answer is `false`.
    async fn replace_by(&mut self, target: Base, only_clean: bool) -> Result<bool> {
        let expected = match &self.sidecar.base {
            Some(base) if only_clean => Some(base.content().to_owned()),
            None if only_clean => return Ok(false),
            _ => None,
        };
        if expected.is_some() && self.has_local_changes().await? {
            return Ok(false);
        }
        let path = self.path();
        let options = &self.database.options;
        let (commit, reference) = (target.commit(), target.head.snapshot.clone());
        let folder = folder_of(&path);
        let limit = options.max_database;
        let image = fetch_snapshot(&self.store, &commit, &reference, folder, limit).await?;
        self.database.close_pool().await?;
        self.sidecar.adopting = Some(target.clone());
        self.save().await?;
        let wait = options.wait;
        let done =
            self.blocking(move || replace(&path, image.path(), expected.as_deref(), wait)).await;
        match done {
            Ok(true) => {
                self.adopt(target).await?;
                Ok(true)
            }
            undone => {
                self.sidecar.adopting = None;
                self.save().await?;
                undone
            }
        }
    }
}
