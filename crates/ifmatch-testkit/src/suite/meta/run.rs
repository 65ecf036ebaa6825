//! Running cases.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures::future::{self, Either};

use super::case::MetaCase;
use super::list::meta_cases;
use super::subject::{MetaSubject, Opened, Wanted};
use super::trial::Trial;
use crate::suite::Failure;

/// Longer than this no case may take, on a slow server either.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs a case in a fresh place and closes what it opened, whatever came of it.
pub(super) async fn in_a_place(case: MetaCase, subject: MetaSubject) -> Result<(), Failure> {
    let named = |failure: Failure| failure.during(format_args!("{case:?}"));
    let trial = Trial::open(subject, case.need()).await.map_err(named)?;
    // As a task: a store that never lets go of its thread holds up that one only.
    let body = tokio::spawn(case.body(trial.clone()));
    let late = trial.store().env().clone();
    let late = async move { late.sleep(PATIENCE).await };
    let ended = match future::select(Box::pin(late), body).await {
        Either::Right((ended, _)) => ended.unwrap_or_else(|died| Err(died.into())),
        Either::Left(((), body)) => {
            body.abort();
            let failure = Failure::new(format!("still running after {PATIENCE:?}"));
            return Err(failure.during(format_args!("{case:?} on {}", trial.store())));
        }
    };
    let store = trial.store().to_string();
    let closed = trial.close().await;
    ended.map_err(|failure| failure.during(format_args!("{case:?} on {store}")))?;
    closed.map_err(|failure| failure.during("closing the case's stores"))
}

/// What came of all cases on one store.
#[derive(Debug, Default)]
pub struct MetaReport {
    /// The cases that passed.
    pub passed: Vec<MetaCase>,
    /// The cases that say nothing about this store, and why.
    pub skipped: Vec<(MetaCase, &'static str)>,
    /// The cases that failed, and why.
    pub failed: Vec<(MetaCase, Failure)>,
}

impl fmt::Display for MetaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [passed, skipped, failed] = [self.passed.len(), self.skipped.len(), self.failed.len()];
        write!(f, "{passed} passed, {failed} failed, {skipped} not applicable")?;
        self.failed.iter().try_for_each(|(_, failure)| write!(f, "\n  {failure}"))
    }
}

/// Runs every case, one after the other.
///
/// # Errors
/// Where the store does not even open.
pub async fn run_all(subject: &MetaSubject) -> Result<MetaReport, Failure> {
    let offer = subject.offer().await?;
    let mut report = MetaReport::default();
    for case in meta_cases() {
        match case.not_applicable(&offer) {
            Some(reason) => report.skipped.push((case, reason)),
            None => match case.run(subject).await {
                Ok(()) => report.passed.push(case),
                Err(failure) => report.failed.push((case, failure)),
            },
        }
    }
    Ok(report)
}

/// Runs the case of this name: the body of each test of
/// [`meta_store_suite!`](crate::meta_store_suite).
///
/// # Errors
/// What the store did against the contract, or what kept the runtime or the
/// store from being made.
#[doc(hidden)]
pub fn run_named<F, S>(
    name: &str,
    persistent: bool,
    open: impl Fn(Wanted) -> F + Send + Sync + 'static,
) -> Result<(), Failure>
where
    F: Future<Output = Result<S, Failure>> + Send + 'static,
    S: Into<Opened>,
{
    let case = meta_cases().into_iter().find(|case| case.name() == name);
    let case = case.ok_or_else(|| Failure::new(format!("there is no case {name}")))?;
    let mut subject = MetaSubject::new(open);
    if persistent {
        subject = subject.persistent();
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(async {
        if let Some(reason) = case.not_applicable(&subject.offer().await?) {
            println!("not applicable: {reason}");
            return Ok(());
        }
        case.run(&subject).await
    });
    runtime.shutdown_background(); // A case may hang.
    ended
}
