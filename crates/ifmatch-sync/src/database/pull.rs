//! Adopting what others published.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::SyncedDatabase;
use super::report::{Outcome, SyncReport};
use super::work::{Remote, Work};
use crate::error::{Error, Result, SyncConflict};
use crate::local::{Base, Guard, Replaced, beside, folder_of, replace};
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
        if work.replace_clean(&ahead).await? {
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
        let base = self.sidecar.base.as_ref();
        let is_base = base.is_some_and(|base| base.commit() == target.commit());
        if is_base && self.is_clean().await? {
            return self.up_to_date();
        }
        let contents = base.into_iter().chain([&target]).map(|base| base.content().to_owned());
        let guard = Guard::Keep { known: contents.collect(), name: self.saved_name() };
        let Replaced::Done { saved } = self.replace_by(&target, guard).await? else {
            return Err(Error::invalid("a file that may be replaced was not"));
        };
        let outcome = if saved.is_some() { Outcome::Reloaded } else { Outcome::Pulled };
        let mut report = self.report(outcome, target.commit());
        report.saved = saved;
        Ok(report)
    }

    /// Where local changes are kept, beside the file.
    fn saved_name(&self) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let seconds = self.database.store.env().wall_clock().as_micros() / 1_000_000;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        beside(&self.path(), &format!("-saved-{seconds}-{process}-{count}"))
    }

    /// Replaces the database unless there are local changes: the answer is then
    /// `false`, and nothing was done.
    async fn replace_clean(&mut self, target: &Base) -> Result<bool> {
        // Before anything is downloaded; under the lock it is looked at again.
        let Some(base) = self.sidecar.base.clone() else { return Ok(false) };
        if !self.is_clean().await? {
            return Ok(false);
        }
        let guard = Guard::Clean(base.content().to_owned());
        Ok(self.replace_by(target, guard).await? != Replaced::Not)
    }

    /// Downloads a commit, verifies it and replaces the database by it.
    async fn replace_by(&mut self, target: &Base, guard: Guard) -> Result<Replaced> {
        let (path, options) = (self.path(), &self.database.options);
        let (folder, limit) = (folder_of(&path), options.max_database);
        let image = fetch_snapshot(&self.store, &target.head, folder, limit).await?;
        self.database.close_pool().await?;
        self.sidecar.adopting = Some(target.clone());
        self.save().await?;
        let wait = options.wait;
        // After an error the next operation finds out what was done.
        let replaced = self.blocking(move || replace(&path, image.path(), guard, wait)).await?;
        if replaced == Replaced::Not {
            self.sidecar.adopting = None;
            self.save().await?;
        } else {
            self.adopt(target.clone()).await?;
        }
        Ok(replaced)
    }
}
