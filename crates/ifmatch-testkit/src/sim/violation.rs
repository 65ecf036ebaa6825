//! What a run may find.

use std::fmt;

use serde::Serialize;

/// A broken promise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// The seed of the run.
    pub seed: u64,
    /// Which promise.
    pub kind: Broken,
    /// What happened, with the numbers of the commands and commits.
    pub detail: String,
}

/// The promises that a run checks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Broken {
    /// What was acknowledged is not part of the history, or not where it was
    /// said to be.
    Lost,
    /// What was told "never" or "rejected", or was never asked for, is part of
    /// the history.
    Phantom,
    /// It is part of the history twice.
    Doubled,
    /// Somebody was shown less than he may be shown.
    Stale,
    /// An unknown outcome stayed unknown.
    Unresolved,
    /// A rejection was not true of any state during the call.
    FalseRejection,
    /// A snapshot is not the state of its commit.
    WrongSnapshot,
    /// A reply is not what the machine says at that place.
    WrongReply,
    /// The commits are not dense, or do not fit what was written.
    Chain,
    /// A commit id stood for two bodies.
    ReusedId,
    /// A follower missed a commit, or heard of one twice.
    Follower,
    /// An invariant of the work does not hold.
    Invariant,
    /// Something that the journal names is missing or damaged.
    Damage,
    /// An error that nothing explains.
    Error,
    /// Somebody did not finish, or could not go on, once all faults had ended.
    Stuck,
    /// After an operator's deed somebody went on as if nothing had happened.
    Operator,
    /// Something panicked.
    Panic,
    /// The same seed gave another trace.
    Unrepeatable,
}

impl Broken {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Phantom => "phantom",
            Self::Doubled => "doubled",
            Self::Stale => "stale",
            Self::Unresolved => "unresolved",
            Self::FalseRejection => "false rejection",
            Self::WrongSnapshot => "wrong snapshot",
            Self::WrongReply => "wrong reply",
            Self::Chain => "chain",
            Self::ReusedId => "reused id",
            Self::Follower => "follower",
            Self::Invariant => "invariant",
            Self::Damage => "damage",
            Self::Error => "error",
            Self::Stuck => "stuck",
            Self::Operator => "operator",
            Self::Panic => "panic",
            Self::Unrepeatable => "unrepeatable",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}: {}", self.seed, self.kind, self.detail)
    }
}
