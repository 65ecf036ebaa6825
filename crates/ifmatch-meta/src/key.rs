//! Names: partitions, ids, and the two together.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ifmatch_core::Env;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest name of a partition, in bytes of UTF-8.
pub const MAX_PARTITION_BYTES: usize = 512;
/// Longest id, in bytes of UTF-8.
pub const MAX_ID_BYTES: usize = 1024;
/// Names from here on, in byte order, are ours ...
pub const RESERVED_START: &str = "ifmatch.";
/// ... up to here, exclusive.
pub const RESERVED_END: &str = "ifmatch/";

/// The two kinds of name differ in nothing but their words and their length.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $longest:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `name` and makes it one.
            ///
            /// # Errors
            /// `Invalid` names the rule that is broken; nothing was sent.
            pub fn new(name: impl AsRef<str>) -> Result<Self> {
                let name = Self::internal(name)?;
                if name.is_reserved() {
                    return Err(Error::invalid(format!(
                        concat!($what, " {}: names that begin with {} belong to ifmatch"),
                        shown(&name.0), RESERVED_START,
                    )));
                }
                Ok(name)
            }

            /// A name that may be one of ours. Not for users.
            ///
            /// # Errors
            /// As `new`, except for reserved names.
            #[doc(hidden)]
            pub fn internal(name: impl AsRef<str>) -> Result<Self> {
                check($what, name.as_ref(), $longest)?;
                Ok(Self(name.as_ref().into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether the name belongs to ifmatch itself.
            pub fn is_reserved(&self) -> bool {
                self.0.starts_with(RESERVED_START)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                on_one_line(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(name: &str) -> Result<Self> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(name: String) -> Result<Self> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().into()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of a partition, the unit of atomicity and order: 1 to 512 bytes
    /// of UTF-8 without U+0000, compared as exact bytes. `ifmatch.*` is ours.
    ///
    /// ```
    /// use ifmatch_meta::Partition;
    /// assert_eq!(Partition::new("teams/a")?.as_str(), "teams/a");
    /// assert!(Partition::new("ifmatch.locks").is_err());
    /// # Ok::<(), ifmatch_meta::Error>(())
    /// ```
    Partition, "partition", MAX_PARTITION_BYTES
);

name!(
    /// The id of a document within its partition: 1 to 1,024 bytes of UTF-8
    /// without U+0000, compared as exact bytes. Ids that begin with `ifmatch.`
    /// are ours.
    DocId, "id", MAX_ID_BYTES
);

fn check(what: &str, name: &str, longest: usize) -> Result<()> {
    let broken = |rule: &str| Err(Error::invalid(format!("{what} {}: {rule}", shown(name))));
    if name.is_empty() {
        return broken("it is empty");
    }
    if name.len() > longest {
        return broken(&format!("longer than {longest} bytes"));
    }
    if name.contains('\0') {
        return broken("it holds U+0000");
    }
    Ok(())
}

/// A name as messages show it: escaped, and cut where it is long.
fn shown(name: &str) -> String {
    let mut text: String = name.escape_debug().take(80).collect();
    if name.len() > 80 {
        text.push_str("...");
    }
    format!("\"{text}\"")
}

/// Writes a name so that a message stays one line.
fn on_one_line(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for char in name.chars() {
        if char.is_control() {
            write!(f, "{}", char.escape_debug())?;
        } else {
            write!(f, "{char}")?;
        }
    }
    Ok(())
}

/// The name of a document in a store.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DocKey {
    /// The partition.
    pub partition: Partition,
    /// The id within it.
    pub id: DocId,
}

impl DocKey {
    /// Checks both names.
    ///
    /// # Errors
    /// `Invalid` names the rule that is broken; nothing was sent.
    pub fn new(partition: impl AsRef<str>, id: impl AsRef<str>) -> Result<Self> {
        Ok(Self { partition: Partition::new(partition)?, id: DocId::new(id)? })
    }

    /// A key whose names may be ours. Not for users.
    ///
    /// # Errors
    /// As [`DocKey::new`], except for reserved names.
    #[doc(hidden)]
    pub fn internal(partition: impl AsRef<str>, id: impl AsRef<str>) -> Result<Self> {
        Ok(Self { partition: Partition::internal(partition)?, id: DocId::internal(id)? })
    }
}

impl fmt::Display for DocKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.id)
    }
}

impl DocId {
    /// A new id: the time in milliseconds and 80 random bits, as a version 7
    /// UUID (RFC 9562) prints, so that later ones sort after earlier ones as far
    /// as the writers' clocks agree.
    pub fn time_ordered(env: &Env) -> Self {
        let micros = u64::try_from(env.wall_clock().as_micros()).unwrap_or_default();
        let (millis, random) = (micros / 1_000, (env.random_u64(), env.random_u64()));
        let (a, b) = (random.0 & 0xfff, random.1 >> 2 | 1 << 63);
        Self(
            format!(
                "{:08x}-{:04x}-7{a:03x}-{:04x}-{:012x}",
                (millis >> 16) & 0xffff_ffff,
                millis & 0xffff,
                b >> 48,
                b & 0xffff_ffff_ffff
            )
            .into(),
        )
    }
}

#[cfg(test)]
mod tests;
