//! One random history on all stores.

use std::sync::Arc;

use ifmatch::meta::MetaStore;
use ifmatch::testkit::history;

use crate::backends::Backend;
use crate::harness::Cases;
use crate::worker::with_everything;

const OPERATIONS: usize = 2_000;

pub(crate) fn add(cases: &mut Cases, backends: &[Backend]) {
    let present: Vec<_> = backends.iter().filter(|on| on.subject.is_ok()).cloned().collect();
    for seed in 1..=3 {
        let all = present.clone();
        let name = format!("history::{OPERATIONS}_operations_are_answered_alike::seed_{seed}");
        cases.add(name, move || async move {
            // Real servers take part in one of them.
            let chosen = all.iter().filter(|on| seed == 1 || !on.is_remote());
            let mut stores: Vec<Arc<dyn MetaStore>> = Vec::new();
            for backend in chosen {
                stores.push(backend.fresh(with_everything).await);
            }
            let differences = history::replay(&stores, seed, OPERATIONS).await;
            let names: Vec<_> = stores.iter().map(ToString::to_string).collect();
            println!("{} stores, seed {seed}: {names:?}\n{differences}", stores.len());
            assert!(differences.found.is_empty(), "seed {seed}: {differences}");
            for (kind, (asked, failed)) in &differences.asked {
                assert!(asked > failed, "{kind}: each of {asked} failed");
            }
            for store in stores {
                store.close().await.unwrap();
            }
        });
    }
}
