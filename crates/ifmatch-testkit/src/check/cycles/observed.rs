//! What a history shows: who appended what, who counts as committed, and in
//! which order each list grew.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::reads::{Read, Writer, Writers, reads};
use super::{Anomaly, History, Outcome, Step};

pub(super) struct Observed<'a> {
    history: &'a History,
    pub(super) writers: Writers,
    pub(super) reads: Vec<Read<'a>>,
    /// Which transactions count as committed.
    live: Vec<bool>,
    /// The order in which each list grew, as far as anybody saw.
    pub(super) lists: BTreeMap<u64, &'a [u64]>,
    /// What was found on the way.
    found: Vec<Anomaly>,
}

impl<'a> Observed<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut found = Vec::new();
        let writers = writers(history, &mut found);
        let (mut reads, internal) = reads(history, &writers);
        let live = live(history, &writers, &reads);
        let internal = internal.into_iter().filter(|(transaction, _)| live[*transaction]);
        found.extend(internal.map(|(transaction, key)| Anomaly::Internal { transaction, key }));
        reads.retain(|read| live[read.transaction]);
        let mut lists: BTreeMap<u64, &[u64]> = BTreeMap::new();
        for read in &reads {
            let longest = lists.entry(read.key).or_insert(read.values);
            if read.values.len() > longest.len() {
                *longest = read.values;
            }
        }
        lists.extend(history.finals.iter().map(|(key, values)| (*key, values.as_slice())));
        Self { history, writers, reads, live, lists, found }
    }

    /// How many transactions count as committed.
    pub(super) fn live(&self) -> usize {
        self.live.iter().filter(|live| **live).count()
    }

    /// Whether `transaction` counts as committed.
    pub(super) fn is_live(&self, transaction: usize) -> bool {
        self.live[transaction]
    }

    /// Whether all that was read and left at last fits together.
    pub(super) fn anomalies(&self) -> Vec<Anomaly> {
        let mut anomalies = self.found.clone();
        for read in &self.reads {
            self.values(Some(read.transaction), read.key, read.values, &mut anomalies);
            self.intermediate(read, &mut anomalies);
            if !self.fits(read) {
                let Read { transaction, key, .. } = *read;
                anomalies.push(Anomaly::Incompatible { transaction, key });
            }
        }
        for (key, values) in &self.history.finals {
            self.values(None, *key, values, &mut anomalies);
        }
        self.torn(&mut anomalies);
        self.lost(&mut anomalies);
        anomalies
    }

    /// Whether `read` is a beginning of the list.
    pub(super) fn fits(&self, read: &Read<'_>) -> bool {
        self.lists.get(&read.key).is_some_and(|list| list.starts_with(read.values))
    }

    fn values(
        &self,
        reader: Option<usize>,
        key: u64,
        values: &[u64],
        anomalies: &mut Vec<Anomaly>,
    ) {
        let mut seen = BTreeSet::new();
        for &value in values {
            if !seen.insert(value) {
                anomalies.push(Anomaly::Repeated { reader, key, value });
                continue;
            }
            match self.writers.get(&(key, value)) {
                None => anomalies.push(Anomaly::Unwritten { reader, key, value }),
                Some(Writer { transaction: writer, .. }) if !self.live[*writer] => {
                    anomalies.push(Anomaly::G1a { reader, writer: *writer, key, value });
                }
                Some(_) => {}
            }
        }
    }

    fn intermediate(&self, read: &Read<'_>, anomalies: &mut Vec<Anomaly>) {
        let Some(&value) = read.values.last() else { return };
        if let Some(writer) = self.writers.get(&(read.key, value))
            && !writer.last
            && self.live[writer.transaction]
        {
            let (reader, writer, key) = (read.transaction, writer.transaction, read.key);
            anomalies.push(Anomaly::G1b { reader, writer, key, value });
        }
    }

    fn torn(&self, anomalies: &mut Vec<Anomaly>) {
        // What each transaction's appends to each list look like in the list.
        let mut shown: BTreeMap<(usize, u64), Vec<u64>> = BTreeMap::new();
        for (key, values) in &self.lists {
            for value in *values {
                if let Some(Writer { transaction, .. }) = self.writers.get(&(*key, *value)) {
                    shown.entry((*transaction, *key)).or_default().push(*value);
                }
            }
        }
        for ((transaction, key), shown) in shown {
            let steps = self.history.transactions[transaction].steps.iter();
            let mut appended = steps.filter_map(|step| match step {
                Step::Append { key: to, value } if *to == key => Some(*value),
                _ => None,
            });
            let in_order = shown.iter().all(|value| appended.next() == Some(*value));
            if self.live[transaction] && !in_order {
                anomalies.push(Anomaly::Torn { transaction, key });
            }
        }
    }

    fn lost(&self, anomalies: &mut Vec<Anomaly>) {
        let finals = self.history.finals.iter();
        let left: BTreeSet<_> =
            finals.flat_map(|(key, values)| values.iter().map(|value| (*key, *value))).collect();
        for ((key, value), Writer { transaction: writer, .. }) in &self.writers {
            let known = self.history.finals.contains_key(key);
            if known && self.live[*writer] && !left.contains(&(*key, *value)) {
                anomalies.push(Anomaly::Lost { writer: *writer, key: *key, value: *value });
            }
        }
    }
}

fn writers(history: &History, found: &mut Vec<Anomaly>) -> Writers {
    let mut writers = Writers::new();
    for (transaction, recorded) in history.transactions.iter().enumerate() {
        for step in &recorded.steps {
            let Step::Append { key, value } = step else { continue };
            match writers.entry((*key, *value)) {
                Entry::Vacant(entry) => {
                    entry.insert(Writer { transaction, last: false });
                }
                Entry::Occupied(entry) => {
                    let (first, second) = (entry.get().transaction, transaction);
                    let (key, value) = (*key, *value);
                    found.push(Anomaly::Reused { first, second, key, value });
                }
            }
        }
        let mut done = BTreeSet::new();
        for step in recorded.steps.iter().rev() {
            let Step::Append { key, value } = step else { continue };
            if done.insert(*key)
                && let Some(writer) = writers.get_mut(&(*key, *value))
                && writer.transaction == transaction
            {
                writer.last = true;
            }
        }
    }
    writers
}

/// An unknown transaction counts as committed if one that counts as committed,
/// or the end, saw what it appended.
fn live(history: &History, writers: &Writers, reads: &[Read<'_>]) -> Vec<bool> {
    let transactions = &history.transactions;
    let mut live: Vec<_> = transactions.iter().map(|t| t.outcome == Outcome::Committed).collect();
    let mut seen_by = vec![Vec::new(); transactions.len()];
    for read in reads {
        seen_by[read.transaction].push((read.key, read.values));
    }
    let mut seen: Vec<(u64, &[u64])> =
        history.finals.iter().map(|(key, values)| (*key, values.as_slice())).collect();
    for (transaction, live) in live.iter().enumerate() {
        if *live {
            seen.append(&mut seen_by[transaction]);
        }
    }
    while let Some((key, values)) = seen.pop() {
        for value in values {
            let Some(Writer { transaction, .. }) = writers.get(&(key, *value)) else { continue };
            if transactions[*transaction].outcome == Outcome::Unknown && !live[*transaction] {
                live[*transaction] = true;
                seen.append(&mut seen_by[*transaction]);
            }
        }
    }
    live
}
