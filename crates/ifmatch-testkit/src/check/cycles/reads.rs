//! What transactions read of each other, without what they appended
//! themselves.

use std::collections::BTreeMap;

use super::{History, Step};

/// A read of a list as others had left it.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) transaction: usize,
    pub(super) key: u64,
    pub(super) values: &'a [u64],
}

/// Who appended each value to each list.
pub(super) type Writers = BTreeMap<(u64, u64), Writer>;

/// Who appended a value, and whether that was its last one to the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub(super) transaction: usize,
    pub(super) last: bool,
}

/// The reads of all transactions, and the transactions and lists of those
/// that deny what the transaction did itself.
pub(super) fn reads<'a>(
    history: &'a History,
    writers: &Writers,
) -> (Vec<Read<'a>>, Vec<(usize, u64)>) {
    let (mut reads, mut internal) = (Vec::new(), Vec::new());
    for (transaction, recorded) in history.transactions.iter().enumerate() {
        let mut own: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for step in &recorded.steps {
            match step {
                Step::Append { key, value } => own.entry(*key).or_default().push(*value),
                Step::Read { key, values } => {
                    let own = own.get(key).map_or(&[][..], Vec::as_slice);
                    let mine = |value: &u64| {
                        let writer = writers.get(&(*key, *value));
                        writer.is_some_and(|writer| writer.transaction == transaction)
                    };
                    match values.strip_suffix(own) {
                        Some(values) if !values.iter().any(mine) => {
                            reads.push(Read { transaction, key: *key, values });
                        }
                        _ => internal.push((transaction, *key)),
                    }
                }
            }
        }
    }
    (reads, internal)
}
