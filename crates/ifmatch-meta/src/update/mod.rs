//! Read, change, write; again where somebody else wrote in between.

mod backoff;
mod error;

use ifmatch_core::{Retry, RetryPolicy};

pub(crate) use backoff::Backoff;
pub use error::UpdateError;

use crate::document::Document;
use crate::error::Result;
use crate::json::Json;
use crate::key::DocKey;
use crate::ops::{Applied, WriteOptions};
use crate::precondition::DocPrecondition;
use crate::store::MetaStore;

/// What is to become of a document.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::exhaustive_enums)] // There is no fourth.
pub enum Edit<T = Json> {
    /// It has this body then, and is created where it is not there.
    Put(T),
    /// It is not there then.
    Delete,
    /// Nothing.
    Keep,
}

/// A document was changed, or kept.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Updated {
    /// What was done: [`Applied::Checked`] where the document was kept, or where
    /// there was nothing to delete.
    pub applied: Applied,
    /// How often the document was read, so one more than others got in first.
    pub attempts: u32,
}

/// Changes a document by a function of what is there: reads it, asks `edit`,
/// writes on the condition that it is still what was read; and does so again
/// where somebody else was faster, until it commits or `policy` gives up.
///
/// `edit` gets `None` where there is no such document. It is called once for
/// each attempt, so it must do nothing but compute. A conflict is no reason to
/// ask for the document that the error carries: after the pause it would be old,
/// so each attempt reads anew.
///
/// The first retry after a conflict comes at once; later ones, and those after
/// [`PartitionLocked`](crate::Error::PartitionLocked) or `Unavailable`, after a random
/// pause as `policy` says. Choose a first pause of about the time that a write
/// takes.
///
/// # Atomicity
/// One conditional write, or nothing.
///
/// # Errors
/// - [`Refused`](UpdateError::Refused): `edit` failed; nothing was applied.
/// - [`Store`](UpdateError::Store) with `OutcomeUnknown`: the write may have been
///   applied, so it is not done again. `edit` may be right the second time or
///   not (a counter would count twice): read the document and decide.
/// - `Store` with anything else: nothing was applied. A conflict, a locked
///   partition and `Unavailable` appear when the policy gave up.
///
/// # Cancellation
/// As that of a [`put`](MetaStore::put).
///
/// # Cost
/// A read and a write for each attempt.
///
/// # Examples
/// ```
/// use ifmatch_core::{Env, RetryPolicy};
/// use ifmatch_meta::{DocKey, Edit, Error, Json, MemoryMetaStore, MetaStore, WriteOptions, update};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = MemoryMetaStore::new(Env::real());
/// let key = DocKey::new("counters", "visits")?;
/// for _ in 0..3 {
///     update(&store, &key, RetryPolicy::new(), WriteOptions::default(), |current| {
///         let count = match current {
///             Some(document) => document.body.decode::<u64>()?,
///             None => 0,
///         };
///         Ok::<_, Error>(Edit::Put(Json::of(&(count + 1))?))
///     })
///     .await?;
/// }
/// assert_eq!(store.get(&key).await?.unwrap().body.as_str(), "3");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn update<E, F>(
    store: &dyn MetaStore,
    key: &DocKey,
    policy: RetryPolicy,
    options: WriteOptions,
    mut edit: F,
) -> Result<Updated, UpdateError<E>>
where
    E: Send,
    F: FnMut(Option<&Document>) -> Result<Edit, E> + Send,
{
    let mut backoff = Backoff::start(store.env(), policy);
    loop {
        let failed = match store.get(key).await {
            Ok(current) => {
                let edit = edit(current.as_ref()).map_err(UpdateError::Refused)?;
                match write(store, key, current.as_ref(), edit, &options).await {
                    Ok(applied) => return Ok(Updated { applied, attempts: backoff.attempt() }),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let attempts = backoff.attempt();
        if !matches!(failed.retry(), Retry::Same | Retry::Rebase) {
            return Err(UpdateError::Store { error: failed, attempts });
        }
        backoff
            .pause_after(failed)
            .await
            .map_err(|error| UpdateError::Store { error, attempts })?;
    }
}

/// Writes what was decided on the condition that nothing has changed.
async fn write(
    store: &dyn MetaStore,
    key: &DocKey,
    current: Option<&Document>,
    edit: Edit,
    options: &WriteOptions,
) -> Result<Applied> {
    let etag = current.map(|document| document.etag);
    let unchanged = etag.map_or(DocPrecondition::IfAbsent, DocPrecondition::IfMatch);
    match edit {
        Edit::Put(body) => {
            store.put_with(key, body, unchanged, options.clone()).await.map(Applied::Written)
        }
        Edit::Delete if etag.is_some() => {
            store.delete_with(key, unchanged, options.clone()).await.map(Applied::Deleted)
        }
        Edit::Delete | Edit::Keep => Ok(Applied::Checked(etag)),
    }
}
