//! The kinds of faults.

use std::fmt;

use ifmatch_core::Operation;

/// What can happen to one call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum FaultKind {
    /// A write is applied (or rejected), its answer is lost.
    LostAnswer,
    /// A write never arrives, and nobody says so.
    LostRequest,
    /// A write is not answered and arrives later, with its condition.
    Delayed,
    /// A write arrives twice; the second answer comes back.
    Duplicated,
    /// A write is answered, and a copy of it arrives later.
    DuplicatedLater,
    /// 429 and a time to wait; nothing was done.
    ThrottledBefore,
    /// 429 and a time to wait after the write was applied.
    ThrottledAfter,
    /// 500 or 503; nothing was done.
    ServerErrorBefore,
    /// 500 or 503 after the write was applied.
    ServerErrorAfter,
    /// 409, a race with another request; nothing was applied.
    Contended,
    /// 412 though the condition holds; nothing was applied.
    FalseRejection,
    /// The connection is refused: nothing was sent.
    Unreachable,
    /// The store is down for a while, for every call.
    Outage,
    /// 403; nothing was done.
    Denied,
    /// The call takes long.
    Latency,
    /// A read answers what was there before the last write, or before one of
    /// the last.
    StaleRead,
    /// A read finds nothing where something is.
    StaleAbsent,
    /// A listing shows what was there before the last write of each key.
    StaleList,
    /// A listing ends in an error half way.
    CutList,
    /// The end of a body is missing.
    TruncatedBody,
    /// One bit of a body is another.
    FlippedBit,
    /// A range is answered with fewer bytes.
    ShortRange,
}

/// The operations that faults can happen to.
pub(super) const OPERATIONS: [Operation; 5] =
    [Operation::Put, Operation::Delete, Operation::Get, Operation::Head, Operation::List];

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::LostAnswer,
        Self::LostRequest,
        Self::Delayed,
        Self::Duplicated,
        Self::DuplicatedLater,
        Self::ThrottledBefore,
        Self::ThrottledAfter,
        Self::ServerErrorBefore,
        Self::ServerErrorAfter,
        Self::Contended,
        Self::FalseRejection,
        Self::Unreachable,
        Self::Outage,
        Self::Denied,
        Self::Latency,
        Self::StaleRead,
        Self::StaleAbsent,
        Self::StaleList,
        Self::CutList,
        Self::TruncatedBody,
        Self::FlippedBit,
        Self::ShortRange,
    ];

    /// Whether it can happen to this operation.
    pub fn applies_to(self, operation: Operation) -> bool {
        match self {
            Self::LostAnswer
            | Self::LostRequest
            | Self::Delayed
            | Self::Duplicated
            | Self::DuplicatedLater
            | Self::ThrottledAfter
            | Self::ServerErrorAfter
            | Self::Contended
            | Self::FalseRejection => matches!(operation, Operation::Put | Operation::Delete),
            Self::ThrottledBefore
            | Self::ServerErrorBefore
            | Self::Unreachable
            | Self::Outage
            | Self::Denied
            | Self::Latency => OPERATIONS.contains(&operation),
            Self::StaleRead | Self::StaleAbsent => {
                matches!(operation, Operation::Get | Operation::Head)
            }
            Self::StaleList | Self::CutList => operation == Operation::List,
            Self::TruncatedBody | Self::FlippedBit | Self::ShortRange => {
                operation == Operation::Get
            }
        }
    }

    /// Whether it shows what was there before.
    pub(crate) fn lags(self) -> bool {
        matches!(self, Self::StaleRead | Self::StaleAbsent | Self::StaleList)
    }

    /// Whether it changes a body on its way.
    pub(crate) fn damages(self) -> bool {
        matches!(self, Self::TruncatedBody | Self::FlippedBit | Self::ShortRange)
    }

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LostAnswer => "lost answer",
            Self::LostRequest => "lost request",
            Self::Delayed => "delayed",
            Self::Duplicated => "duplicated",
            Self::DuplicatedLater => "duplicated later",
            Self::ThrottledBefore => "throttled before",
            Self::ThrottledAfter => "throttled after",
            Self::ServerErrorBefore => "server error before",
            Self::ServerErrorAfter => "server error after",
            Self::Contended => "contended",
            Self::FalseRejection => "false rejection",
            Self::Unreachable => "unreachable",
            Self::Outage => "outage",
            Self::Denied => "denied",
            Self::Latency => "latency",
            Self::StaleRead => "stale read",
            Self::StaleAbsent => "stale absent",
            Self::StaleList => "stale list",
            Self::CutList => "cut list",
            Self::TruncatedBody => "truncated body",
            Self::FlippedBit => "flipped bit",
            Self::ShortRange => "short range",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
