//! One random history on any number of stores.

mod action;
mod canon;
mod perform;
mod script;
mod transactions;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ifmatch_meta::MetaStore;

use perform::Player;
use script::Script;

/// Where stores answered differently.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Differences {
    /// How often each kind of operation was asked for, and how often it failed.
    pub asked: BTreeMap<&'static str, (usize, usize)>,
    /// The differing answers, of the first operation that had any.
    pub found: Vec<Difference>,
}

/// What one store answered to an operation, and what the first one did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// Which operation, counted from 0.
    pub number: usize,
    /// The operation.
    pub operation: String,
    /// The store, in its own words.
    pub store: String,
    /// Its answer.
    pub answer: String,
    /// The answer of the first store.
    pub expected: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, operation, store, answer, expected } = self;
        write!(f, "operation {number}: {operation}\n  {store}: {answer}\n  expected: {expected}")
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, (asked, failed)) in &self.asked {
            writeln!(f, "{kind}: {asked}, {failed} of them failed")?;
        }
        writeln!(f, "{} differences", self.found.len())?;
        self.found.iter().try_for_each(|difference| writeln!(f, "{difference}"))
    }
}

/// Does `operations` random operations of all kinds on every store and compares
/// what they answer, to the last store's first difference.
///
/// Tags are compared by the order in which they appear, positions by their order
/// in a partition, times by whether they are those of the write; feeds of all
/// partitions by partition. Local transactions and the record of changes take
/// part where every store was opened with them. The stores must be empty.
pub async fn replay(stores: &[Arc<dyn MetaStore>], seed: u64, operations: usize) -> Differences {
    let with = |has: fn(&ifmatch_meta::Features) -> bool| {
        stores.iter().all(|store| has(&store.features()))
    };
    let (transactions, audit) = (with(|f| f.transactions), with(|f| f.audit));
    let mut script = Script::new(seed, transactions, audit);
    let mut players: Vec<_> = stores.iter().map(|store| Player::new(store.clone())).collect();
    let mut differences = Differences::default();
    for number in 0..operations {
        let action = script.next();
        let mut expected: Option<String> = None;
        for player in &mut players {
            let answer = player.perform(&action, &script).await;
            match &expected {
                None => expected = Some(answer),
                Some(expected) if *expected == answer => {}
                Some(expected) => differences.found.push(Difference {
                    number,
                    operation: format!("{action:?}"),
                    store: player.store.to_string(),
                    answer,
                    expected: expected.clone(),
                }),
            }
        }
        let failed = expected.as_ref().is_some_and(|answer| answer.starts_with("error"));
        let asked = differences.asked.entry(action.kind()).or_default();
        asked.0 += 1;
        asked.1 += usize::from(failed);
        if !differences.found.is_empty() {
            break;
        }
        if let Some(first) = players.first() {
            script.learn(&action, failed, first);
        }
    }
    differences
}
