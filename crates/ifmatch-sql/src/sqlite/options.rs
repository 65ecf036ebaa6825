//! How a document store uses its file.

use std::sync::Arc;

use ifmatch_meta::Limits;

use crate::sqlite::local::{Durability, Executor, LocalOptions, OnClose};

/// How a [`SqliteMetaStore`](crate::SqliteMetaStore) is opened.
///
/// ```
/// use ifmatch_sql::{Durability, SqliteOptions};
/// let options = SqliteOptions::default().durability(Durability::Process).author("importer");
/// assert!(options.create);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// Whether a missing file is created; it is unless set.
    pub create: bool,
    /// Who writes, where a write does not say so itself.
    pub author: Option<Arc<str>>,
    /// How large documents and batches may be.
    pub limits: Limits,
    /// Whether local transactions may be begun; not unless set. Every writer
    /// respects those that are open.
    pub transactions: bool,
    /// Whether a record of every change is kept; not unless set.
    pub audit: bool,
    /// How the file is used. The log of a synced working copy is kept at the
    /// end whatever this says.
    pub local: LocalOptions,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            create: true,
            author: None,
            limits: Limits::default(),
            transactions: false,
            audit: false,
            local: LocalOptions::default(),
        }
    }
}

impl SqliteOptions {
    /// Sets whether a missing file is created.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets who writes, where a write does not say so itself.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Sets how large documents and batches may be.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets whether local transactions may be begun.
    pub fn transactions(mut self, on: bool) -> Self {
        self.transactions = on;
        self
    }

    /// Sets whether a record of every change is kept.
    pub fn audit(mut self, on: bool) -> Self {
        self.audit = on;
        self
    }

    /// Sets what an acknowledged write survives.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.local.durability = durability;
        self
    }

    /// Sets where SQL runs.
    pub fn executor(mut self, executor: Executor) -> Self {
        self.local.executor = executor;
        self
    }

    /// Sets the most connections for reading.
    pub fn readers(mut self, readers: usize) -> Self {
        self.local.readers = readers;
        self
    }

    /// Sets what the end of the last connection does with the log.
    pub fn on_close(mut self, on_close: OnClose) -> Self {
        self.local.on_close = on_close;
        self
    }
}
