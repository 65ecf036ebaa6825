//! A key-value store on a journal: the simplest machine that is of use, and an
//! example of how to write one.

use std::fmt;

use bytes::{Buf, BufMut, Bytes};
use rpds::RedBlackTreeMapSync;

use crate::cut::Cut;
use crate::machine::{Damage, Decision, Machine, Position};
use crate::marker::Kind;

/// Keys and values, both bytes; a value's version is the position of the entry
/// that wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyValue;

/// The state: a persistent map, so that a snapshot costs nothing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Pairs(RedBlackTreeMapSync<Bytes, Value>);

/// A value and where it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// The bytes.
    pub bytes: Bytes,
    /// The entry that wrote them.
    pub version: Position,
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Command {
    /// Writes a value if what is there is as expected.
    Put {
        /// Where.
        key: Bytes,
        /// What.
        value: Bytes,
        /// On what condition.
        expected: Expected,
    },
    /// Removes a value if what is there is as expected.
    Remove {
        /// Where.
        key: Bytes,
        /// On what condition.
        expected: Expected,
    },
    /// Adds to a number, 0 where there is none: never rejected for what others
    /// do.
    Add {
        /// Where.
        key: Bytes,
        /// How much.
        amount: i64,
    },
}

/// What must be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Expected {
    /// Whatever: the last writer wins.
    Anything,
    /// Nothing.
    Absent,
    /// The value of this version.
    Version(Position),
}

/// What the caller hears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// The version that was written.
    Written(Position),
    /// The value was removed, or was not there.
    Removed,
    /// The number after the addition.
    Sum(i64),
}

/// Why a command was rejected.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Rejection {
    /// The version that is there instead.
    Version(Option<Position>),
    /// What is there is no number, or the sum does not fit.
    NoNumber,
}

impl Command {
    /// Writes a value, whatever is there.
    pub fn put(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self::Put { key: key.into(), value: value.into(), expected: Expected::Anything }
    }

    /// Writes a value where there is none.
    pub fn insert(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self::Put { key: key.into(), value: value.into(), expected: Expected::Absent }
    }

    /// Writes a value over the one of this version.
    pub fn replace(key: impl Into<Bytes>, value: impl Into<Bytes>, version: Position) -> Self {
        let expected = Expected::Version(version);
        Self::Put { key: key.into(), value: value.into(), expected }
    }

    /// Adds to a number.
    pub fn add(key: impl Into<Bytes>, amount: i64) -> Self {
        Self::Add { key: key.into(), amount }
    }

    /// Removes a value, whatever it is.
    pub fn remove(key: impl Into<Bytes>) -> Self {
        Self::Remove { key: key.into(), expected: Expected::Anything }
    }
}

impl Pairs {
    /// A value and its version.
    pub fn entry(&self, key: impl AsRef<[u8]>) -> Option<&Value> {
        self.0.get(key.as_ref())
    }

    /// A value.
    pub fn value(&self, key: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.entry(key).map(|value| &value.bytes[..])
    }

    /// A number; 0 where there is none.
    pub fn number(&self, key: impl AsRef<[u8]>) -> Option<i64> {
        self.value(key).map_or(Some(0), |bytes| Some(i64::from_le_bytes(bytes.try_into().ok()?)))
    }

    /// All pairs, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, &Value)> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.size()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pairs({})", self.len())
    }
}

const PUT: u8 = 1;
const REMOVE: u8 = 2;
const ADD: u8 = 3;

impl Machine for KeyValue {
    type State = Pairs;
    type Command = Command;
    type Reply = Reply;
    type Rejection = Rejection;

    fn kind(&self) -> Kind {
        Kind::Other("key-value")
    }

    fn empty(&self) -> Pairs {
        Pairs::default()
    }

