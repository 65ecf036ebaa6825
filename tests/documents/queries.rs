//! W17: generated queries on each backend, and what they have met.

use ifmatch::testkit::cases;

use crate::backends::Backend;
use crate::harness::Cases;

/// Cases on each backend; `IFMATCH_TEST_QUERIES` asks for another number.
fn count(backend: &Backend) -> usize {
    let set = std::env::var("IFMATCH_TEST_QUERIES").ok().and_then(|n| n.parse().ok());
    set.unwrap_or(match backend.name {
        "memory" | "sqlite" | "postgres" => 10_000,
        _ => 2_000,
    })
}

pub(crate) fn add(to: &mut Cases, backend: &Backend) {
    let name = format!("{}::w17_generated_queries_equal_the_evaluator", backend.name);
    if let Err(missing) = backend.subject {
        return to.ignore(name, missing);
    }
    let on = backend.clone();
    to.add(name, move || async move {
        let (store, count) = (on.fresh(|wanted| wanted).await, count(&on));
        let report = cases::check(&*store, 17, count).await.unwrap();
        println!("{}: {report}", on.name);
        if count >= 10_000 {
            println!("{}", report.coverage);
            let missing = report.coverage.missing();
            assert!(missing.is_empty(), "never met: {missing:?}");
        }
        assert!(report.passed(), "{}: {report}", on.name);
        store.close().await.unwrap();
    });
}
