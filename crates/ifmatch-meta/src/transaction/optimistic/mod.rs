//! Optimistic transactions.

mod backoff;
mod draft;
mod failures;
mod run;

pub use draft::Draft;

use ifmatch_core::RetryPolicy;

use self::backoff::Backoff;
use crate::error::Error;
use crate::key::Partition;
use crate::ops::Applied;
use crate::store::MetaStore;

/// What [`transact`] came to.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Transacted<T> {
    /// What the body answered, in the run that counts.
    pub value: T,
    /// The answers of its writes, in order.
    pub applied: Vec<Applied>,
    /// The commit of its writes; `None` where it wrote nothing.
    pub position: Option<u64>,
    /// How often the body ran.
    pub runs: u32,
}

/// Runs `body` as a transaction of one partition, without a lock: its writes are
/// applied as one batch, only if everything that it read is still so; else the
/// whole body runs again, on a new [`Draft`].
///
/// # Consistency
/// Strictly serialisable: all that the run that counts has read was true, and
/// all that it wrote was applied, at one moment between call and answer. A
/// document that was read has to be in the same state; after a scan or a query
/// nothing in the partition may have changed. This holds for an error of the
/// body too: it is answered only if what the body has read was true at one
/// moment, else the body runs again.
///
/// # Reads that fail
/// A run that counts rests on no read that failed, even where the body handles
/// the error and answers all the same:
/// - read again with success in the same run, it is as if it had not failed;
/// - else the body runs again, where the failure may pass (`Unavailable`), and
///   the failure is answered, where it does not (`Corrupt`, `Denied`);
/// - unless the body says that it can do without:
///   [`Draft::disregard_failures`].
///
/// A call that is wrong in itself (`Invalid`, `TooLarge`, `Unsupported`) is no read. An error
/// of the body is its answer after a read that failed for good.
///
/// # Atomicity
/// As [`MetaStore::batch`]. Runs that do not count leave nothing.
///
/// # Errors
/// - `Conflict`: a precondition that the body gave to a write does not hold,
///   although everything that it read is so: running it again changes nothing.
///   Nothing was applied.
/// - `Conflict`, `PartitionLocked`, `Unavailable`: it was so until the policy
///   gave up. Nothing was applied.
/// - that of a read that failed for good, see above. Nothing was applied.
/// - `OutcomeUnknown`: the writes may have been applied. The body is not run
///   again.
/// - `TooLarge`: more reads and writes than a batch may have operations.
/// - what the body answers: nothing was applied.
///
/// # Cancellation
/// As [`MetaStore::batch`].
///
/// # Cost
/// The reads of the body and one batch per run: one conditional PUT on a remote
/// store. A body that reads at most once and writes nothing sends no batch.
///
/// # Examples
/// ```
/// use ifmatch_core::RetryPolicy;
/// use ifmatch_meta::{DocId, DocPrecondition, Error, Json, MetaStore, Partition, transact};
/// # #[allow(dead_code)]
/// async fn count_up(store: &dyn MetaStore) -> Result<u64, Error> {
///     let (partition, id) = (Partition::new("counters")?, DocId::new("visits")?);
///     let counted = transact(store, &partition, RetryPolicy::new(), |draft| {
///         let id = id.clone();
///         async move {
///             let before: u64 = match draft.get(&id).await? {
///                 Some(document) => document.body.decode()?,
///                 None => 0,
///             };
///             draft.put(&id, Json::of(&(before + 1))?, DocPrecondition::Overwrite)?;
///             Ok::<_, Error>(before + 1)
///         }
///     });
///     Ok(counted.await?.value)
/// }
/// ```
pub async fn transact<'a, T, E, R>(
    store: &'a dyn MetaStore,
    partition: &'a Partition,
    policy: RetryPolicy,
    mut body: impl FnMut(Draft<'a>) -> R,
) -> Result<Transacted<T>, E>
where
    E: From<Error>,
    R: Future<Output = Result<T, E>>,
{
    let mut backoff = Backoff::start(store.env(), policy);
    loop {
        let draft = Draft::new(store, partition);
        let answer = body(draft.clone()).await;
        let run = draft.close();
        let failed = match answer {
            Ok(value) => match run.commit(store, partition).await {
                Ok(applied) => {
                    let position = run::position(&applied);
                    let runs = backoff.attempts() + 1;
                    return Ok(Transacted { value, applied, position, runs });
                }
                Err(failed) => failed,
            },
            Err(error) => match run.was_true(store, partition).await {
                Ok(()) => return Err(error),
                Err(failed) => run::Failed::Again(failed),
            },
        };
        match failed {
            run::Failed::Again(error) => backoff.pause_after(error).await?,
            run::Failed::ForGood(error) => return Err(error.into()),
        }
    }
}
