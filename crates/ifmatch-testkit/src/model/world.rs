//! One state of the model, and what must hold in it.

use std::collections::BTreeSet;

use super::chain::{Body, Chain, HeadAt};

/// Writers of the model.
pub(super) const WRITERS: usize = 2;

/// What a writer knows and does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Writer {
    /// The head that its state is at.
    pub(super) base: HeadAt,
    /// The commit that it has sent and not settled: the head it would make.
    pub(super) sent: Option<HeadAt>,
    /// Whose turn it is among its transactions, and which attempt.
    pub(super) turn: u8,
    pub(super) attempt: u8,
}

/// What a caller was told about one attempt.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Told {
    Committed,
    Never,
}

/// One state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct World {
    /// The head that the store holds.
    pub(super) now: HeadAt,
    /// Requests that were ever sent: each may arrive at any time, any number
    /// of times, or never.
    pub(super) sent: BTreeSet<HeadAt>,
    pub(super) writers: [Writer; WRITERS],
    /// What was told, by the head that the attempt would make.
    pub(super) told: BTreeSet<(HeadAt, Told)>,
    /// Commits whose callers were told that the outcome is unknown.
    pub(super) unknown: BTreeSet<HeadAt>,
    /// The operator has put an older head back once.
    pub(super) rewound: bool,
}

/// A promise that was broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Violation {
    /// A commit was acknowledged and is not in the history.
    Lost,
    /// A commit was told "never" and is in the history.
    Phantom,
    /// A transaction was applied twice.
    Doubled,
    /// A writer's state is at a commit that is not in the history, and it goes
    /// on from there.
    Diverged,
}

impl World {
    pub(super) fn start() -> Self {
        let writer = Writer { base: 0, sent: None, turn: 0, attempt: 0 };
        Self {
            now: 0,
            sent: BTreeSet::new(),
            writers: [writer.clone(), writer],
            told: BTreeSet::new(),
            unknown: BTreeSet::new(),
            rewound: false,
        }
    }

    /// The transaction whose turn it is, by a number of its own per writer.
    pub(super) fn body(&self, writer: usize) -> Body {
        let Writer { turn, attempt, .. } = self.writers[writer];
        #[allow(clippy::cast_possible_truncation)] // Two writers.
        let transaction = turn * WRITERS as u8 + writer as u8;
        Body { transaction, attempt }
    }

    /// The first promise that is broken here.
    pub(super) fn violation(&self, chain: &Chain, transactions: u8) -> Option<Violation> {
        if self.rewound {
            // What an operator took away was not lost by the protocol, and a
            // request whose base he revived may land after all. Only time or a
            // commit of his own closes that.
            return None;
        }
        for (commit, told) in &self.told {
            match (told, chain.descends(self.now, *commit)) {
                (Told::Committed, false) => return Some(Violation::Lost),
                (Told::Never, true) => return Some(Violation::Phantom),
                _ => {}
            }
        }
        let all = 0..transactions * u8::try_from(WRITERS).unwrap_or(u8::MAX);
        if all.into_iter().any(|transaction| chain.times(self.now, transaction) > 1) {
            return Some(Violation::Doubled);
        }
        None
    }
}
