//! How a journal is opened and how hard it tries.

use std::time::Duration;

use ifmatch_core::{BlobKey, Env, RetryPolicy};

use crate::error::Result;
use crate::id::{CommitId, ForkId, WriterId};

/// Where the head and the objects of a journal lie, below the store's root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub(crate) head: BlobKey,
    /// The folder of the objects, with a slash at its end, or nothing.
    pub(crate) objects: String,
}

impl Place {
    /// The only journal under its prefix: `head`, `segments/`, `checkpoints/`,
    /// `history/`.
    ///
    /// # Errors
    /// None.
    pub fn single() -> Result<Self> {
        Ok(Self { head: BlobKey::new("head")?, objects: String::new() })
    }

    /// One journal of many: `heads/<name>`, and its objects below
    /// `data/<name>/`.
    ///
    /// # Errors
    /// `Invalid` for a name that is no segment of a key.
    pub fn partition(name: &str) -> Result<Self> {
        let head = BlobKey::new(format!("heads/{name}"))?;
        if head.segments().count() != 2 {
            return Err(crate::Error::invalid(format!("{name:?} is no name of a partition")));
        }
        Ok(Self { head, objects: format!("data/{name}/") })
    }
}

/// What a handle had seen of a journal; a program that keeps it over a restart
/// notices when the journal was rewound or replaced meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    /// The newest commit that the state was at.
    pub commit: CommitId,
    /// The branch.
    pub fork: ForkId,
}

/// How to open a [`Journal`](crate::Journal).
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct Options {
    /// Whether to create the journal where there is none (no).
    pub create: bool,
    /// Who commits; drawn anew where it is not given. The same for as long as a
    /// working copy or a service lives, not for one process.
    pub writer: Option<WriterId>,
    /// What an earlier handle had seen: the journal must still contain it.
    pub seen: Option<Seen>,
    /// Clock, sleep and randomness (those of the store).
    pub env: Option<Env>,
    /// How long a call may take, and the pauses between attempts
    /// (30 s, 50 ms to 5 s).
    pub retry: RetryPolicy,
    /// How long one request may take before its outcome counts as unknown
    /// (30 s).
    pub request_timeout: Duration,
    /// What the entries in the head may take, in bytes as stored (16 KiB).
    pub tail: usize,
    /// Most commands in one commit (512).
    pub batch: usize,
    /// Most bytes of entries in one commit (4 MiB); a single larger entry goes
    /// alone.
    pub batch_bytes: usize,
    /// How many commits the ring of a head remembers (128). Readers take any
    /// length.
    pub ring: usize,
    /// How long an object that was uploaded for a commit may wait to be named by
    /// one, by the store's clock; garbage collection takes what nobody names
    /// after this long (1 hour).
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: false,
            writer: None,
            seen: None,
            env: None,
            retry: RetryPolicy::new(),
            request_timeout: Duration::from_secs(30),
            tail: 16 << 10,
            batch: 512,
            batch_bytes: 4 << 20,
            ring: crate::head::RING,
            grace: Duration::from_hours(1),
        }
    }
}

impl Options {
    /// Opens what is there.
    pub fn open() -> Self {
        Self::default()
    }

    /// Opens what is there, or creates it.
    pub fn create() -> Self {
        Self { create: true, ..Self::default() }
    }

    /// With this writer's id.
    pub fn writer(mut self, writer: WriterId) -> Self {
        self.writer = Some(writer);
        self
    }

    /// The journal must contain what an earlier handle had seen.
    pub fn seen(mut self, seen: Seen) -> Self {
        self.seen = Some(seen);
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

    /// With this much of entries in the head.
    pub fn tail(mut self, bytes: usize) -> Self {
        self.tail = bytes;
        self
    }

    /// With at most this many commands in one commit.
    pub fn batch(mut self, commands: usize) -> Self {
        self.batch = commands.max(1);
        self
    }

    /// With rings of this many commits, at least 1 and at most 128.
    pub fn ring(mut self, commits: usize) -> Self {
        self.ring = commits.clamp(1, crate::head::RING);
        self
    }

    /// With this time-out for one request.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }
}

/// How fresh a read must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Freshness {
    /// The newest commit at some moment after the call began: one request, no
    /// body where nothing changed.
    Strong,
    /// No request where the last look at the store began at most this long ago,
    /// the time that the machine was suspended included.
    MaxStaleness(Duration),
    /// What this handle knows, without a request.
    Cached,
}
