//! A few connections for reading, opened when needed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ifmatch_core::Operation;
use ifmatch_meta::{Error, Result};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::{self, Role};
use super::options::LocalOptions;
use crate::sqlite::error::Failure;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    options: LocalOptions,
    subject: Arc<str>,
    /// One permit for each connection that may exist.
    permits: Arc<Semaphore>,
    /// One fewer, for long reads: a short one always finds a connection soon.
    long: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, options: LocalOptions, subject: Arc<str>) -> Self {
        let most = options.readers.max(2);
        Self {
            path,
            options,
            subject,
            permits: Arc::new(Semaphore::new(most)),
            long: Arc::new(Semaphore::new(most - 1)),
            idle: Mutex::default(),
        }
    }

    /// Waits for a connection for a short read.
    pub(super) async fn short(self: &Arc<Self>) -> Result<Reader> {
        self.take(None).await
    }

    /// Waits for a connection for a long read.
    pub(super) async fn long(self: &Arc<Self>) -> Result<Reader> {
        let long = self.long.clone().acquire_owned().await;
        self.take(Some(long.map_err(|_| self.closed())?)).await
    }

    async fn take(self: &Arc<Self>, long: Option<OwnedSemaphorePermit>) -> Result<Reader> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| self.closed())?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().map_err(|failure| failure.named(Operation::Open, &self.subject))?,
        };
        Ok(Reader { connection: Some(connection), readers: self.clone(), permit, long })
    }

    fn open(&self) -> Result<Connection, Failure> {
        let connection = connection::open(&self.path, &self.options)?;
        connection::settle(&connection, Role::Reader, &self.options)?;
        Ok(connection)
    }

    /// Waits for the reads that run, then closes all connections. Later reads
    /// answer `Closed`.
    pub(super) async fn close(&self) {
        self.long.close();
        let all = u32::try_from(self.options.readers.max(2)).unwrap_or(u32::MAX);
        let Ok(_permits) = self.permits.acquire_many(all).await else { return };
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn closed(&self) -> Error {
        Error::closed(self.subject.clone())
    }
}

/// A connection on loan.
pub(super) struct Reader {
    connection: Option<Connection>,
    readers: Arc<Readers>,
    #[expect(dead_code, reason = "held for as long as the connection is")]
    permit: OwnedSemaphorePermit,
    #[expect(dead_code, reason = "held for as long as the connection is")]
    long: Option<OwnedSemaphorePermit>,
}

impl Reader {
    pub(super) fn run<R>(self, work: impl FnOnce(&Connection) -> Result<R, Failure>) -> Result<R> {
        let subject = self.readers.subject.clone();
        let Some(connection) = &self.connection else { return Err(Error::closed(subject)) };
        work(connection).map_err(|failure| failure.named(Operation::Get, &subject))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // After a panic its state is not known: it is closed, not handed on.
        let Some(connection) = self.connection.take().filter(|_| !std::thread::panicking()) else {
            return;
        };
        if connection.is_autocommit() {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
