//! Does this store keep its conditions? Asked by trying.
//!
//! Some S3 servers accept every condition with 200 and then ignore it: an
//! optimistic lock on them loses updates without a sign. The probe finds out
//! with a handful of small writes below `.ifmatch/probe/`.

mod checks;
mod gate;
mod gated;
mod report;
#[cfg(test)]
mod tests;

pub use gate::{ProbeGate, ProbePolicy};
pub use gated::Gated;
pub use report::{Check, ProbeReport, Verdict};

use futures::TryStreamExt;

use checks::Tried;

use crate::error::{Error, Operation, Reason, Result};
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::store::ConditionalBlobStore;
use crate::write_id::WriteId;

/// Tries every condition that ifmatch relies on, under a fresh name, and sweeps
/// what it wrote.
///
/// # Errors
/// The store's own, where it could not be asked: denied, no such bucket,
/// unavailable, also where answers were lost in each of three tries. A store that
/// answers but lies is no error but a verdict.
///
/// # Cost
/// About 55 requests with bodies of a few bytes, among them two races of eight
/// writers on one name; up to three times that where answers are lost.
///
/// ```
/// use ifmatch_core::{Env, MemoryBlobStore, Verdict, probe};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let report = probe(&MemoryBlobStore::new(Env::real())).await?;
/// assert_eq!(report.verdict(), Verdict::Safe);
/// # Ok::<(), ifmatch_core::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn probe(store: &dyn ConditionalBlobStore) -> Result<ProbeReport> {
    let mut last = String::new();
    for _ in 0..TRIES {
        match once(store).await {
            Ok(Tried { report, lost: false }) => return Ok(report),
            Ok(Tried { report, .. }) => {
                last = report.broken().map(|check| check.detail.as_str()).collect();
            }
            // Nobody asked for the write whose outcome that is.
            Err(error @ Error::OutcomeUnknown(_)) => last = error.to_string(),
            Err(error) => return Err(error),
        }
    }
    let why = Reason::source(format!("answers were lost in each of {TRIES} tries: {last}"));
    Err(Error::Unavailable {
        operation: Operation::Put,
        subject: store.to_string().into(),
        retry_after: None,
        source: why,
    })
}

/// Tries, each under a name of its own, before the probe gives up.
const TRIES: usize = 3;

async fn once(store: &dyn ConditionalBlobStore) -> Result<Tried> {
    let folder = format!(".ifmatch/probe/{}", WriteId::random(store.env()));
    let checked = checks::run(store, &BlobKey::internal(&folder)?).await;
    let swept = sweep(store, &folder).await;
    let tried = checked?;
    // A probe that told the truth is worth more than its debris.
    if let Err(error) = swept {
        tracing::warn!(%error, folder, "the probe's blobs could not be swept");
    }
    Ok(tried)
}

async fn sweep(store: &dyn ConditionalBlobStore, folder: &str) -> Result<()> {
    let left: Vec<_> = store.list(&BlobPrefix::internal(folder)?, None).try_collect().await?;
    for info in left {
        store.delete(&info.key, Precondition::Overwrite).await?;
    }
    Ok(())
}
