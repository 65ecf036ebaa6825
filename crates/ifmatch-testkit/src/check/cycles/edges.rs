//! From what a history shows to who comes after whom.

use std::collections::BTreeMap;

use super::super::moment::{Phase, events};
use super::graph::Graph;
use super::observed::Observed;
use super::reads::Read;
use super::{Consistency, Dependency, History, Kind, Outcome};

/// The dependencies of `history`, and their number.
pub(super) fn graph(
    history: &History,
    observed: &Observed<'_>,
    consistency: Consistency,
) -> (Graph, usize) {
    let mut edges = Vec::new();
    let lists = lists(history, observed);
    for (key, list) in &lists {
        list.writes(*key, &mut edges);
    }
    for read in observed.reads.iter().filter(|read| observed.fits(read)) {
        if let Some(list) = lists.get(&read.key) {
            list.read(read, &mut edges);
        }
    }
    if consistency == Consistency::Strict {
        real_time(history, observed, &mut edges);
    }
    edges.retain(|edge| edge.from != edge.to);
    let graph = Graph::new(history.transactions.len(), edges);
    let edges = graph.edges();
    (graph, edges)
}

/// The writes of committed transactions to one list.
#[derive(Default)]
struct List {
    /// Those of which the order is known, in order: value and writer.
    ordered: Vec<(u64, usize)>,
    /// Where each value is in the order.
    places: BTreeMap<u64, usize>,
    /// Those that nobody saw: after all of the others, in an unknown order.
    unseen: Vec<(u64, usize)>,
}

fn lists(history: &History, observed: &Observed<'_>) -> BTreeMap<u64, List> {
    let mut lists: BTreeMap<u64, List> = BTreeMap::new();
    for (key, values) in &observed.lists {
        let list = lists.entry(*key).or_default();
        for value in *values {
            let Some(writer) = observed.writers.get(&(*key, *value)) else { continue };
            let new = !list.places.contains_key(value);
            if new && observed.is_live(writer.transaction) {
                list.places.insert(*value, list.ordered.len());
                list.ordered.push((*value, writer.transaction));
            }
        }
    }
    for ((key, value), writer) in &observed.writers {
        // What is missing in the end is lost, and comes after nothing.
        if history.finals.contains_key(key) || !observed.is_live(writer.transaction) {
            continue;
        }
        let list = lists.entry(*key).or_default();
        if !list.places.contains_key(value) {
            list.unseen.push((*value, writer.transaction));
        }
    }
    lists
}

impl List {
    fn writes(&self, key: u64, edges: &mut Vec<Dependency>) {
        for pair in self.ordered.windows(2) {
            if let [(before, from), (value, to)] = *pair {
                edges.push(Dependency { from, to, kind: Kind::Ww { key, before, value } });
            }
        }
        if let Some(&(before, from)) = self.ordered.last() {
            for &(value, to) in &self.unseen {
                edges.push(Dependency { from, to, kind: Kind::Ww { key, before, value } });
            }
        }
    }

    /// What a read says: it comes after the writer of the last value, and
    /// before the writer of the one after that.
    fn read(&self, read: &Read<'_>, edges: &mut Vec<Dependency>) {
        let Read { transaction: reader, key, values } = *read;
        let last = values.iter().rev().find_map(|value| self.places.get(value).copied());
        let from = last.and_then(|last| self.ordered.get(last)).copied();
        if let Some((value, from)) = from {
            edges.push(Dependency { from, to: reader, kind: Kind::Wr { key, value } });
        }
        // The same writer's next value is no write that was missed: what was
        // seen is intermediate, an anomaly by itself.
        let other = |writer: usize| from.is_none_or(|(_, last)| last != writer);
        let mut later = self.ordered.iter().skip(last.unwrap_or_default());
        let missed = later.find(|(_, writer)| other(*writer));
        let missed = missed.map_or(&self.unseen[..], std::slice::from_ref);
        for &(value, to) in missed.iter().filter(|(_, writer)| other(*writer)) {
            edges.push(Dependency { from: reader, to, kind: Kind::Rw { key, value } });
        }
    }
}

/// Edges from those that had returned to those that begin, without the ones
/// that follow from others: a transaction is dropped from those that had
/// returned once one that began after it has returned too.
fn real_time(history: &History, observed: &Observed<'_>, edges: &mut Vec<Dependency>) {
    let transactions = &history.transactions;
    let mut latest: Vec<usize> = Vec::new();
    let mut is_latest = vec![false; transactions.len()];
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); transactions.len()];
    let moments = transactions.iter().map(|transaction| {
        // Who was told that nothing is known was not told that it is over.
        let over = transaction.outcome == Outcome::Committed;
        (transaction.invoked, transaction.returned.filter(|_| over))
    });
    for (_, phase, to) in events(moments) {
        if !observed.is_live(to) {
            continue;
        }
        match phase {
            Phase::Invoked => {
                let edge = |from: &usize| Dependency { from: *from, to, kind: Kind::Rt };
                edges.extend(latest.iter().map(edge));
                before[to].clone_from(&latest);
            }
            Phase::Returned => {
                for dropped in std::mem::take(&mut before[to]) {
                    is_latest[dropped] = false;
                }
                latest.retain(|transaction| is_latest[*transaction]);
                is_latest[to] = true;
                latest.push(to);
            }
        }
    }
}
