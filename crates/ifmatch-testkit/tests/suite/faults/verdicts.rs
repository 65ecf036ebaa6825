//! What clients were told against what really happened.

use std::collections::HashMap;
use std::fmt;

use ifmatch_core::{BlobKey, Fetched, GetOptions, Operation, Precondition, WriteId};
use ifmatch_testkit::FaultKind;
use ifmatch_testkit::fault::{Call, Effect};

use super::workload::{COUNTERS, Run, Told, unseal};

/// The counts of a run that broke no rule.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    pub(super) done: usize,
    pub(super) conflicts: usize,
    pub(super) unknown: usize,
    pub(super) failed: usize,
    /// Conflicts told of a request that arrived twice and was overwritten
    /// before the read-back: the docs of `put` leave that open.
    pub(super) left_open: usize,
    /// Creates that arrived again after a deletion.
    pub(super) returned: usize,
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, conflicts, unknown, failed, left_open, returned } = self;
        write!(f, "{done} done, {conflicts} conflicts, {unknown} unknown, {failed} failed; ")?;
        write!(f, "0 lost, 0 doubled, 0 false conflicts ({left_open} left open), ")?;
        write!(f, "{returned} creates came again after a deletion")
    }
}

/// Checks a run; panics on the first broken rule.
pub(super) async fn check(run: &Run) -> Verdicts {
    let (truth, calls) = (run.store.truth(), run.store.calls());
    let mut times: HashMap<WriteId, usize> = HashMap::new();
    for write in truth.iter().filter_map(|effect| effect.write) {
        *times.entry(write).or_default() += 1;
    }
    let mut verdicts = Verdicts::default();
    for put in &run.puts {
        let times = times.get(&put.write).copied().unwrap_or_default();
        let shared = COUNTERS.contains(&put.key.as_str());
        assert!(times <= 1 || !shared, "{put:?} was applied {times} times");
        verdicts.returned += usize::from(times > 1);
        match put.told {
            Told::Done => {
                assert!(times >= 1, "{put:?} was never applied");
                verdicts.done += 1;
            }
            Told::Conflict if times == 0 => verdicts.conflicts += 1,
            Told::Conflict => {
                let open = arrived_twice(&calls, put.write) && was_overwritten(&truth, put.write);
                assert!(open, "{put:?} is no conflict: it was applied");
                verdicts.left_open += 1;
            }
            Told::Unknown => {
                assert!(is_justified(&calls, put.write, &put.key), "{put:?} has no excuse");
                verdicts.unknown += 1;
            }
            Told::Failed => {
                assert_eq!(times, 0, "{put:?} was applied");
                verdicts.failed += 1;
            }
        }
    }
    for counter in COUNTERS {
        check_chain(run, &truth, &BlobKey::new(counter).unwrap()).await;
    }
    verdicts
}

fn arrived_twice(calls: &[Call], write: WriteId) -> bool {
    let mut calls = calls.iter().filter(|call| call.write == Some(write));
    calls.any(|call| call.fault == Some(FaultKind::Duplicated))
}

/// Somebody wrote the key after this write did.
fn was_overwritten(truth: &[Effect], write: WriteId) -> bool {
    let mut effects = truth.iter().skip_while(|effect| effect.write != Some(write));
    let key = effects.next().map(|effect| &effect.key);
    effects.any(|effect| Some(&effect.key) == key)
}

/// Some request of this write, or some look at its object meanwhile, failed.
fn is_justified(calls: &[Call], write: WriteId, key: &BlobKey) -> bool {
    let mine = |call: &&Call| call.write == Some(write);
    let Some(first) = calls.iter().position(|call| mine(&call)) else { return false };
    let failed = |call: &Call| call.fault.is_some_and(|fault| fault != FaultKind::Latency);
    let looks = calls[first..]
        .iter()
        .filter(|call| call.operation == Operation::Head && call.subject == key.as_str());
    calls.iter().filter(mine).any(failed) || looks.into_iter().any(failed)
}

/// Each write of a counter replaced the one before it, and the last count is
/// the number of them.
async fn check_chain(run: &Run, truth: &[Effect], key: &BlobKey) {
    let effects: Vec<_> = truth.iter().filter(|effect| effect.key == *key).collect();
    for pair in effects.windows(2) {
        let [before, after] = pair else { unreachable!() };
        let replaced = Precondition::IfMatch(before.version.clone().unwrap());
        assert_eq!(after.precondition, replaced, "a write was lost: {after:?}");
    }
    let there = run.store.inner().get(key, GetOptions::new()).await.unwrap();
    let Fetched::Found(blob) = there else { panic!("{key} is gone") };
    assert_eq!(unseal(&blob.body), Some(effects.len() as u64 - 1), "the count of {key}");
}
