//! Reading the documents of a partition in order.

mod token;

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

pub use token::ScanToken;

use crate::document::Document;
use crate::error::{Error, Result};
use crate::key::{DocKey, Partition};
use crate::mark::Mark;
use crate::projection::Projection;

/// Which documents are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Scope {
    /// Those of all partitions.
    All,
    /// Those of one.
    Partition(Partition),
}

impl Scope {
    /// Whether a document of this name is meant. Those of ours are not, unless
    /// the scope is a partition of ours. For backends.
    pub fn holds(&self, key: &DocKey) -> bool {
        let partition = match self {
            Self::All => !key.partition.is_reserved(),
            Self::Partition(partition) => key.partition == *partition,
        };
        partition && !key.id.is_reserved()
    }
}

/// In which order of the id, as bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[allow(clippy::exhaustive_enums)] // There are two.
pub enum Direction {
    /// Smallest id first.
    #[default]
    Ascending,
    /// Largest id first.
    Descending,
}

/// What a scan reads, in which order, and how much of it in one page.
///
/// ```
/// use ifmatch_meta::ScanOptions;
/// let newest = ScanOptions::default().ids("2026-"..).descending().limit(20);
/// assert_eq!(newest.limit, 20);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ScanOptions {
    /// The smallest id.
    pub lower: Bound<Arc<str>>,
    /// The largest id.
    pub upper: Bound<Arc<str>>,
    /// The order.
    pub direction: Direction,
    /// Most documents in one page; 1,000 unless set, at least 1. A page also
    /// ends after 4 MiB of bodies.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<ScanToken>,
    /// Which members of the bodies are wanted; all of them unless set.
    pub fields: Option<Projection>,
    /// Whether documents of ours are among them.
    #[doc(hidden)]
    pub with_reserved: bool,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            lower: Bound::Unbounded,
            upper: Bound::Unbounded,
            direction: Direction::Ascending,
            limit: 1_000,
            after: None,
            fields: None,
            with_reserved: false,
        }
    }
}

impl ScanOptions {
    /// Bodies in one page, in bytes, after which it ends.
    pub const PAGE_BYTES: usize = 4 << 20;

    /// Only ids in this range, whatever the direction.
    pub fn ids<'a>(mut self, range: impl RangeBounds<&'a str>) -> Self {
        self.lower = range.start_bound().map(|id| Arc::from(*id));
        self.upper = range.end_bound().map(|id| Arc::from(*id));
        self
    }

    /// Only ids that begin with `prefix`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.lower = Bound::Included(prefix.into());
        self.upper = successor(prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(end.into()));
        self
    }

    /// Largest id first.
    pub fn descending(mut self) -> Self {
        self.direction = Direction::Descending;
        self
    }

    /// At most so many documents in one page.
    pub fn limit(mut self, documents: usize) -> Self {
        self.limit = documents.max(1);
        self
    }

    /// The page that follows the one that answered this token.
    pub fn after(mut self, token: ScanToken) -> Self {
        self.after = Some(token);
        self
    }

    /// Only these members of the bodies.
    pub fn fields(mut self, fields: Projection) -> Self {
        self.fields = Some(fields);
        self
    }

    /// The range that is left after the token, as (lower, upper). For backends.
    ///
    /// # Errors
    /// `Invalid` where the token comes from a scan in the other direction.
    pub fn remaining(&self) -> Result<(Bound<&str>, Bound<&str>)> {
        let (mut lower, mut upper) =
            (self.lower.as_ref().map(|id| &**id), self.upper.as_ref().map(|id| &**id));
        if let Some(token) = &self.after {
            if token.direction != self.direction {
                return Err(Error::invalid(format!("token {token} is of the other direction")));
            }
            let last = token.last.as_str();
            match self.direction {
                Direction::Ascending if begins_before(lower, last) => lower = Bound::Excluded(last),
                Direction::Descending if ends_after(upper, last) => upper = Bound::Excluded(last),
                _ => {} // The token lies before the range: nothing of it was read.
            }
        }
        Ok((lower, upper))
    }
}

fn begins_before(lower: Bound<&str>, id: &str) -> bool {
    match lower {
        Bound::Unbounded => true,
        Bound::Included(first) | Bound::Excluded(first) => first <= id,
    }
}

fn ends_after(upper: Bound<&str>, id: &str) -> bool {
    match upper {
        Bound::Unbounded => true,
        Bound::Included(last) | Bound::Excluded(last) => last >= id,
    }
}

/// The smallest text that is larger than all texts with this prefix.
fn successor(prefix: &str) -> Option<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        let next = if last == '\u{d7ff}' { 0xe000 } else { u32::from(last) + 1 };
        if let Some(next) = char::from_u32(next) {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

/// One page of a scan: the state at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// The documents, in the order of the scan.
    pub documents: Vec<Document>,
    /// What follows, where there is more.
    pub next: Option<ScanToken>,
    /// Which state of the partition this is, for
    /// [`Op::Unchanged`](crate::Op::Unchanged).
    pub mark: Mark,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::DocId;

    fn token(direction: Direction, last: &str) -> ScanToken {
        ScanToken::new(direction, DocId::new(last).unwrap())
    }

    #[test]
    fn a_token_narrows_the_range_from_its_side() {
        use Bound::{Excluded, Included};
        let scan = ScanOptions::default().ids("b".."y");
        let up = |last| scan.clone().after(token(Direction::Ascending, last));
        assert_eq!(up("m").remaining().unwrap(), (Excluded("m"), Excluded("y")));
        assert_eq!(up("a").remaining().unwrap(), (Included("b"), Excluded("y")));
        let down = |last| scan.clone().descending().after(token(Direction::Descending, last));
        assert_eq!(down("m").remaining().unwrap(), (Included("b"), Excluded("m")));
        assert_eq!(down("z").remaining().unwrap(), (Included("b"), Excluded("y")));
        let wrong = scan.clone().after(token(Direction::Descending, "m"));
        assert_eq!(wrong.remaining().unwrap_err().kind(), "invalid");
    }

    #[test]
    fn a_prefix_ends_at_its_successor() {
        for (prefix, end) in [
            ("a/", Some("a0")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(successor(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
