//! How a working copy comes to be.

use std::path::Path;
use std::sync::Arc;

use ifmatch_core::{ConditionalBlobStore, Instrumented};

use super::SyncedDatabase;
use super::report::{Outcome, SyncReport};
use crate::commit_id::JournalId;
use crate::error::{Error, Result, SyncConflict};
use crate::local::{Base, CopyLock, Sidecar, beside, blocking, folder_of, sync_folder, use_wal};
use crate::options::SyncOptions;
use crate::remote::{HeadRead, fetch_snapshot, read_head};

impl SyncedDatabase {
    /// Starts sharing an existing SQLite file: its content becomes the first
    /// commit. `url` is remembered beside the file; it must hold no secret.
    ///
    /// The store is probed first, once per endpoint.
    ///
    /// # Errors
    /// `not_found` for a missing file, `invalid` where it is a working copy
    /// already, [`Error::Conflict`] where a database is published there, and
    /// `unsupported` where the store does not keep its conditions; nothing was
    /// published. Otherwise as [`push`](Self::push); calling it again goes on.
    ///
    /// # Cost
    /// Five requests and the probe.
    pub async fn init(
        path: &Path,
        store: Arc<dyn ConditionalBlobStore>,
        url: &str,
        options: SyncOptions,
    ) -> Result<(Self, SyncReport)> {
        let this = Self::at(path, store, options);
        let path = this.path.as_path();
        {
            let lock = CopyLock::acquire(path, this.store.env(), this.options.wait);
            let (file, wait) = (path.to_owned(), this.options.wait);
            // A file that is missing or no database fails here, not half-way.
            let exists = blocking(move || use_wal(&file, wait));
            exists.await?;
            let lock = lock.await?;
            let file = path.to_owned();
            let sidecar = blocking(move || Sidecar::load(&file)).await?;
            // What an earlier attempt left, from before anything was sent,
            // counts for nothing.
            let sidecar = sidecar.filter(|found| found.base.is_some() || !found.pending.is_empty());
            if let Some(found) = &sidecar
                && (found.base.is_some() || found.url != url)
            {
                return Err(Error::invalid(format!(
                    "{} is a working copy of {} already",
                    path.display(),
                    found.url
                )));
            }
            if sidecar.is_none() {
                refuse_published(&*this.store).await?;
                let journal = JournalId::random(this.store.env());
                let (file, new) = (path.to_owned(), Sidecar::new(url, journal));
                // The lock is kept until it is done, whether waited for or not.
                blocking(move || {
                    let _lock = lock;
                    new.save(&file)
                })
                .await?;
            }
        }
        let report = this.push().await?;
        Ok((this, report))
    }

    /// Makes a new working copy of what is published.
    ///
    /// # Atomicity
    /// `path` appears with all of its content, verified, or not at all.
    ///
    /// # Errors
    /// `invalid` where `path` exists, `not_found` where nothing is published,
    /// `corrupt` where it does not verify.
    ///
    /// # Cost
    /// Two requests.
    pub async fn clone_to(
        path: &Path,
        store: Arc<dyn ConditionalBlobStore>,
        url: &str,
        options: SyncOptions,
    ) -> Result<(Self, SyncReport)> {
        let this = Self::at(path, store, options);
        let path = this.path.as_path();
        refuse_existing(path)?;
        let store = Instrumented::new(Arc::clone(&this.store));
        let HeadRead::Found(head, version) = read_head(&store, None).await? else {
            let what = format!("{} holds no database: `db init` makes one", this.store);
            return Err(Error::not_found(what));
        };
        let folder = folder_of(path);
        let (commit, limit) = (head.commit(), this.options.max_database);
        let image = fetch_snapshot(&store, &head, folder, limit).await?;
        let lock = CopyLock::acquire(path, this.store.env(), this.options.wait).await?;
        let mut sidecar = Sidecar::new(url, head.journal);
        sidecar.adopt(Base { head: *head, version: Some(version) });
        let (file, wait) = (path.to_owned(), this.options.wait);
        blocking(move || {
            let _lock = lock;
            use_wal(image.path(), wait)?;
            // The sidecar first: without the database it is debris that the
            // next clone replaces, the other way round it would be a swap.
            refuse_existing(&file)?;
            sidecar.save(&file)?;
            // No descriptor of ours stays on what somebody may open as a
            // database: closing it would drop SQLite's locks.
            let image = image.into_temp_path();
            image
                .persist_noclobber(&file)
                .map_err(|error| Error::io("creating", &file)(error.error))?;
            sync_folder(folder_of(&file))
        })
        .await?;
        let cost = store.log().totals();
        let outcome = Outcome::Pulled;
        Ok((this, SyncReport { outcome, base: commit, replaced: None, saved: None, cost }))
    }
}

/// Refuses a name that is taken, be it by a link to nowhere, and one beside
/// which another database left what SQLite would mix into the new one.
fn refuse_existing(path: &Path) -> Result<()> {
    for (name, if_empty) in
        [(path.to_owned(), true), (beside(path, "-wal"), false), (beside(path, "-journal"), false)]
    {
        match std::fs::symlink_metadata(&name) {
            Ok(found) if if_empty || found.len() > 0 => {
                return Err(Error::invalid(format!(
                    "{} exists: a clone replaces nothing; choose another name",
                    name.display()
                )));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("looking for", &name)(error)),
        }
    }
    Ok(())
}

async fn refuse_published(store: &dyn ConditionalBlobStore) -> Result<()> {
    if let HeadRead::Found(head, _) = read_head(store, None).await? {
        let remote = head.commit();
        let conflict = SyncConflict { base: None, remote, reloaded: false, saved: None };
        return Err(Error::Conflict(Box::new(conflict)));
    }
    Ok(())
}
