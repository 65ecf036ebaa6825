//! What a campaign simulates.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What a campaign simulates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Workload {
    /// The commit protocol: many handles on one journal of keys and values.
    #[default]
    Protocol,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Protocol];

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No workload of this name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownWorkload(String);

impl fmt::Display for UnknownWorkload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = Workload::ALL.iter().map(|workload| workload.as_str()).collect();
        write!(f, "there is no workload {:?}, only {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownWorkload {}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, UnknownWorkload> {
        let found = Self::ALL.into_iter().find(|workload| workload.as_str() == name);
        found.ok_or_else(|| UnknownWorkload(name.to_owned()))
    }
}
