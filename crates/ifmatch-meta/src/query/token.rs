//! Where a query goes on.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::SortKey;
use crate::error::{Error, Result};
use crate::key::DocKey;

/// Longest token, in bytes. A token is as long as the values that its query
/// sorts by.
const LONGEST: usize = 64 << 20;
const START: &str = "q1.";

/// Where a page ended: one printable word, good for the same filter, order and
/// scope only, for as long as the store lives. It holds the last document's sort
/// values, partition and id.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueryToken {
    /// A hash of the query.
    query: u128,
    last: SortKey,
}

impl QueryToken {
    pub(super) const fn new(query: u128, last: SortKey) -> Self {
        Self { query, last }
    }

    /// Where the page ended, if it was one of this query.
    pub(super) fn last(&self, query: u128) -> Result<&SortKey> {
        if self.query == query {
            return Ok(&self.last);
        }
        Err(Error::invalid("a token of another query: filter, sort and scope must be the same"))
    }

    fn bytes(&self) -> Vec<u8> {
        let (values, key) = (self.last.values(), self.last.document());
        let mut bytes = self.query.to_be_bytes().to_vec();
        for part in [values, key.partition.as_str().as_bytes(), key.id.as_str().as_bytes()] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        let sum = xxh3_64(&bytes);
        bytes.extend(sum.to_be_bytes());
        bytes
    }
}

fn parse(text: &str) -> Option<QueryToken> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(START)?).ok()?;
    let (bytes, sum) = bytes.split_last_chunk()?;
    if xxh3_64(bytes) != u64::from_be_bytes(*sum) {
        return None;
    }
    let (query, mut rest) = bytes.split_first_chunk()?;
    let mut part = || {
        let (length, tail) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let (part, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some(part)
    };
    let values = part()?;
    let partition = std::str::from_utf8(part()?).ok()?;
    let id = std::str::from_utf8(part()?).ok()?;
    let key = DocKey::internal(partition, id).ok()?;
    let query = u128::from_be_bytes(*query);
    rest.is_empty().then(|| QueryToken { query, last: SortKey::new(values, key) })
}

impl fmt::Display for QueryToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}", URL_SAFE_NO_PAD.encode(self.bytes()))
    }
}

impl fmt::Debug for QueryToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for QueryToken {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Error::too_large("a token", text.len(), LONGEST));
        }
        parse(text).ok_or_else(|| {
            let start: String = text.chars().take(100).collect();
            Error::invalid(format!("{start:?} is no token of a query"))
        })
    }
}

impl TryFrom<String> for QueryToken {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<QueryToken> for String {
    fn from(token: QueryToken) -> Self {
        token.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word_and_parses_back() {
        for (values, id) in [(vec![], "a"), (vec![0, 255, 7], "ä \"\n"), (vec![1; 5_000], "x")] {
            let last = SortKey::new(values, DocKey::new("p/%", id).unwrap());
            let token = QueryToken::new(u128::MAX / 3, last);
            let text = token.to_string();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            assert!(text.bytes().all(plain), "{text}");
            assert_eq!(text.parse::<QueryToken>().unwrap(), token);
            let json = serde_json::to_string(&token).unwrap();
            assert_eq!(serde_json::from_str::<QueryToken>(&json).unwrap(), token);
        }
    }

    #[test]
    fn a_token_that_was_cut_or_changed_is_refused() {
        let last = SortKey::new(vec![3, 1, 4], DocKey::new("part", "id").unwrap());
        let text = QueryToken::new(7, last).to_string();
        let refused = |text: &str| text.parse::<QueryToken>().unwrap_err().kind() == "invalid";
        assert!((0..text.len()).all(|end| refused(&text[..end])));
        for at in 0..text.len() {
            for other in ["A", "B", "_", "!", "é", " "] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert!(changed == text || refused(&changed), "{changed}");
            }
        }
        for foreign in ["", "a.x", "c1.00,", "q1.", "q1.AAAA", "q2.AAAA"] {
            assert!(refused(foreign), "{foreign}");
        }
    }
}
