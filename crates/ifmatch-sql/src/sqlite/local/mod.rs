//! One SQLite file behind one seam.

mod connection;
mod create;
mod job;
mod open;
mod options;
mod readers;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ifmatch_core::{Operation, Reason};
use ifmatch_meta::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{Mutex, oneshot};

pub use options::{Durability, Executor, LocalOptions, OnClose};

use crate::sqlite::error::{Failure, other};
use readers::Readers;
use writer::{Message, Writer};

/// A SQLite file, for engine SQL: plain synchronous work on a
/// [`rusqlite::Connection`], run by the [`Executor`] chosen at construction.
///
/// Clones share the connections. Other processes may use the same file; WAL
/// mode, defensive settings.
///
/// # Cancellation
/// Work whose future is dropped runs to its end or not at all: it may still run
/// when it was queued. Nothing is half applied, nothing stays locked.
#[derive(Clone)]
pub struct LocalDb {
    inner: Arc<Inner>,
}

struct Inner {
    subject: Arc<str>,
    path: Option<PathBuf>,
    on_close: OnClose,
    backend: Backend,
}

enum Backend {
    Thread {
        writer: Writer,
        readers: Arc<Readers>,
    },
    /// In turn: whoever asks in a loop must not keep others waiting for ever.
    Inline(Mutex<Option<Connection>>),
}

impl LocalDb {
    /// The file, as an absolute path; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        self.inner.path.as_deref()
    }

    /// The file as messages name it.
    pub fn subject(&self) -> &Arc<str> {
        &self.inner.subject
    }

    /// Runs `work` alone on the writing connection, outside of a transaction.
    /// One that it leaves open is undone.
    ///
    /// # Errors
    /// What `work` answers; `Closed`.
    pub async fn call<R, F>(&self, work: F) -> Result<R>
    where
        F: FnOnce(&mut Connection) -> Result<R, Failure> + Send + 'static,
        R: Send + 'static,
    {
        match &self.inner.backend {
            Backend::Inline(connection) => {
                let mut connection = connection.lock().await;
                alone(connection.as_mut().ok_or_else(|| self.closed())?, self.subject(), work)
            }
            Backend::Thread { writer, .. } => {
                let (reply, answer) = oneshot::channel();
                let subject = self.inner.subject.clone();
                let work = move |connection: &mut Connection| {
                    let _ = reply.send(alone(connection, &subject, work));
                };
                let sent = writer.send(Message::Alone(Box::new(work))).await;
                sent.ok_or_else(|| self.closed())?;
                answer.await.map_err(|_| self.closed())?
            }
        }
    }

    /// Runs `work` in a transaction that holds the write lock. Its changes are
    /// undone where it fails; it is answered after its commit.
    ///
    /// # Atomicity
    /// All of `work` or nothing. Work that is queued at the same time may share
    /// one commit, and sees what was done before it; one that fails takes
    /// nothing with it.
    ///
    /// # Errors
    /// What `work` answers; those of SQLite, nothing was applied; `Closed`;
    /// `OutcomeUnknown` where the disk failed in the commit.
    pub async fn write<R, F>(&self, work: F) -> Result<R>
    where
        F: FnOnce(&Connection) -> Result<R, Failure> + Send + 'static,
        R: Send + 'static,
    {
        match &self.inner.backend {
            Backend::Inline(connection) => {
                let connection = connection.lock().await;
                let connection = connection.as_ref().ok_or_else(|| self.closed())?;
                writer::transaction(connection, self.subject(), |connection| {
                    Ok(job::guarded(self.subject(), || work(connection))?)
                })
            }
            Backend::Thread { writer, .. } => {
                let (job, answer) = job::Write::new(work, self.inner.subject.clone());
                let sent = writer.send(Message::Write(Box::new(job))).await;
                sent.ok_or_else(|| self.closed())?;
                answer.await.map_err(|_| self.closed())?
            }
        }
    }

    /// Runs a short read in the calling task. One statement is one snapshot.
    ///
    /// # Errors
    /// What `work` answers; `Closed`.
    pub async fn read<R>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, Failure> + Send,
    ) -> Result<R> {
        match &self.inner.backend {
            Backend::Inline(connection) => self.read_inline(connection, work).await,
            Backend::Thread { readers, .. } => readers.short().await?.run(work),
        }
    }

    /// Runs a long read on a blocking thread. One statement is one snapshot.
    ///
    /// # Errors
    /// What `work` answers; `Closed`.
    pub async fn read_long<R, F>(&self, work: F) -> Result<R>
    where
        F: FnOnce(&Connection) -> Result<R, Failure> + Send + 'static,
        R: Send + 'static,
    {
        match &self.inner.backend {
            Backend::Inline(connection) => self.read_inline(connection, work).await,
            Backend::Thread { readers, .. } => {
                let reader = readers.long().await?;
                let done = tokio::task::spawn_blocking(move || reader.run(work)).await;
                done.unwrap_or_else(|error| {
                    let source = Reason::source(format!("the work ended early: {error}"));
                    Err(other(Operation::Get, self.inner.subject.clone(), source))
                })
            }
        }
    }

    async fn read_inline<R>(
        &self,
        connection: &Mutex<Option<Connection>>,
        work: impl FnOnce(&Connection) -> Result<R, Failure>,
    ) -> Result<R> {
        let connection = connection.lock().await;
        let connection = connection.as_ref().ok_or_else(|| self.closed())?;
        work(connection).map_err(|failure| failure.named(Operation::Get, self.subject()))
    }

    /// Finishes what was accepted, then closes all connections and ends the
    /// thread. Every later call on any clone answers `Closed`.
    ///
    /// # Errors
    /// Where the log could not be copied into the file: nothing is lost, the
    /// next opening reads it.
    pub async fn close(&self) -> Result<()> {
        match &self.inner.backend {
            Backend::Inline(connection) => {
                let Some(connection) = connection.lock().await.take() else { return Ok(()) };
                let closed = connection::close(connection, self.inner.on_close);
                closed.map_err(|failure| failure.named(Operation::Open, self.subject()))
            }
            Backend::Thread { writer, readers } => {
                readers.close().await;
                let (done, closed) = oneshot::channel();
                match writer.send(Message::Close(done)).await {
                    Some(()) => closed.await.unwrap_or(Ok(())),
                    None => Ok(()), // It was closed before.
                }
            }
        }
    }

    fn closed(&self) -> Error {
        Error::closed(self.inner.subject.clone())
    }
}

impl fmt::Debug for LocalDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalDb({})", self.inner.subject)
    }
}

fn alone<R>(
    connection: &mut Connection,
    subject: &Arc<str>,
    work: impl FnOnce(&mut Connection) -> Result<R, Failure>,
) -> Result<R> {
    let result = job::guarded(subject, || work(connection));
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK"); // It ends in any case.
    }
    result
}
