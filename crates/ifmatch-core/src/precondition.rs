//! What must hold for a write to be applied.

use std::fmt;

use crate::version::Version;

/// What must hold for a write to be applied (RFC 9110 13.1).
///
/// There is no default and no "none": a last-writer-wins write is spelled out
/// where it happens.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Precondition {
    /// The blob must not exist (`If-None-Match: *`).
    IfAbsent,
    /// The blob must exist at this version (`If-Match`).
    IfMatch(Version),
    /// Whatever is there is replaced, or deleted. The last writer wins, and an
    /// answer that is lost may make this write happen twice.
    Overwrite,
}

impl fmt::Display for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IfAbsent => f.write_str("if-absent"),
            Self::IfMatch(version) => write!(f, "if-match {version}"),
            Self::Overwrite => f.write_str("overwrite"),
        }
    }
}
