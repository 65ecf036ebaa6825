//! Versions of blobs: one opaque token for ETags and generations.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::write_id::WriteId;

/// What is written as `%XX` in the printed form, so that a token has no blanks
/// and its separators are plain.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b':').add(b'#').add(b'"');

/// One version of one blob, as its store names it.
///
/// Opaque: compare it for equality only, and only within one key of one store.
/// It holds the ETag (what S3 and Azure match on, RFC 9110 8.8.3, without its
/// quotes), the generation (what GCS matches on), or both.
///
/// A version also remembers the id of the write that made it, where that is
/// known. Equality ignores it; the outcome rule needs it on stores whose ETag
/// is a hash of the body, where equal bytes written twice have equal versions.
///
/// `Display` and `FromStr` give one token without blanks, for a shell. Serde
/// keeps the write id as well.
#[derive(Clone, Default)]
pub struct Version {
    etag: Option<Arc<str>>,
    generation: Option<Arc<str>>,
    written_by: Option<WriteId>,
}

impl Version {
    /// A version from an ETag, with or without its quotes.
    pub fn from_etag(etag: &str) -> Self {
        Self::from_parts(Some(etag), None)
    }

    /// A version from what a store answered.
    pub fn from_parts(etag: Option<&str>, generation: Option<&str>) -> Self {
        Self {
            etag: etag.map(|tag| strip_quotes(tag).into()),
            generation: generation.map(Into::into),
            written_by: None,
        }
    }

    /// The same version, remembering the write that made it.
    pub fn with_write(mut self, write: Option<WriteId>) -> Self {
        self.written_by = write;
        self
    }

    /// The ETag without quotes, where the store gave one.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The ETag as a header value, in quotes (a weak one keeps its `W/`).
    pub fn quoted_etag(&self) -> Option<String> {
        self.etag.as_deref().map(|tag| match tag.strip_prefix("W/") {
            Some(tag) => format!("W/\"{tag}\""),
            None => format!("\"{tag}\""),
        })
    }

    /// The generation, where the store has one.
    pub fn generation(&self) -> Option<&str> {
        self.generation.as_deref()
    }

    /// The write that made this version, where it is known.
    pub fn written_by(&self) -> Option<WriteId> {
        self.written_by
    }

    /// Whether the ETag is weak (`W/"..."`). A weak tag never satisfies
    /// `If-Match` (RFC 9110 13.1.1).
    pub fn is_weak(&self) -> bool {
        self.generation.is_none() && self.etag.as_deref().is_some_and(|tag| tag.starts_with("W/"))
    }

    /// Whether both name the same *write*, not only equal bytes: the versions
    /// are equal and so are the write ids, both known.
    pub fn is_same_write(&self, other: &Self) -> bool {
        self == other && self.written_by.is_some() && self.written_by == other.written_by
    }

    /// The printed form with the write id at its end.
    fn full(&self) -> String {
        match self.written_by {
            Some(write) => format!("{self}#{write}"),
            None => self.to_string(),
        }
    }
}

fn strip_quotes(tag: &str) -> String {
    let (weak, tag) = tag.strip_prefix("W/").map_or(("", tag), |tag| ("W/", tag));
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    format!("{weak}{inner}")
}

impl PartialEq for Version {
    /// Equal generations where both have one, else equal ETags: a listing may
    /// give only the ETag.
    fn eq(&self, other: &Self) -> bool {
        match (&self.generation, &other.generation) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.etag == other.etag && self.etag.is_some(),
        }
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(etag) = &self.etag {
            write!(f, "{}", utf8_percent_encode(etag, ESCAPED))?;
        }
        if let Some(generation) = &self.generation {
            write!(f, ":{}", utf8_percent_encode(generation, ESCAPED))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full())
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self, Error> {
        let invalid = || Error::invalid(format!("{token:?} is no version of a blob"));
        let (token_part, write) = match token.split_once('#') {
            Some((rest, write)) => (rest, Some(write.parse().map_err(|_| invalid())?)),
            None => (token, None),
        };
        let (etag, generation) = match token_part.split_once(':') {
            Some((etag, generation)) => (etag, Some(generation)),
            None => (token_part, None),
        };
        if token.len() > 1024 || token.contains(char::is_whitespace) {
            return Err(invalid());
        }
        let decode = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| invalid())
        };
        let etag = if etag.is_empty() { None } else { Some(decode(etag)?) };
        let generation = generation.map(decode).transpose()?;
        if etag.is_none() && generation.as_deref().is_none_or(str::is_empty) {
            return Err(invalid());
        }
        Ok(Self::from_parts(etag.as_deref(), generation.as_deref()).with_write(write))
    }
}

impl Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.full())
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let token = String::deserialize(deserializer)?;
        token.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_a_listing_and_of_an_answer_make_no_difference() {
        assert_eq!(Version::from_etag("\"abc\""), Version::from_etag("abc"));
        assert_eq!(Version::from_etag("abc").quoted_etag().unwrap(), "\"abc\"");
        assert_eq!(Version::from_etag("W/\"abc\"").quoted_etag().unwrap(), "W/\"abc\"");
    }

    #[test]
    fn the_generation_decides_where_both_have_one() {
        let first = Version::from_parts(Some("same"), Some("1"));
        let second = Version::from_parts(Some("same"), Some("2"));
        assert_ne!(first, second);
        assert_eq!(first, Version::from_etag("same"));
        assert_ne!(Version::default(), Version::default());
    }

    #[test]
    fn printed_tokens_parse_back_and_hold_no_blanks() {
        let write = Some(WriteId::from_bytes([7; 16]));
        for version in [
            Version::from_etag("0x8D: 1#%"),
            Version::from_parts(None, Some("17")),
            Version::from_parts(Some("W/\"é\""), Some("17")),
        ] {
            let token = version.to_string();
            assert!(!token.contains(char::is_whitespace), "{token}");
            assert_eq!(token.parse::<Version>().unwrap(), version);
            let json = serde_json::to_string(&version.clone().with_write(write)).unwrap();
            assert_eq!(serde_json::from_str::<Version>(&json).unwrap().written_by(), write);
        }
        for bad in ["", ":", "#00", "a b", "a#zz"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
