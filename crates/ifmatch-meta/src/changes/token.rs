//! Where a feed goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::key::Partition;
use crate::scan::Scope;

/// Longest token, in bytes.
const LONGEST: usize = 16 << 20;
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A place in the feed of one partition, or of a store that counts its commits
/// as a whole: everything up to and including it was told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[allow(clippy::exhaustive_structs)]
pub struct FeedPosition {
    /// The branch of a journal; 0 elsewhere.
    pub fork: u64,
    /// The commit.
    pub seq: u64,
    /// The change's number in the commit; `u32::MAX` for all of them.
    pub ordinal: u32,
}

/// Where a page of the feed ended: one printable word, good for this store and
/// this scope only.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChangeToken {
    store: u128,
    /// `None` is the store as a whole.
    partitions: BTreeMap<Option<Partition>, FeedPosition>,
    /// Where the feed stood when its reader began at the beginning, for as long
    /// as it has not come so far.
    began: BTreeMap<Option<Partition>, u64>,
}

impl ChangeToken {
    /// The beginning of everything. For backends.
    pub const fn start(store: u128) -> Self {
        Self { store, partitions: BTreeMap::new(), began: BTreeMap::new() }
    }

    /// Moves on in the feed of a partition, or of the store as a whole. For
    /// backends.
    pub fn set(&mut self, partition: Option<&Partition>, position: FeedPosition) {
        if self.began.get(&partition.cloned()).is_some_and(|began| position.seq >= *began) {
            self.began.remove(&partition.cloned());
        }
        self.partitions.insert(partition.cloned(), position);
    }

    /// A reader begins at the beginning while `newest` is the newest commit. What
    /// was deleted before that it was never told of, so it misses nothing where
    /// such deletions are forgotten while it is on its way. For backends: call it
    /// before [`set`](Self::set).
    pub fn begin(&mut self, partition: Option<&Partition>, newest: u64) {
        self.began.insert(partition.cloned(), newest);
    }

    /// The newest commit whose deletions may be forgotten without the reader
    /// missing anything. For backends: it is expired below the floor.
    pub fn needs(&self, partition: Option<&Partition>) -> Option<u64> {
        let told = self.position(partition)?.seq;
        Some(self.began.get(&partition.cloned()).map_or(told, |began| told.max(*began)))
    }

    /// How far the feed of a partition, or of the store as a whole, was told.
    /// For backends.
    pub fn position(&self, partition: Option<&Partition>) -> Option<FeedPosition> {
        self.partitions.get(&partition.cloned()).copied()
    }

    /// The partitions that it tells of. For backends.
    pub fn partitions(&self) -> impl Iterator<Item = (Option<&Partition>, FeedPosition)> {
        self.partitions.iter().map(|(partition, at)| (partition.as_ref(), *at))
    }

    /// Whether it is one of this store and may be used for this scope. For
    /// backends.
    ///
    /// # Errors
    /// `Invalid` where not.
    pub fn check(&self, store: u128, scope: &Scope) -> Result<()> {
        if self.store != store {
            return Err(Error::invalid("a token of another store's changes"));
        }
        let fits = match scope {
            Scope::Partition(partition) => {
                self.partitions.keys().all(|named| named.as_ref() == Some(partition))
            }
            Scope::All => true,
        };
        if fits {
            return Ok(());
        }
        Err(Error::invalid("a token of another scope's changes"))
    }
}

impl fmt::Display for ChangeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c1.{:032x}", self.store)?;
        for (partition, FeedPosition { fork, seq, ordinal }) in &self.partitions {
            let name = partition.as_ref().map_or("", Partition::as_str);
            let name = utf8_percent_encode(name, ESCAPED);
            write!(f, ",{name}:{fork:x}:{seq:x}:{ordinal:x}")?;
            if let Some(began) = self.began.get(partition) {
                write!(f, ":{began:x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ChangeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ChangeToken {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::too_large("a token", text.len(), LONGEST));
        }
        parse(text).ok_or_else(|| {
            let start: String = text.chars().take(100).collect();
            Error::invalid(format!("{start:?} is no token of a change feed"))
        })
    }
}

fn parse(text: &str) -> Option<ChangeToken> {
    let mut parts = text.strip_prefix("c1.")?.split(',');
    let store = parts.next().filter(|digits| digits.len() == 32)?;
    let mut token = ChangeToken::start(u128::from_str_radix(store, 16).ok()?);
    for part in parts {
        let mut fields = part.split(':');
        let name = percent_decode_str(fields.next()?).decode_utf8().ok()?;
        let partition = if name.is_empty() { None } else { Some(Partition::internal(&name).ok()?) };
        let mut number = || u64::from_str_radix(fields.next()?, 16).ok();
        let (fork, seq, ordinal) = (number()?, number()?, u32::try_from(number()?).ok()?);
        if let Some(began) = fields.next() {
            token.began.insert(partition.clone(), u64::from_str_radix(began, 16).ok()?);
        }
        if fields.next().is_some() {
            return None;
        }
        token.partitions.insert(partition, FeedPosition { fork, seq, ordinal });
    }
    Some(token)
}

impl TryFrom<String> for ChangeToken {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ChangeToken> for String {
    fn from(token: ChangeToken) -> Self {
        token.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_parses_back() {
        let mut token = ChangeToken::start(7);
        assert_eq!(token.to_string().parse::<ChangeToken>().unwrap(), token);
        token.set(None, FeedPosition { fork: 0, seq: 12, ordinal: u32::MAX });
        let odd = Partition::new("a:b,c%/ ä").unwrap();
        token.set(Some(&odd), FeedPosition { fork: u64::MAX, seq: 1, ordinal: 0 });
        token.begin(Some(&odd), 9);
        token.set(Some(&odd), FeedPosition { fork: u64::MAX, seq: 2, ordinal: 0 });
        assert_eq!((token.needs(None), token.needs(Some(&odd))), (Some(12), Some(9)));
        let text = token.to_string();
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        assert_eq!(text.parse::<ChangeToken>().unwrap(), token);
        for text in ["", "c1.", "c1.7", "c1.00000000000000000000000000000007,a:1", "x"] {
            assert_eq!(text.parse::<ChangeToken>().unwrap_err().kind(), "invalid", "{text}");
        }
    }

    #[test]
    fn a_token_of_another_store_or_scope_is_refused() {
        let (p, q) = (Partition::new("p").unwrap(), Partition::new("q").unwrap());
        let mut token = ChangeToken::start(7);
        token.set(Some(&p), FeedPosition::default());
        assert!(token.check(7, &Scope::Partition(p)).is_ok());
        assert_eq!(token.check(8, &Scope::All).unwrap_err().kind(), "invalid");
        assert_eq!(token.check(7, &Scope::Partition(q)).unwrap_err().kind(), "invalid");
    }
}
