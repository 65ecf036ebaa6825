//! Running cases.

use std::future::Future;

use futures::TryStreamExt;
use ifmatch_core::{BlobKey, BlobPrefix, Precondition, WriteId};

use super::case::Case;
use super::failure::Failure;
use super::list::blob_cases;
use super::report::Report;
use super::subject::Subject;
use super::trial::Trial;

/// Runs a case in a fresh folder and sweeps it, whatever came of it.
pub(super) async fn in_a_folder(case: Case, subject: Subject) -> Result<(), Failure> {
    let random = WriteId::random(subject.store().env()).to_string();
    let folder = BlobKey::new(format!("suite-{}", random.get(..12).unwrap_or(&random)))?;
    let trial = Trial::new(subject.clone(), folder.clone());
    let ended = case.body(trial).await;
    let swept = sweep(&subject, &folder).await;
    ended.map_err(|failure| failure.during(format_args!("{case:?} on {}", subject.store())))?;
    swept.map_err(|failure| failure.during("sweeping the case's folder"))
}

async fn sweep(subject: &Subject, folder: &BlobKey) -> Result<(), Failure> {
    let below = BlobPrefix::internal(folder.as_str())?;
    let left: Vec<_> = subject.store().list(&below, None).try_collect().await?;
    for info in left {
        subject.store().delete(&info.key, Precondition::Overwrite).await?;
    }
    Ok(())
}

/// Runs every case, one after the other.
pub async fn run_all(subject: &Subject) -> Report {
    let mut report = Report::new(subject.store().to_string());
    for case in blob_cases() {
        let skipped = case.not_applicable(&subject.store().capabilities());
        report.add(case, skipped, case.run(subject).await);
    }
    report
}

/// Runs a case on a runtime of its own, for a runner without one.
///
/// # Errors
/// What the store did against the contract, or what kept the runtime or the
/// store from being made.
pub fn run_blocking<S, F>(case: &Case, make: impl FnOnce() -> F) -> Result<(), Failure>
where
    S: Into<Subject>,
    F: Future<Output = Result<S, Failure>>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { case.run(&make().await?.into()).await })
}

/// Runs the case of this name: the body of each test of
/// [`blob_store_suite!`](crate::blob_store_suite).
///
/// # Errors
/// As [`run_blocking`], and where there is no such case.
#[doc(hidden)]
pub fn run_named<S, F>(name: &str, make: impl FnOnce() -> F) -> Result<(), Failure>
where
    S: Into<Subject>,
    F: Future<Output = Result<S, Failure>>,
{
    let case = blob_cases().into_iter().find(|case| case.name() == name);
    let case = case.ok_or_else(|| Failure::new(format!("there is no case {name}")))?;
    run_blocking(&case, make)
}
