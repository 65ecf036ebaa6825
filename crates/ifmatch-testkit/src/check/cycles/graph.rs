//! A graph of dependencies.

use super::{Dependency, Kind};

/// Sets of kinds of dependencies, one bit each.
pub(super) mod kinds {
    pub(in super::super) const WW: u8 = 1;
    pub(in super::super) const WR: u8 = 2;
    pub(in super::super) const RW: u8 = 4;
    pub(in super::super) const RT: u8 = 8;
}

impl Kind {
    /// The set of this kind alone.
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Ww { .. } => kinds::WW,
            Self::Wr { .. } => kinds::WR,
            Self::Rw { .. } => kinds::RW,
            Self::Rt => kinds::RT,
        }
    }
}

/// Dependencies by the transaction that they begin at.
pub(super) struct Graph {
    out: Vec<Vec<Dependency>>,
}

impl Graph {
    /// Of several dependencies of one kind between the same two transactions
    /// one is kept.
    pub(super) fn new(transactions: usize, edges: impl IntoIterator<Item = Dependency>) -> Self {
        let mut out = vec![Vec::new(); transactions];
        for edge in edges {
            out[edge.from].push(edge);
        }
        for edges in &mut out {
            edges.sort_unstable();
            edges.dedup_by_key(|edge| (edge.to, edge.kind.bit()));
        }
        Self { out }
    }

    pub(super) fn transactions(&self) -> usize {
        self.out.len()
    }

    pub(super) fn edges(&self) -> usize {
        self.out.iter().map(Vec::len).sum()
    }

    /// What comes after `transaction`, whatever the kind.
    pub(super) fn after(&self, transaction: usize) -> &[Dependency] {
        &self.out[transaction]
    }
}
