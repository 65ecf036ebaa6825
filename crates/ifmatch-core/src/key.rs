//! Names of blobs: validated once, the same rules on every backend.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Longest key, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;
/// Longest segment of a key, in bytes of UTF-8.
pub const MAX_SEGMENT_BYTES: usize = 200;
/// The folder that belongs to ifmatch itself (probe, staging, ledger).
const RESERVED: &str = ".ifmatch";

/// The name of a blob: exact bytes, no normalisation, no case folding.
///
/// 1 to 1,024 bytes of UTF-8, segments separated by single `/`, none empty,
/// `.` or `..`, none over 200 bytes; no control character, no backslash; never
/// in the folder `.ifmatch`, which is ours. The rules are those that S3, GCS,
/// Azure and a directory can all keep, so a key that is valid is valid on every
/// backend, and anything else is [`Error::Invalid`] before any request.
///
/// ```
/// use ifmatch_core::BlobKey;
/// assert_eq!(BlobKey::new("teams/a/head")?.as_str(), "teams/a/head");
/// assert!(BlobKey::new("../escape").is_err());
/// # Ok::<(), ifmatch_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobKey(Arc<str>);

impl BlobKey {
    /// Checks `key` and makes it a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the rule that the key breaks; nothing was sent.
    pub fn new(key: impl AsRef<str>) -> Result<Self, Error> {
        let key = key.as_ref();
        check(key)?;
        if is_reserved(key) {
            return Err(Error::invalid(format!(
                "key {key:?}: the folder {RESERVED}/ belongs to ifmatch"
            )));
        }
        Ok(Self(key.into()))
    }

    /// A key that may lie in the reserved folder. Not for users: a blob there
    /// may be swept at any time.
    ///
    /// # Errors
    /// As [`BlobKey::new`], except for the reserved folder.
    #[doc(hidden)]
    pub fn internal(key: impl AsRef<str>) -> Result<Self, Error> {
        check(key.as_ref())?;
        Ok(Self(key.as_ref().into()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments between the slashes, in order.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether the key lies in the folder that belongs to ifmatch.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }

    /// The key `self/segments`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the longer key breaks a rule.
    pub fn join(&self, segments: &str) -> Result<Self, Error> {
        Self::internal(format!("{self}/{segments}"))
    }
}

fn is_reserved(key: &str) -> bool {
    key.strip_prefix(RESERVED).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn check(key: &str) -> Result<(), Error> {
    let broken = |rule: &str| Err(Error::invalid(format!("key {}: {rule}", shown(key))));
    if key.is_empty() {
        return broken("it is empty");
    }
    if key.len() > MAX_KEY_BYTES {
        return broken("longer than 1,024 bytes");
    }
    if key.chars().any(char::is_control) {
        return broken("it holds a control character");
    }
    if key.contains('\\') {
        return broken("it holds a backslash");
    }
    for segment in key.split('/') {
        match segment {
            "" => return broken("a segment between slashes is empty"),
            "." | ".." => return broken("`.` and `..` are no segments"),
            s if s.len() > MAX_SEGMENT_BYTES => {
                return broken("a segment is longer than 200 bytes");
            }
            _ => {}
        }
    }
    Ok(())
}

/// A key as messages show it: escaped, and cut where it is long.
fn shown(key: &str) -> String {
    let mut text: String = key.escape_debug().take(80).collect();
    if key.len() > 80 {
        text.push_str("...");
    }
    format!("\"{text}\"")
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl FromStr for BlobKey {
    type Err = Error;
    fn from_str(key: &str) -> Result<Self, Error> {
        Self::new(key)
    }
}

impl TryFrom<String> for BlobKey {
    type Error = Error;
    fn try_from(key: String) -> Result<Self, Error> {
        Self::new(key)
    }
}

impl From<BlobKey> for String {
    fn from(key: BlobKey) -> Self {
        key.0.as_ref().into()
    }
}

impl Borrow<str> for BlobKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A folder of keys: everything strictly below it, at any depth.
///
/// The root holds every key except those of the reserved folder.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct BlobPrefix {
    /// Without a slash at the end; empty for the root.
    folder: Option<BlobKey>,
    with_reserved: bool,
}

impl BlobPrefix {
    /// Every key of the store.
    pub fn root() -> Self {
        Self::default()
    }

    /// The keys below `folder`; a trailing slash is allowed, empty is the root.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `folder` is not a valid key.
    pub fn new(folder: impl AsRef<str>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let folder = folder.strip_suffix('/').unwrap_or(folder);
        match folder {
            "" => Ok(Self::root()),
            folder => Ok(Self { folder: Some(BlobKey::new(folder)?), with_reserved: false }),
        }
    }

    /// The same with the keys of the reserved folder, for tools of ours.
    #[doc(hidden)]
    pub fn internal(folder: &str) -> Result<Self, Error> {
        let folder = match folder {
            "" => None,
            folder => Some(BlobKey::internal(folder)?),
        };
        Ok(Self { folder, with_reserved: true })
    }

    /// The folder, without a slash at the end; `None` for the root.
    pub fn folder(&self) -> Option<&BlobKey> {
        self.folder.as_ref()
    }

    /// Whether `key` lies below this folder and may be listed.
    pub fn contains(&self, key: &BlobKey) -> bool {
        let below = match &self.folder {
            None => true,
            Some(folder) => {
                key.0.strip_prefix(&*folder.0).is_some_and(|rest| rest.starts_with('/'))
            }
        };
        below && (self.with_reserved || !key.is_reserved())
    }

    /// The same folder inside `outer`, as a store that is a part of another
    /// one sees it.
    pub(crate) fn inside(&self, outer: &BlobKey) -> Result<Self, Error> {
        let folder = match &self.folder {
            None => outer.clone(),
            Some(folder) => outer.join(folder.as_str())?,
        };
        Ok(Self { folder: Some(folder), with_reserved: true })
    }
}

impl fmt::Display for BlobPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.folder {
            None => Ok(()),
            Some(folder) => write!(f, "{folder}/"),
        }
    }
}

#[cfg(test)]
mod tests;
