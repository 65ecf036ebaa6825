//! The body of a document: JSON that stays as it was put.

mod check;
mod compare;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

pub use check::MAX_DEPTH;
pub use compare::json_equal;
pub(crate) use compare::{number_order, whole};

use crate::error::{Error, Result};
use crate::limits::Limits;

/// JSON text, checked when it is made and kept byte for byte. Cheap to clone.
///
/// Refused as `Invalid`, because some backend or reader could not tell what is
/// meant: what is not JSON (RFC 8259, UTF-8), a duplicate key, a number that is
/// not finite as an f64 and no i64 or u64, U+0000 in a text, a depth over
/// [`MAX_DEPTH`]. A whole number beyond u64 is read as an f64.
///
/// Equality is that of the bytes; [`json_equal`] compares values.
///
/// ```
/// use ifmatch_meta::Json;
/// let body = Json::new("{ \"n\": 1.0 }")?;
/// assert_eq!(body.as_str(), "{ \"n\": 1.0 }");
/// assert_eq!(body.value()?["n"], 1.0);
/// assert!(Json::new("{\"a\":1,\"a\":2}").is_err());
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone)]
pub struct Json(Arc<Inner>);

struct Inner {
    text: Box<str>,
    /// Whether the text was checked by this process. What a store hands out was
    /// checked when it was put, but a file can be changed by others: it is
    /// checked again before it is parsed.
    checked: bool,
    parsed: OnceLock<Value>,
}

impl Json {
    /// Checks `body` and makes it one. At most 1 MiB.
    ///
    /// # Errors
    /// `Invalid` as above, `TooLarge`.
    pub fn new(body: impl Into<Vec<u8>>) -> Result<Self> {
        Self::with_limit(body, Limits::default().document)
    }

    /// The same with another limit, in bytes.
    ///
    /// # Errors
    /// As [`Json::new`].
    pub fn with_limit(body: impl Into<Vec<u8>>, limit: usize) -> Result<Self> {
        let body = body.into();
        if body.len() > limit {
            return Err(Error::too_large("a document", body.len(), limit));
        }
        let text = String::from_utf8(body).map_err(|_| Error::invalid("a document: not UTF-8"))?;
        check::check(&text).map_err(|error| Error::invalid(format!("a document: {error}")))?;
        Ok(Self::from_text(text, true))
    }

    /// The JSON of a value.
    ///
    /// # Errors
    /// As [`Json::new`]; `Invalid` too where the value cannot be written as
    /// JSON.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Result<Self> {
        let text = serde_json::to_vec(value)
            .map_err(|error| Error::invalid(format!("a document: {error}")))?;
        Self::new(text)
    }

    /// Text that was checked when it was put. For backends.
    pub fn stored(text: impl Into<String>) -> Self {
        Self::from_text(text.into(), false)
    }

    fn from_text(text: String, checked: bool) -> Self {
        let text = text.into_boxed_str();
        Self(Arc::new(Inner { text, checked, parsed: OnceLock::new() }))
    }

    /// The text, byte for byte as it was put.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Its length in bytes; never 0.
    #[allow(clippy::len_without_is_empty)] // No JSON text is empty.
    pub fn len(&self) -> usize {
        self.0.text.len()
    }

    /// The parsed value; parsed once, at the first call.
    ///
    /// # Errors
    /// `Corrupt` where a store handed out what is not JSON.
    pub fn value(&self) -> Result<&Value> {
        if let Some(value) = self.0.parsed.get() {
            return Ok(value);
        }
        let value = self.parse()?;
        Ok(self.0.parsed.get_or_init(|| value))
    }

    /// The body as a type of yours.
    ///
    /// # Errors
    /// `Invalid` where it does not fit the type, `Corrupt` as
    /// [`value`](Self::value).
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        self.recheck()?;
        self.read().map_err(|error| Error::invalid(format!("a document: {error}")))
    }

    fn parse(&self) -> Result<Value> {
        self.recheck()?;
        self.read().map_err(|error| Error::corrupt("a document", error.to_string()))
    }

    fn recheck(&self) -> Result<()> {
        if self.0.checked {
            return Ok(());
        }
        check::check(self.as_str()).map_err(|e| Error::corrupt("a document", e.to_string()))
    }

    fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        let mut reader = serde_json::Deserializer::from_str(self.as_str());
        reader.disable_recursion_limit(); // Its own is 127; ours is checked.
        T::deserialize(&mut reader)
    }
}

impl FromStr for Json {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Json {}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Json {
    /// Serialises as the JSON that it is, on one line (line breaks between
    /// tokens become blanks; texts hold none).
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = self.as_str().replace(['\n', '\r'], " ");
        RawValue::from_string(line).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(String::from(Box::<str>::from(raw))).map_err(serde::de::Error::custom)
    }
}
