//! What goes into a store's operations and what comes out.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::key::BlobKey;
use crate::timestamp::Timestamp;
use crate::version::Version;
use crate::write_id::WriteRecord;

/// How to read a blob.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct GetOptions {
    /// Send the body only if the version is another one (`If-None-Match`).
    pub if_none_match: Option<Version>,
    /// Fail with a conflict unless the version is this one (`If-Match`).
    pub if_match: Option<Version>,
    /// Only these bytes; what lies behind the end is left out, a start at or
    /// behind the end is invalid.
    pub range: Option<Range<u64>>,
}

impl GetOptions {
    /// The whole blob, whatever its version.
    pub fn new() -> Self {
        Self::default()
    }

    /// Not the body if the version is still this one.
    pub fn if_none_match(mut self, version: Version) -> Self {
        self.if_none_match = Some(version);
        self
    }

    /// Only if the version is this one.
    pub fn if_match(mut self, version: Version) -> Self {
        self.if_match = Some(version);
        self
    }

    /// Only these bytes.
    pub fn range(mut self, range: Range<u64>) -> Self {
        self.range = Some(range);
        self
    }
}

/// What is known of a blob without its body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlobInfo {
    /// Its name.
    pub key: BlobKey,
    /// Its version.
    pub version: Version,
    /// Size of the whole body in bytes.
    pub size: u64,
    /// When it was written, by the store's clock.
    pub last_modified: Option<Timestamp>,
    /// The write that made it, where the store says so; listings of the clouds
    /// do not.
    pub write: Option<WriteRecord>,
    /// The store's clock at the answer.
    pub date: Option<Timestamp>,
}

/// A blob that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blob {
    /// The bytes asked for.
    pub body: Bytes,
    /// The rest.
    pub info: BlobInfo,
}

/// The answer to a get.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fetched {
    /// Here it is.
    Found(Blob),
    /// The version is still the one given as `if_none_match`.
    NotModified {
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
    /// There is no such blob.
    Absent {
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
}

impl Fetched {
    /// The blob, where there is one.
    pub fn found(self) -> Option<Blob> {
        match self {
            Self::Found(blob) => Some(blob),
            Self::NotModified { .. } | Self::Absent { .. } => None,
        }
    }

    /// The store's clock at the answer.
    pub fn date(&self) -> Option<Timestamp> {
        match self {
            Self::Found(blob) => blob.info.date,
            Self::NotModified { date } | Self::Absent { date } => *date,
        }
    }
}

/// A write that was applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The version it made.
    pub version: Version,
    /// The store's clock at the answer.
    pub date: Option<Timestamp>,
}

/// A delete that was applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deleted {
    /// The store's clock at the answer.
    pub date: Option<Timestamp>,
}

/// How one write request ended. Nothing but `Applied` is a verdict about the
/// object: a network may deliver a request twice.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Attempt<T> {
    /// It was applied.
    Applied(T),
    /// The whole answer arrived and says that the precondition did not hold.
    Rejected {
        /// The store's clock at the answer.
        date: Option<Timestamp>,
    },
    /// It cannot have been applied: it was not sent, or the store refused it
    /// for a reason that has nothing to do with the object's state.
    Refused(Error),
    /// It may have been applied, or may still be.
    Unknown(Error),
}

/// How long and how often to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// No new attempt begins after this long.
    pub deadline: Duration,
    /// At most this many attempts.
    pub max_attempts: Option<u32>,
    /// The first pause; each further one is up to twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub max_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryPolicy {
    /// 30 seconds, any number of attempts, pauses from 50 ms to 5 s.
    pub const fn new() -> Self {
        Self {
            deadline: Duration::from_secs(30),
            max_attempts: None,
            first_pause: Duration::from_millis(50),
            max_pause: Duration::from_secs(5),
        }
    }

    /// The same with other pauses: the first and the longest.
    pub const fn with_pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.first_pause = first;
        self.max_pause = longest;
        self
    }

    /// The same with another deadline.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same with at most this many attempts.
    pub const fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }
}

/// Where a store is reached: scheme, host and port, or what stands for them.
///
/// A probe's verdict holds for one endpoint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(Arc<str>);

impl Endpoint {
    /// An endpoint from its text; the caller leaves out paths and secrets.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