    fn decide(
        &self,
        state: &Pairs,
        command: &Command,
        position: Position,
    ) -> Decision<Reply, Rejection> {
        let (key, expected) = match command {
            Command::Put { key, expected, .. } | Command::Remove { key, expected } => {
                (key, *expected)
            }
            Command::Add { key, .. } => (key, Expected::Anything),
        };
        let there = state.entry(key).map(|value| value.version);
        let holds = match expected {
            Expected::Anything => true,
            Expected::Absent => there.is_none(),
            Expected::Version(version) => there == Some(version),
        };
        if !holds {
            return Decision::Reject(Rejection::Version(there));
        }
        match command {
            Command::Put { value, .. } => {
                Decision::Write { entry: pair(PUT, key, value), reply: Reply::Written(position) }
            }
            Command::Remove { .. } if there.is_none() => Decision::Answer(Reply::Removed),
            Command::Remove { .. } => {
                Decision::Write { entry: pair(REMOVE, key, &[]), reply: Reply::Removed }
            }
            Command::Add { amount, .. } => {
                let sum = state.number(key).and_then(|number| number.checked_add(*amount));
                let Some(sum) = sum else { return Decision::Reject(Rejection::NoNumber) };
                let entry = pair(ADD, key, &amount.to_le_bytes());
                Decision::Write { entry, reply: Reply::Sum(sum) }
            }
        }
    }

    fn apply(&self, state: &mut Pairs, entry: &Bytes, position: Position) -> Result<(), Damage> {
        let (what, key, value) = parse(entry)?;
        let bytes = match what {
            PUT => value,
            REMOVE => {
                state.0.remove_mut(&key);
                return Ok(());
            }
            ADD => {
                let amount = value.as_ref().try_into().map(i64::from_le_bytes);
                let amount = amount.map_err(|_| Damage::new("an addition of no number"))?;
                let sum = state.number(&key).and_then(|number| number.checked_add(amount));
                let sum = sum.ok_or_else(|| Damage::new("an addition to no number"))?;
                Bytes::copy_from_slice(&sum.to_le_bytes())
            }
            _ => return Err(Damage::new(format!("an entry of the unknown sort {what}"))),
        };
        // Copied: an entry is a slice of a whole head or segment.
        let (key, bytes) = (Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&bytes));
        state.0.insert_mut(key, Value { bytes, version: position });
        Ok(())
    }

    fn parts<'a>(&'a self, state: &'a Pairs) -> Box<dyn Iterator<Item = Bytes> + Send + 'a> {
        Box::new(Cut::new(state.0.iter().map(|(key, value)| (key.clone(), record(key, value)))))
    }

    fn restore(&self, parts: &[Bytes]) -> Result<Pairs, Damage> {
        let mut pairs = RedBlackTreeMapSync::default();
        for part in parts {
            let mut rest = part.clone();
            while rest.has_remaining() {
                let short = || Damage::new("a part ends early");
                let key = field(&mut rest).ok_or_else(short)?;
                let bytes = field(&mut rest).ok_or_else(short)?;
                let seq = rest.try_get_u64_le().map_err(|_| short())?;
                let ordinal = rest.try_get_u32_le().map_err(|_| short())?;
                let (key, bytes) = (Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&bytes));
                pairs.insert_mut(key, Value { bytes, version: Position { seq, ordinal } });
            }
        }
        Ok(Pairs(pairs))
    }
}

fn put_field(to: &mut Vec<u8>, field: &[u8]) {
    to.put_u32_le(u32::try_from(field.len()).unwrap_or(u32::MAX));
    to.put_slice(field);
}

fn field(from: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(from.try_get_u32_le().ok()?).ok()?;
    (from.remaining() >= length).then(|| from.split_to(length))
}

fn pair(what: u8, key: &[u8], value: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(5 + key.len() + value.len());
    bytes.put_u8(what);
    put_field(&mut bytes, key);
    bytes.put_slice(value);
    bytes.into()
}

fn parse(entry: &Bytes) -> Result<(u8, Bytes, Bytes), Damage> {
    let short = || Damage::new("an entry ends early");
    let mut rest = entry.clone();
    let what = rest.try_get_u8().map_err(|_| short())?;
    let key = field(&mut rest).ok_or_else(short)?;
    Ok((what, key, rest))
}

fn record(key: &[u8], value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20 + key.len() + value.bytes.len());
    put_field(&mut bytes, key);
    put_field(&mut bytes, &value.bytes);
    bytes.put_u64_le(value.version.seq);
    bytes.put_u32_le(value.version.ordinal);
    bytes
}
