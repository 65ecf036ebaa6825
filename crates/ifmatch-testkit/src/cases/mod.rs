//! Generated queries: every backend's answers must be those of the evaluator.
//!
//! Documents have names and values on which databases, languages and evaluators
//! disagree: wildcards in texts, case, composed and decomposed letters, numbers
//! against texts, whole numbers that no float holds, `1` and `1.0`, `-0`, `null`
//! and nothing at all, dotted, quoted and empty names. Filters ask for what is
//! there, for something near it, and for anything else.

mod case;
mod coverage;
mod filters;
mod judge;
mod report;
mod values;
mod world;

#[cfg(test)]
mod tests;

use fastrand::Rng;
use ifmatch_meta::{Document, MetaStore, Result};

pub use case::Case;
pub use coverage::{Cell, Coverage};
pub use report::{Mismatch, Report};
pub use values::Kind;

use judge::{Asked, Store, judge};

/// Cases asked of one set of documents.
const PER_WORLD: usize = 1_000;
/// Documents of which coverage is counted, for each case.
const SAMPLE: usize = 8;

/// Fills the store with documents, again and again, asks it `count` generated
/// cases in all, and compares its answers with those of the evaluator.
///
/// Whatever else the store holds is deleted. The documents, but for tags and
/// times, and the cases follow from the seed.
///
/// # Errors
/// Where writing or scanning fails. A query that fails is a wrong answer.
///
/// # Examples
/// ```no_run
/// use ifmatch_meta::{MetaStore, Result};
/// use ifmatch_testkit::cases;
/// async fn prove(store: &dyn MetaStore) -> Result<()> {
///     let report = cases::check(store, 1, 100_000).await?;
///     println!("{}", report.coverage);
///     assert!(report.passed() && report.coverage.missing().is_empty(), "{report}");
///     Ok(())
/// }
/// ```
pub async fn check(store: &dyn MetaStore, seed: u64, count: usize) -> Result<Report> {
    let mut report = Report { seed, ..Report::default() };
    while report.cases < count {
        let mut rng = rng(seed, report.worlds, usize::MAX);
        let documents = world::fill(store, &mut rng).await?;
        let cases = PER_WORLD.min(count - report.cases);
        ask(&Store(store), &documents, cases, &mut report).await;
    }
    Ok(report)
}

/// Asks so many cases of these documents.
async fn ask(asked: &dyn Asked, documents: &[Document], cases: usize, report: &mut Report) {
    let (world, fields) = (report.worlds, world::fields());
    report.worlds += 1;
    report.documents += documents.len();
    for number in 0..cases {
        let mut rng = rng(report.seed, world, number);
        let case = Case::generate(documents, &fields, &mut rng);
        let start = rng.usize(..documents.len().max(1));
        let sample = documents.iter().cycle().skip(start).take(SAMPLE).cloned().collect::<Vec<_>>();
        report.coverage.record(&case, &sample);
        report.cases += 1;
        match judge(asked, documents, &case).await {
            Ok(matching) => report.matching += usize::from(matching),
            Err(what) => {
                report.wrong += 1;
                if report.mismatches.len() < Report::KEPT {
                    let (case, what) = smallest(asked, documents, case, what).await;
                    report.mismatches.push(Mismatch { world, case, what });
                }
            }
        }
    }
}

/// The smallest case, made of this one, that still fails.
async fn smallest(
    asked: &dyn Asked,
    documents: &[Document],
    mut case: Case,
    mut what: String,
) -> (Case, String) {
    'smaller: loop {
        for smaller in case.smaller() {
            if let Err(wrong) = judge(asked, documents, &smaller).await {
                (case, what) = (smaller, wrong);
                continue 'smaller;
            }
        }
        return (case, what);
    }
}

/// The dice of one case, whatever was drawn before.
fn rng(seed: u64, world: usize, case: usize) -> Rng {
    let mut rng = Rng::with_seed(seed);
    for number in [world, case] {
        let mixed = rng.u64(..) ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        rng = Rng::with_seed(mixed);
    }
    rng
}
