//! What can be wrong with a history of transactions.

use std::fmt;

/// One anomaly. Transactions are named by index; `None` for a reader is the
/// list as it was in the end.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named after what the variant's text says")]
pub enum Anomaly {
    /// `reader` saw what an aborted transaction appended.
    G1a { reader: Option<usize>, writer: usize, key: u64, value: u64 },
    /// `reader` saw `value` last, but its writer went on to append to the list.
    G1b { reader: usize, writer: usize, key: u64, value: u64 },
    /// Dependencies run in a circle.
    Cycle(Cycle),
    /// A transaction's read does not fit what it did itself.
    Internal { transaction: usize, key: u64 },
    /// The list does not hold a transaction's appends in the order of its
    /// steps, or holds a later one without an earlier one.
    Torn { transaction: usize, key: u64 },
    /// A read is no beginning of the list that others, or the end, saw.
    Incompatible { transaction: usize, key: u64 },
    /// A value that nobody appended was seen.
    Unwritten { reader: Option<usize>, key: u64, value: u64 },
    /// A value was seen twice in a list.
    Repeated { reader: Option<usize>, key: u64, value: u64 },
    /// A committed append is missing in the end.
    Lost { writer: usize, key: u64, value: u64 },
    /// The history itself is of no use: two steps append one value to one list.
    Reused { first: usize, second: usize, key: u64, value: u64 },
}

/// Dependencies that run in a circle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle {
    /// Its kind.
    pub class: Class,
    /// Whether it needs an edge of real time.
    pub realtime: bool,
    /// The dependencies; each leads to where the next one begins, the last one
    /// to where the first does.
    pub steps: Vec<Dependency>,
}

/// The kinds of cycles, from the gravest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Class {
    /// Writes only.
    G0,
    /// Writes and reads.
    G1c,
    /// One missed write.
    GSingle,
    /// Several missed writes.
    G2,
}

/// `to` comes after `from`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Dependency {
    /// The earlier transaction.
    pub from: usize,
    /// The later one.
    pub to: usize,
    /// Why.
    pub kind: Kind,
}

/// Why one transaction comes after another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named after what the variant's text says")]
pub enum Kind {
    /// It appended `value` after `before`.
    Ww { key: u64, before: u64, value: u64 },
    /// It read `value`.
    Wr { key: u64, value: u64 },
    /// It appended `value`, which the earlier one had not seen.
    Rw { key: u64, value: u64 },
    /// It began after the earlier one had returned.
    Rt,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::G1a { reader, writer, key, value } => {
                let reader = Reader(*reader);
                write!(f, "G1a: {reader} saw {value} in list {key}, of T{writer}, which aborted")
            }
            Self::G1b { reader, writer, key, value } => write!(
                f,
                "G1b: T{reader} saw {value} last in list {key}, where T{writer} went on to append"
            ),
            Self::Cycle(cycle) => cycle.fmt(f),
            Self::Internal { transaction, key } => {
                write!(f, "internal: T{transaction}'s read of list {key} denies its own steps")
            }
            Self::Torn { transaction, key } => {
                write!(f, "torn: list {key} does not hold T{transaction}'s appends in their order")
            }
            Self::Incompatible { transaction, key } => {
                write!(f, "incompatible: T{transaction}'s read of list {key} fits no order")
            }
            Self::Unwritten { reader, key, value } => {
                let reader = Reader(*reader);
                write!(f, "unwritten: {reader} saw {value} in list {key}, which nobody appended")
            }
            Self::Repeated { reader, key, value } => {
                write!(f, "repeated: {} saw {value} twice in list {key}", Reader(*reader))
            }
            Self::Lost { writer, key, value } => {
                write!(f, "lost: T{writer} appended {value} to list {key}, missing in the end")
            }
            Self::Reused { first, second, key, value } => {
                write!(f, "reused: T{first} and T{second} append {value} to list {key}")
            }
        }
    }
}

struct Reader(Option<usize>);

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(transaction) => write!(f, "T{transaction}"),
            None => f.write_str("the end"),
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::G0 => "G0",
            Self::G1c => "G1c",
            Self::GSingle => "G-single",
            Self::G2 => "G2",
        })
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:", self.class, if self.realtime { "-realtime" } else { "" })?;
        for step in &self.steps {
            write!(f, " T{} -{}->", step.from, step.kind)?;
        }
        self.steps.first().map_or(Ok(()), |first| write!(f, " T{}", first.from))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ww { key, before, value } => write!(f, "ww(list {key}: {value} after {before})"),
            Self::Wr { key, value } => write!(f, "wr(list {key}: saw {value})"),
            Self::Rw { key, value } => write!(f, "rw(list {key}: missed {value})"),
            Self::Rt => f.write_str("rt"),
        }
    }
}
