//! The faults, each described by what the client sees and what was applied.

use std::{fmt, time::Duration};

/// How an exchange ends when the client does not get the true answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The connection is closed (FIN) without a byte.
    Close,
    /// The connection is reset (RST) without a byte.
    Reset,
    /// `HTTP/1.1 20`, then the connection is closed.
    HalfStatusLine,
    /// Silence for this long or until the client gives up, then a close.
    Stall(Duration),
    /// An error answer of the dialect with this status.
    Status {
        /// The status code.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
    },
}

impl Ending {
    /// An error answer with this status and without `Retry-After`.
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Close => f.write_str("close"),
            Self::Reset => f.write_str("reset"),
            Self::HalfStatusLine => f.write_str("half-status-line"),
            Self::Stall(_) => f.write_str("stall"),
            Self::Status { code, .. } => write!(f, "{code}"),
        }
    }
}

/// When a request that is still under way arrives after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// After this long.
    After(Duration),
    /// When [`CloudServer::deliver_delayed`](super::CloudServer::deliver_delayed) is called.
    OnCall,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is applied and its answer lost or replaced.
    AfterApply(Ending),
    /// The request is not applied; the client sees the same as after
    /// [`Fault::AfterApply`] with the same ending.
    BeforeApply(Ending),
    /// The connection is closed at once; the request is applied later.
    Delayed(Release),
    /// The request is applied twice in a row; the client sees the second
    /// answer, which is a 412 for a conditional write that won.
    DeliverTwice,
    /// The request is applied and answered, and applied once more later.
    DeliverAgain(Release),
    /// `Content-Length` promises the whole body, half of it is sent, then the
    /// connection is closed. Without effect on an answer without a body.
    TruncateBody,
    /// This bit of the answer's body, counted modulo its length, is flipped.
    FlipBit(usize),
    /// A range is answered by 200 with the whole body.
    IgnoreRange,
    /// The request is taken as if it carried no condition.
    IgnoreConditions,
    /// The write gets the version that it replaces: `ETag` and generation.
    ReuseVersion,
    /// A success without an `ETag` header.
    OmitEtag,
    /// A GET or HEAD sees the object as it was before its last change.
    StaleRead,
    /// A listing sees the bucket as it was this many changes ago (at most 256).
    StaleList(usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterApply(ending) => write!(f, "after-apply/{ending}"),
            Self::BeforeApply(ending) => write!(f, "before-apply/{ending}"),
            Self::Delayed(_) => f.write_str("delayed"),
            Self::DeliverTwice => f.write_str("deliver-twice"),
            Self::DeliverAgain(_) => f.write_str("deliver-again"),
            Self::TruncateBody => f.write_str("truncate-body"),
            Self::FlipBit(_) => f.write_str("flip-bit"),
            Self::IgnoreRange => f.write_str("ignore-range"),
            Self::IgnoreConditions => f.write_str("ignore-conditions"),
            Self::ReuseVersion => f.write_str("reuse-version"),
            Self::OmitEtag => f.write_str("omit-etag"),
            Self::StaleRead => f.write_str("stale-read"),
            Self::StaleList(_) => f.write_str("stale-list"),
        }
    }
}
