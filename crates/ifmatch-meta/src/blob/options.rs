//! How a store on blobs is opened.

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, RetryPolicy};

use crate::limits::Limits;

/// How to open a [`BlobMetaStore`](super::BlobMetaStore).
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct BlobMetaOptions {
    /// Whether to make the place one for documents where nothing lies there yet
    /// (no).
    pub create: bool,
    /// Who writes, where a write does not say (nobody).
    pub author: Option<Arc<str>>,
    /// How large documents and batches may be.
    pub limits: Limits,
    /// How large a partition may be, in bytes of ids and bodies (64 MiB). A
    /// partition is held in memory as a whole.
    pub partition_bytes: u64,
    /// Whether local transactions may be begun (no). Open ones are always
    /// respected.
    pub transactions: bool,
    /// Whether a record of every change is kept (no). A partition that keeps one
    /// goes on with it, whoever writes.
    pub audit: bool,
    /// Clock, sleep and randomness (those of the blob store).
    pub env: Option<Env>,
    /// How long a call may take, and the pauses between attempts
    /// (30 s, 50 ms to 5 s).
    pub retry: RetryPolicy,
    /// How long one request may take (30 s).
    pub request_timeout: Duration,
    /// How old what is read may be (nothing: each read asks the store). The age
    /// counts from before the last request, time in which the machine was
    /// suspended included.
    pub staleness: Duration,
    /// How many partitions are held in memory at most (64); those in use are not
    /// counted out.
    pub open_partitions: usize,
    /// How many bytes of them are held at most (512 MiB), as counted when one is
    /// opened.
    pub open_bytes: u64,
    /// How often [`wait_for_change`](crate::MetaStore::wait_for_change) looks
    /// (1 s).
    pub poll: Duration,
}

impl Default for BlobMetaOptions {
    fn default() -> Self {
        Self {
            create: false,
            author: None,
            limits: Limits::default(),
            partition_bytes: 64 << 20,
            transactions: false,
            audit: false,
            env: None,
            retry: RetryPolicy::new(),
            request_timeout: Duration::from_secs(30),
            staleness: Duration::ZERO,
            open_partitions: 64,
            open_bytes: 512 << 20,
            poll: Duration::from_secs(1),
        }
    }
}

impl BlobMetaOptions {
    /// Opens what is there.
    pub fn open() -> Self {
        Self::default()
    }

    /// Opens what is there, or creates it.
    pub fn create() -> Self {
        Self { create: true, ..Self::default() }
    }

    /// With this author.
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// With these limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With partitions of at most this many bytes.
    pub fn partition_bytes(mut self, bytes: u64) -> Self {
        self.partition_bytes = bytes;
        self
    }

    /// With local transactions or without.
    pub fn transactions(mut self, on: bool) -> Self {
        self.transactions = on;
        self
    }

    /// With a record of changes or without.
    pub fn audit(mut self, on: bool) -> Self {
        self.audit = on;
        self
    }

    /// In this environment.
    pub fn env(mut self, env: Env) -> Self {
        self.env = Some(env);
        self
    }

    /// With this deadline and these pauses.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// With this time-out for one request.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// With reads that may be this old.
    pub fn max_staleness(mut self, age: Duration) -> Self {
        self.staleness = age;
        self
    }

    /// With at most this many partitions in memory.
    pub fn open_partitions(mut self, partitions: usize) -> Self {
        self.open_partitions = partitions;
        self
    }

    /// With at most this many bytes of partitions in memory.
    pub fn open_bytes(mut self, bytes: u64) -> Self {
        self.open_bytes = bytes;
        self
    }

    /// With looks for changes this far apart.
    pub fn poll(mut self, every: Duration) -> Self {
        self.poll = every;
        self
    }
}
