//! How a [`LocalDb`] comes to be.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ifmatch_core::{Env, Error as CoreError, Operation};
use ifmatch_meta::{Error, Result};
use rusqlite::Connection;
use tokio::sync::Mutex;

use super::connection::{self, Role};
use super::create::{self, NotCreated};
use super::options::{Executor, LocalOptions};
use super::readers::Readers;
use super::writer::Writer;
use super::{Backend, Inner, LocalDb};
use crate::sqlite::error::{Failure, file};

impl LocalDb {
    /// Opens an existing file. `check` looks at it first, may refuse it, and may
    /// change how it will be used; then it is switched to WAL mode.
    ///
    /// Blocks: for the disk, and at most [`LocalOptions::busy_timeout`] for
    /// others.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Corrupt` (no database), `Invalid` (a directory),
    /// `Unsupported` (a file system without WAL), `Unavailable`, and what
    /// `check` answers; then the file is as it was.
    pub fn open(
        path: &Path,
        mut options: LocalOptions,
        check: impl FnOnce(&mut Connection, &mut LocalOptions) -> Result<(), Failure>,
    ) -> Result<Self> {
        let (path, subject) = checked(path)?;
        let metadata = std::fs::metadata(&path);
        if !metadata.map_err(|error| file(error, Operation::Open, &subject))?.is_file() {
            return Err(Error::invalid(format!("{subject} is not a file")));
        }
        let connection = ready(&path, &mut options, check)
            .map_err(|failure| failure.named(Operation::Open, &subject))?;
        let backend = match options.executor {
            Executor::Inline => Backend::Inline(Mutex::new(Some(connection))),
            Executor::Thread => Backend::Thread {
                writer: Writer::start(connection, options.on_close, &subject)?,
                readers: Readers::new(path.clone(), options.clone(), subject.clone()).into(),
            },
        };
        Ok(Self::over(backend, subject, Some(path), &options))
    }

    /// Creates a file with the content that `fill` gives it (in WAL mode, mode
    /// 0600), unless there is one; says whether it did. It appears whole.
    ///
    /// Blocks for the disk.
    ///
    /// # Errors
    /// `NotFound` where the directory is missing, `Denied`, `Unavailable` (disk
    /// full), and what `fill` answers; then there is no file.
    pub fn create(
        path: &Path,
        options: &LocalOptions,
        env: &Env,
        fill: impl FnOnce(&mut Connection) -> Result<(), Failure>,
    ) -> Result<bool> {
        let (path, subject) = checked(path)?;
        create::create(&path, options, env, fill).map_err(|error| match error {
            NotCreated::Sqlite(failure) => failure.named(Operation::Open, &subject),
            NotCreated::File(error) if error.kind() == ErrorKind::NotFound => {
                let what = format!("the directory of {subject}").into();
                CoreError::NotFound { what }.into()
            }
            NotCreated::File(error) => file(error, Operation::Open, &subject),
        })
    }

    /// A new database in memory with the content that `fill` gives it, on one
    /// connection that all clones share ([`Executor::Inline`] whatever the
    /// options say).
    ///
    /// # Errors
    /// `Unavailable` where there is no memory, and what `fill` answers.
    pub fn open_in_memory(
        options: &LocalOptions,
        fill: impl FnOnce(&mut Connection) -> Result<(), Failure>,
    ) -> Result<Self> {
        let subject = Arc::from(":memory:");
        let connection = connection::open_in_memory(options).and_then(|mut connection| {
            fill(&mut connection)?;
            Ok(connection)
        });
        let connection = connection.map_err(|failure| failure.named(Operation::Open, &subject))?;
        Ok(Self::over(Backend::Inline(Mutex::new(Some(connection))), subject, None, options))
    }

    fn over(
        backend: Backend,
        subject: Arc<str>,
        path: Option<PathBuf>,
        options: &LocalOptions,
    ) -> Self {
        let on_close = options.on_close;
        Self { inner: Arc::new(Inner { subject, path, on_close, backend }) }
    }
}

fn ready(
    path: &Path,
    options: &mut LocalOptions,
    check: impl FnOnce(&mut Connection, &mut LocalOptions) -> Result<(), Failure>,
) -> Result<Connection, Failure> {
    let mut connection = connection::open(path, options)?;
    check(&mut connection, options)?;
    connection::settle(&connection, Role::Writer, options)?;
    Ok(connection)
}

/// The path as SQLite takes it, and as messages name it.
fn checked(path: &Path) -> Result<(PathBuf, Arc<str>)> {
    let shown = path.display();
    if path.as_os_str().is_empty() || path.file_name().is_none() {
        return Err(Error::invalid(format!("{shown:?} is no path of a file")));
    }
    if path.to_str().is_none_or(|path| path.contains('\0')) {
        return Err(Error::invalid(format!("the path {shown:?} is not UTF-8 without U+0000")));
    }
    // Absolute: SQLite takes names like `file:...` and `:memory:` for others.
    let path = std::path::absolute(path)
        .map_err(|error| file(error, Operation::Open, &shown.to_string().into()))?;
    let subject = path.display().to_string().into();
    Ok((path, subject))
}
