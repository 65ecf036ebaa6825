//! The suite's races at length.

use ifmatch::meta::Partition;
use ifmatch::testkit::history::{self, Appending, By};

use crate::backends::Backend;
use crate::harness::Cases;

pub(crate) fn add(cases: &mut Cases, backend: &Backend) {
    // Tasks and rounds, fewer where each write is a request to a server.
    let (tasks, rounds) = if backend.is_remote() { (4, 25) } else { (8, 200) };
    let p = || Partition::new("p").unwrap();
    let run = |name: &str| format!("{}::races::{name}", backend.name);
    let counting = run(&format!("c5_w10_{tasks}_tasks_count_{}", tasks * rounds));
    let transfers = run("t3_transfers_keep_the_sum");
    let appends = [By::Batches, By::Transact, By::Transactions]
        .map(|by| (by, run(&format!("t31_lists_are_serializable_by_{by:?}").to_lowercase())));
    if let Err(missing) = backend.subject {
        for name in [counting, transfers].into_iter().chain(appends.map(|(_, name)| name)) {
            cases.ignore(name, missing);
        }
        return;
    }
    let on = backend.clone();
    cases.add(counting, move || async move {
        let store = on.fresh(|wanted| wanted).await;
        let counted = history::count(&store, &p(), tasks, rounds as u64).await;
        counted.unwrap_or_else(|failure| panic!("{failure}"));
        store.close().await.unwrap();
    });
    let on = backend.clone();
    cases.add(transfers, move || async move {
        let store = on.fresh(|wanted| wanted).await;
        let done = history::transfer(&store, &p(), 3, tasks as u64, rounds as u64 / 4).await;
        let done = done.unwrap_or_else(|failure| panic!("{failure}"));
        println!("{}: {done:?}", on.name);
        store.close().await.unwrap();
    });
    for (by, name) in appends {
        let on = backend.clone();
        cases.add(name, move || async move {
            let store = on.fresh(crate::worker::with_transactions).await;
            let each = if by == By::Transactions { rounds / 8 } else { rounds / 4 };
            let what = Appending::default().by(by).sized(tasks as u64, each as u64);
            let report = history::append(&store, &p(), 5, what).await;
            let report = report.unwrap_or_else(|failure| panic!("{failure}"));
            println!("{} by {by:?}: {report}", on.name);
            store.close().await.unwrap();
        });
    }
}
