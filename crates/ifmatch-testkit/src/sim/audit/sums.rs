//! The counters against what their callers were told, whatever the log says.

use std::collections::BTreeMap;

use ifmatch_journal::kv::{Command, Pairs};

use super::Findings;
use crate::check::chain::{Answer, Told};
use crate::sim::violation::Broken;
use crate::sim::world::World;

/// What a counter must hold.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    /// Of the additions that were told committed, then or later.
    told: i64,
    /// Of those that nobody ever heard about.
    open: i64,
}

/// Each counter holds every acknowledged addition, and of the others none but
/// those whose callers were told nothing. All amounts are positive.
pub(super) fn check_all(world: &World, newest: &Pairs, found: &mut Findings) {
    let book = world.ledger.book();
    let mut last = vec![Told::Unknown; book.entries.len() + 1];
    for call in &book.calls {
        if let Answer::Commit { operation, told } = &call.answer
            && *told != Told::Unknown
            && let Some(last) = usize::try_from(*operation).ok().and_then(|at| last.get_mut(at))
        {
            *last = *told;
        }
    }
    let mut sums: BTreeMap<&[u8], Sum> = BTreeMap::new();
    for (entry, told) in book.entries.iter().zip(last.into_iter().skip(1)) {
        let Command::Add { key, amount } = &entry.command else { continue };
        let sum = sums.entry(key).or_default();
        match told {
            Told::Committed { .. } => sum.told += amount,
            Told::Unknown => sum.open += amount,
            Told::Rejected | Told::Never => {}
        }
    }
    for (key, Sum { told, open }) in sums {
        let holds = newest.number(key).unwrap_or(i64::MIN);
        if holds < told || holds > told + open {
            let key = String::from_utf8_lossy(key);
            let detail = format!("{key} holds {holds}; {told} were acknowledged, {open} are open");
            found.add(Broken::Invariant, detail);
        }
    }
}
