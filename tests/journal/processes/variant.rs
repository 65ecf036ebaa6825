//! What a campaign runs on, and how.

use std::ops::Range;
use std::time::Duration;

use ifmatch::RetryPolicy;

use super::remote::Remote;

/// For whoever begins and whoever checks: a server may stand still for minutes.
pub(crate) const PATIENT: RetryPolicy = RetryPolicy::new().with_deadline(Duration::from_mins(8));

pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) remote: Remote,
    /// How long children are killed.
    pub(crate) time: Duration,
    /// Milliseconds between two kills.
    pub(crate) between: Range<u64>,
    /// What a head may hold of entries.
    pub(crate) tail: usize,
    /// The shortest deadline of a call, in milliseconds.
    pub(crate) pace: u64,
    pub(crate) seed: u64,
}

impl Variant {
    pub(crate) fn all() -> Vec<Self> {
        let files = |name, tail, seconds, seed| Self {
            name,
            remote: Remote::files(),
            time: Duration::from_secs(seconds),
            between: 20..150,
            tail,
            pace: 10,
            seed,
        };
        let server = |name, variable, seed| Self {
            name,
            remote: Remote::server(variable),
            time: Duration::from_secs(15),
            between: 100..500,
            tail: 512,
            pace: 60,
            seed,
        };
        vec![
            files("fs_small_heads", 512, 20, 1),
            files("fs", 16 << 10, 8, 2),
            server("s3", "IFMATCH_TEST_S3_URL", 3),
            server("azure", "IFMATCH_TEST_AZURE_URL", 4),
        ]
    }

    /// Whether segments, merges and checkpoints must have come about.
    pub(crate) const fn has_small_heads(&self) -> bool {
        self.tail <= 512
    }
}
