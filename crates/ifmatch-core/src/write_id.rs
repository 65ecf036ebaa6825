//! The identity of one write, left in the object so that its writer can find it.

use std::fmt;
use std::str::FromStr;

use crate::env::Env;
use crate::error::Error;
use crate::precondition::Precondition;
use crate::version::Version;

/// 128 random bits that name one `put`, drawn anew for each and never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteId([u8; 16]);

impl WriteId {
    /// A new id from the environment's randomness.
    pub fn random(env: &Env) -> Self {
        let mut bytes = [0; 16];
        env.fill_random(&mut bytes);
        Self(bytes)
    }

    /// An id with these bits.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bits of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WriteId {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || Error::invalid(format!("{text:?} is no write id (32 hex digits)"));
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let bits = u128::from_str_radix(text, 16).map_err(|_| invalid())?;
        Ok(Self(bits.to_be_bytes()))
    }
}

/// What a write replaced, as the writer knew it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Base {
    /// Nothing: the write created the object.
    Absent,
    /// This version.
    Version(Version),
    /// Whatever was there: the write was an [`Precondition::Overwrite`].
    Any,
}

impl Base {
    /// The base that a write under `precondition` has if it is applied.
    pub fn of(precondition: &Precondition) -> Self {
        match precondition {
            Precondition::IfAbsent => Self::Absent,
            Precondition::IfMatch(version) => Self::Version(version.clone()),
            Precondition::Overwrite => Self::Any,
        }
    }

    /// The form that stands in an object's metadata.
    pub fn to_token(&self) -> String {
        match self {
            Self::Absent => "absent".into(),
            Self::Any => "any".into(),
            // `Debug` is the full form, with the write id.
            Self::Version(version) => format!("v.{version:?}"),
        }
    }

    /// Reads the form that stands in an object's metadata; anything that is
    /// not one says nothing.
    pub fn from_token(token: &str) -> Option<Self> {
        match token {
            "absent" => Some(Self::Absent),
            "any" => Some(Self::Any),
            token => token.strip_prefix("v.")?.parse().ok().map(Self::Version),
        }
    }
}

/// What a write left beside the body: who it was and what it replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WriteRecord {
    /// The write that made this version.
    pub id: WriteId,
    /// What it replaced, where the object says so.
    pub base: Option<Base>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_bases_survive_the_form_of_metadata() {
        let id = WriteId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse::<WriteId>().unwrap(), id);
        assert!("short".parse::<WriteId>().is_err());
        let version = Version::from_parts(Some("\"a b\""), Some("4")).with_write(Some(id));
        for base in [Base::Absent, Base::Any, Base::Version(version)] {
            assert_eq!(Base::from_token(&base.to_token()), Some(base));
        }
        assert_eq!(Base::from_token("garbage"), None);
    }
}
