//! Where a scan goes on.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Direction;
use crate::error::{Error, Result};
use crate::key::DocId;

/// Where a page ended: one printable word, good for as long as the store lives.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScanToken {
    pub(super) direction: Direction,
    pub(super) last: DocId,
}

impl ScanToken {
    /// The token of a page that ended with `last`. For backends.
    pub const fn new(direction: Direction, last: DocId) -> Self {
        Self { direction, last }
    }

    /// The id that the page ended with. For backends.
    pub const fn last(&self) -> &DocId {
        &self.last
    }
}

/// What needs no escape in a word for a shell and a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

impl fmt::Display for ScanToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Ascending => 'a',
            Direction::Descending => 'd',
        };
        write!(f, "{direction}.{}", utf8_percent_encode(self.last.as_str(), ESCAPED))
    }
}

impl fmt::Debug for ScanToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ScanToken {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let no_token = || Error::invalid(format!("{text:?} is no token of a scan"));
        let (direction, last) = match text.split_once('.') {
            Some(("a", last)) => (Direction::Ascending, last),
            Some(("d", last)) => (Direction::Descending, last),
            _ => return Err(no_token()),
        };
        let last = percent_decode_str(last).decode_utf8().map_err(|_| no_token())?;
        Ok(Self { direction, last: DocId::internal(last).map_err(|_| no_token())? })
    }
}

impl TryFrom<String> for ScanToken {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ScanToken> for String {
    fn from(token: ScanToken) -> Self {
        token.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(direction: Direction, last: &str) -> ScanToken {
        ScanToken::new(direction, DocId::new(last).unwrap())
    }

    #[test]
    fn a_token_is_one_word_and_parses_back() {
        for id in ["a", "a b", "ä/%.\n\"", "d.x"] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let token = token(direction, id);
                let text = token.to_string();
                assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'"'), "{text}");
                assert_eq!(text.parse::<ScanToken>().unwrap(), token);
            }
        }
        for text in ["", "a", "a.", "x.a", "a.%ff", "a.%00"] {
            assert_eq!(text.parse::<ScanToken>().unwrap_err().kind(), "invalid", "{text}");
        }
    }
}
