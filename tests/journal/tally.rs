//! A machine that counts numbered additions of several children, and keeps each
//! of them: what was added twice is seen, in the state and in the log.

use std::fmt;

use bytes::{Buf, Bytes};
use ifmatch_journal::{Cut, Damage, Decision, Kind, Machine, Position};
use rpds::RedBlackTreeMapSync;

/// Counts by child, of additions that have a number each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally;

/// One addition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Addition {
    pub(crate) child: u32,
    pub(crate) number: u64,
    /// Random bits, so that a state is as large as one of real values.
    pub(crate) ballast: [u8; 20],
}

/// How many additions were made, and which.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Tallied {
    counts: RedBlackTreeMapSync<u32, u64>,
    additions: RedBlackTreeMapSync<(u32, u64), [u8; 20]>,
}

impl Tallied {
    /// How many additions this child has made.
    pub(crate) fn count(&self, child: u32) -> u64 {
        self.counts.get(&child).copied().unwrap_or_default()
    }

    /// Whether this one was made.
    pub(crate) fn has(&self, child: u32, number: u64) -> bool {
        self.additions.contains_key(&(child, number))
    }

    fn insert(&mut self, addition: Addition, count: u64) {
        self.counts.insert_mut(addition.child, count);
        self.additions.insert_mut((addition.child, addition.number), addition.ballast);
    }
}

impl fmt::Debug for Tallied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tallied({} additions)", self.additions.size())
    }
}

impl Addition {
    /// Reads what an entry says.
    pub(crate) fn read(bytes: &mut impl Buf) -> Result<Self, Damage> {
        let short = |_| Damage::new("an addition ends early");
        let (child, number) =
            (bytes.try_get_u32_le().map_err(short)?, bytes.try_get_u64_le().map_err(short)?);
        let mut ballast = [0; 20];
        bytes.try_copy_to_slice(&mut ballast).map_err(short)?;
        Ok(Self { child, number, ballast })
    }

    fn write(&self) -> Vec<u8> {
        [&self.child.to_le_bytes()[..], &self.number.to_le_bytes(), &self.ballast].concat()
    }
}

impl Machine for Tally {
    type State = Tallied;
    type Command = Addition;
    type Reply = u64;
    type Rejection = ();

    fn kind(&self) -> Kind {
        Kind::Other("tally")
    }

    fn empty(&self) -> Tallied {
        Tallied::default()
    }

    fn decide(&self, state: &Tallied, addition: &Addition, _: Position) -> Decision<u64, ()> {
        let reply = state.count(addition.child) + 1;
        Decision::Write { entry: addition.write().into(), reply }
    }

    fn apply(&self, state: &mut Tallied, entry: &Bytes, _: Position) -> Result<(), Damage> {
        let addition = Addition::read(&mut entry.clone())?;
        state.insert(addition, state.count(addition.child) + 1);
        Ok(())
    }

    fn parts<'a>(&'a self, state: &'a Tallied) -> Box<dyn Iterator<Item = Bytes> + Send + 'a> {
        Box::new(Cut::new(state.additions.iter().map(|(&(child, number), &ballast)| {
            let mut record = Addition { child, number, ballast }.write();
            let key = Bytes::copy_from_slice(&record[..12]);
            record.extend_from_slice(&state.count(child).to_le_bytes());
            (key, record)
        })))
    }

    fn restore(&self, parts: &[Bytes]) -> Result<Tallied, Damage> {
        let mut state = Tallied::default();
        for part in parts {
            let mut rest = part.clone();
            while rest.has_remaining() {
                let addition = Addition::read(&mut rest)?;
                let count = rest.try_get_u64_le();
                state.insert(addition, count.map_err(|_| Damage::new("a part ends early"))?);
            }
        }
        Ok(state)
    }
}
