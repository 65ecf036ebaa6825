//! What a sync operation did.

use std::path::PathBuf;

use ifmatch_core::Totals;

use crate::commit_id::CommitId;

/// How a sync operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Local changes were published.
    Committed,
    /// There was nothing to publish, and nothing was sent.
    Clean,
    /// There was nothing new to adopt.
    UpToDate,
    /// The remote's content was adopted.
    Pulled,
    /// The remote's content was adopted in place of local changes.
    Reloaded,
}

impl Outcome {
    /// The name in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Clean => "clean",
            Self::UpToDate => "up_to_date",
            Self::Pulled => "pulled",
            Self::Reloaded => "reloaded",
        }
    }
}

/// What a sync operation did and what it cost.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SyncReport {
    /// How it ended.
    pub outcome: Outcome,
    /// What this copy is based on now.
    pub base: CommitId,
    /// The commit that a forced push went over, which history keeps.
    pub replaced: Option<CommitId>,
    /// Where local changes were saved before they were replaced.
    pub saved: Option<PathBuf>,
    /// Requests and bytes of bodies.
    pub cost: Totals,
}

/// How a working copy stands to its remote.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Where the remote is.
    pub url: String,
    /// What this copy is based on.
    pub base: Option<CommitId>,
    /// What is published.
    pub remote: Option<CommitId>,
    /// Whether something was published since the base.
    pub behind: bool,
    /// Whether the file differs from the base.
    pub local_changes: bool,
}
