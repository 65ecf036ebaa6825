//! A working copy and what can be done with it.

mod birth;
mod pull;
mod push;
mod report;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ifmatch_core::ConditionalBlobStore;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

pub use report::{Outcome, Status, SyncReport};

use crate::commit_id::CommitId;
use crate::error::{Error, Result};
use crate::local::{Sidecar, blocking};
use crate::options::SyncOptions;

/// A SQLite file that is a working copy of a database in a blob store.
///
/// Any tool may read and write the file at any time. What is committed in it is
/// published by [`push`](Self::push) and replaced by [`pull`](Self::pull) and
/// [`reload`](Self::reload); the latter need the file to be open nowhere else,
/// and say so otherwise.
///
/// # Cancellation
/// Dropping a future leaves the local database as it was or as it was to
/// become, never in between, and a push's outcome unknown; the next operation
/// on the copy finds it out.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir()?;
/// # tokio::runtime::Builder::new_multi_thread().enable_time().build()?.block_on(async {
/// use std::sync::Arc;
/// use ifmatch_core::{Env, MemoryBlobStore};
/// use ifmatch_sync::{SyncOptions, SyncedDatabase};
///
/// let store = Arc::new(MemoryBlobStore::new(Env::real()));
/// let (one, two) = (folder.path().join("one.db"), folder.path().join("two.db"));
/// rusqlite::Connection::open(&one)?.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")?;
///
/// let options = SyncOptions::new();
/// let (first, _) =
///     SyncedDatabase::init(&one, store.clone(), "memory://x", options.clone()).await?;
/// let (second, _) = SyncedDatabase::clone_to(&two, store, "memory://x", options).await?;
/// assert_eq!(first.local_version().await?, second.local_version().await?);
///
/// rusqlite::Connection::open(&one)?.execute_batch("INSERT INTO t VALUES (2)")?;
/// rusqlite::Connection::open(&two)?.execute_batch("INSERT INTO t VALUES (3)")?;
/// first.push().await?;
/// assert_eq!(second.push().await.unwrap_err().kind(), "conflict");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SyncedDatabase {
    path: PathBuf,
    store: Arc<dyn ConditionalBlobStore>,
    options: SyncOptions,
    pool: Mutex<Option<SqlitePool>>,
}

/// The URL of the remote of the working copy at `path`, as it was given when
/// the copy was made; `None` where the file is no working copy.
///
/// # Errors
/// [`Error::Io`] and `corrupt` for a sidecar that cannot be read.
pub fn remote_url(path: &Path) -> Result<Option<String>> {
    Ok(Sidecar::load(&crate::local::canonical(path))?.map(|sidecar| sidecar.url))
}

impl SyncedDatabase {
    fn at(path: &Path, store: Arc<dyn ConditionalBlobStore>, options: SyncOptions) -> Self {
        Self { path: crate::local::canonical(path), store, options, pool: Mutex::default() }
    }

    /// Opens a working copy that [`init`](Self::init) or
    /// [`clone_to`](Self::clone_to) made. No request is sent.
    ///
    /// # Errors
    /// `not_found` where the file or its sidecar is missing.
    pub async fn open(
        path: &Path,
        store: Arc<dyn ConditionalBlobStore>,
        options: SyncOptions,
    ) -> Result<Self> {
        let this = Self::at(path, store, options);
        let path = this.path.clone();
        blocking(move || {
            if !path.try_exists().map_err(Error::io("looking for", &path))? {
                let what = format!("there is no database {}", path.display());
                return Err(Error::not_found(what));
            }
            match Sidecar::load(&path)? {
                Some(_) => Ok(()),
                None => Err(no_copy(&path)),
            }
        })
        .await?;
        Ok(this)
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A pool of connections to the database, for your own SQL. Asking again
    /// gives the same pool, until a pull or reload replaced the content: that
    /// closes it (it waits for connections that are checked out) and the next
    /// call makes a new one.
    pub fn pool(&self) -> SqlitePool {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        match &*pool {
            Some(pool) if !pool.is_closed() => pool.clone(),
            _ => {
                let options = SqliteConnectOptions::new()
                    .filename(&self.path)
                    .create_if_missing(false)
                    .busy_timeout(self.options.wait);
                let new = SqlitePoolOptions::new().max_connections(8).connect_lazy_with(options);
                *pool = Some(new.clone());
                new
            }
        }
    }

    /// The commit that this copy is based on; `None` before its first push was
    /// answered.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn local_version(&self) -> Result<Option<CommitId>> {
        let path = self.path.clone();
        let sidecar = blocking(move || Sidecar::load(&path)?.ok_or_else(|| no_copy(&path))).await?;
        Ok(sidecar.base.map(|base| base.commit()))
    }

    /// The commit that is published now; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Store`]; `corrupt` where the head does not verify.
    ///
    /// # Cost
    /// One request; no body where it is still this copy's base.
    pub async fn remote_version(&self) -> Result<Option<CommitId>> {
        Ok(self.status().await?.remote)
    }

    /// Whether something was published since this copy's base.
    ///
    /// # Errors
    /// As [`remote_version`](Self::remote_version).
    ///
    /// # Cost
    /// One request.
    pub async fn is_behind(&self) -> Result<bool> {
        Ok(self.status().await?.behind)
    }

    /// Whether the file's content differs from this copy's base. Reads the
    /// whole file; sends nothing.
    ///
    /// # Errors
    /// [`Error::Sqlite`] where the file is no database.
    pub async fn has_local_changes(&self) -> Result<bool> {
        let work = self.work().await?;
        work.has_local_changes().await
    }

    /// Closes the pool, so that the database can be replaced.
    async fn close_pool(&self) -> Result<()> {
        let pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(pool) = pool else { return Ok(()) };
        let env = self.store.env();
        tokio::select! {
            biased;
            () = pool.close() => Ok(()),
            () = env.sleep(self.options.wait) => Err(Error::InUse {
                path: self.path.as_path().into(),
                why: "connections of its pool are still checked out",
            }),
        }
    }
}

fn no_copy(path: &Path) -> Error {
    Error::not_found(format!(
        "{} is no working copy: `db init` shares it, `db clone` makes one",
        path.display()
    ))
}
