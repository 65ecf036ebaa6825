//! What a server is told at its start: dialect, names, page size, clock.

use std::{fmt, sync::Arc, time::SystemTime};

/// The wire language that a [`CloudServer`](super::CloudServer) speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Amazon S3, path style: `/bucket/key`.
    S3,
    /// Google Cloud Storage, XML API: `/bucket/key`, `/` in a key sent as `%2F`.
    Gcs,
    /// Azure Blob Storage: `/account/container/blob`.
    Azure,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
        })
    }
}

/// The clock behind `Date` and `Last-Modified`. It is asked under the server's
/// lock and must not call the server.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Misbehaviour of the whole server, as opposed to that of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// Accept every request as if it carried no condition, as some S3 clones do.
    pub ignore_conditions: bool,
    /// Give each write the version that it replaces: `ETag` and generation.
    pub reuse_version: bool,
    /// Answer 403 to everything.
    pub deny: bool,
}

/// How a server is set up.
#[derive(Clone)]
#[non_exhaustive]
pub struct CloudConfig {
    /// The one bucket or container that exists. Default: `bucket`.
    pub bucket: String,
    /// The account in Azure's paths. Default: `devstoreaccount1`.
    pub account: String,
    /// Entries of one page of a listing. Default: 1,000.
    pub page_size: usize,
    /// Source of `Date` and `Last-Modified`. Default: the system's clock.
    pub clock: Clock,
    /// Misbehaviour from the start. Default: none.
    pub switches: Switches,
}

impl Default for CloudConfig {
    fn default() -> Self {
        Self {
            bucket: "bucket".to_owned(),
            account: "devstoreaccount1".to_owned(),
            page_size: 1_000,
            clock: Arc::new(system_clock),
            switches: Switches::default(),
        }
    }
}

impl CloudConfig {
    /// Names the bucket or container.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = name.into();
        self
    }

    /// Names Azure's account.
    pub fn account(mut self, name: impl Into<String>) -> Self {
        self.account = name.into();
        self
    }

    /// Bounds a page of a listing to this many entries, at least one.
    pub fn page_size(mut self, entries: usize) -> Self {
        self.page_size = entries.max(1);
        self
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Misbehaves from the start.
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }
}

impl fmt::Debug for CloudConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudConfig")
            .field("bucket", &self.bucket)
            .field("account", &self.account)
            .field("page_size", &self.page_size)
            .field("switches", &self.switches)
            .finish_non_exhaustive()
    }
}

#[allow(clippy::disallowed_methods, reason = "a server on a real socket lives in real time")]
fn system_clock() -> SystemTime {
    SystemTime::now()
}
