//! The trait that every backend implements.

mod outcome;
#[cfg(test)]
mod outcome_tests;
mod reading;
mod types;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

pub use outcome::{Resolved, delete_resolved, put_resolved, resolve_put};
pub use reading::retry_read;
pub use types::{
    Attempt, Blob, BlobInfo, Deleted, Endpoint, Fetched, GetOptions, RetryPolicy, Stored,
};

use crate::capabilities::Capabilities;
use crate::env::Env;
use crate::error::Result;
use crate::key::{BlobKey, BlobPrefix};
use crate::precondition::Precondition;
use crate::probe::ProbeGate;
use crate::write_id::WriteId;

/// A store of named blobs in which a write can depend on what is there.
///
/// # Contract
/// 1. *Single-object linearizability.* Each get, head, put and delete takes
///    effect at one moment between its call and its answer; whoever reads after
///    an answered write sees it or a later one.
/// 2. *Whole bodies.* A get never mixes two versions of a body.
/// 3. *Conditions hold or are refused.* A put or delete is applied only if its
///    precondition holds at that moment. What a store cannot promise is
///    [`Unsupported`](crate::Error::Unsupported), never silently dropped.
/// 4. *Outcomes are true.* A write answers committed, conflict (nothing was
///    applied), or outcome unknown. A conflict is never our own success.
/// 5. *Versions.* Every write has one. Where
///    [`Capabilities::versions`] says `Unique`, a version never returns.
/// 6. *Order.* `list` is in byte order of the key.
/// 7. *Names.* `a` and `a/b` may both exist; keys are exact bytes.
///
/// # Cancellation
/// Dropping a future of a write leaves its outcome unknown: it may have been
/// applied, or be applied later. Nothing else is affected.
///
/// # Examples
/// ```
/// use ifmatch_core::{BlobKey, ConditionalBlobStore, Env, MemoryBlobStore, Precondition};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = MemoryBlobStore::new(Env::real());
/// let key = BlobKey::new("counter")?;
/// let first = store.put(&key, "1".into(), Precondition::IfAbsent).await?;
/// store.put(&key, "2".into(), Precondition::IfMatch(first.version.clone())).await?;
/// let late = store.put(&key, "3".into(), Precondition::IfMatch(first.version)).await;
/// assert_eq!(late.unwrap_err().kind(), "conflict");
/// # Ok::<(), ifmatch_core::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait ConditionalBlobStore: std::fmt::Debug + std::fmt::Display + Send + Sync {
    /// Reads a blob.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) where `if_match` does not hold;
    /// [`Invalid`](crate::Error::Invalid) for a range outside the body;
    /// [`Corrupt`](crate::Error::Corrupt), [`Denied`](crate::Error::Denied),
    /// [`Unavailable`](crate::Error::Unavailable). A missing blob is
    /// [`Fetched::Absent`], a missing bucket [`NotFound`](crate::Error::NotFound).
    ///
    /// # Cost
    /// One request while nothing fails; no body where it is not modified.
    async fn get(&self, key: &BlobKey, options: GetOptions) -> Result<Fetched>;

    /// Reads what is known of a blob without its body.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// # Cost
    /// One request while nothing fails.
    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>>;

    /// Sends one write request: no retry, no read-back. For engines with an
    /// outcome rule of their own; everyone else wants [`put`](Self::put).
    ///
    /// `write` is left in the object beside the body, with what it replaced.
    ///
    /// # Atomicity
    /// All of the body or nothing.
    ///
    /// # Cost
    /// One request.
    async fn attempt_put(
        &self,
        key: &BlobKey,
        body: Bytes,
        precondition: &Precondition,
        write: WriteId,
    ) -> Attempt<Stored>;

    /// Writes a blob if the precondition holds, and finds out what happened.
    ///
    /// # Atomicity
    /// All of the body or nothing.
    ///
    /// # Consistency
    /// The answer is true: applied, [`Conflict`](crate::Error::Conflict) or
    /// [`OutcomeUnknown`](crate::Error::OutcomeUnknown). Every failure, a
    /// "precondition failed" included, is only a hint and is resolved by
    /// reading back which write the object carries. Left open:
    /// - one request that the network delivers twice *and* whose effect is
    ///   overwritten before the read-back;
    /// - under `IfAbsent`, an object that we created, somebody deleted and
    ///   somebody created anew in between;
    /// - where versions are hashes of bodies, an object that holds the old
    ///   bytes again after our write and is then replaced by a writer that still
    ///   held the old version: bodies with a nonce cannot be restored;
    /// - a request that is still under way lands when its precondition comes to
    ///   hold again (`IfAbsent` after a deletion, restored bytes): names and
    ///   bodies that never return are out of its reach.
    ///
    /// # Errors
    /// - `Conflict`: nothing was applied.
    /// - `OutcomeUnknown`: it may have been applied, or may be later.
    /// - everything else: nothing was applied.
    ///
    /// # Cancellation
    /// The outcome is unknown.
    ///
    /// # Cost
    /// One request while nothing fails; one more for each failure.
    async fn put(&self, key: &BlobKey, body: Bytes, precondition: Precondition) -> Result<Stored> {
        put_resolved(self, key, body, precondition, None).await
    }

    /// Sends one delete request: no retry, no read-back.
    ///
    /// A blob that is not there is deleted already under `Overwrite`.
    async fn attempt_delete(&self, key: &BlobKey, precondition: &Precondition) -> Attempt<Deleted>;

    /// Deletes a blob if the precondition holds, and finds out what happened.
    ///
    /// # Errors
    /// As [`put`](Self::put); [`Invalid`](crate::Error::Invalid) under
    /// `IfAbsent`. A lost answer to a delete under `IfMatch` whose blob is gone
    /// afterwards is `OutcomeUnknown`: nobody signs a deletion. For the same
    /// reason one request that the network delivers twice is left open: its
    /// second answer makes it a conflict with an absent blob.
    ///
    /// # Cost
    /// One request while nothing fails; one more for each failure.
    async fn delete(&self, key: &BlobKey, precondition: Precondition) -> Result<()> {
        delete_resolved(self, key, precondition).await
    }

    /// Lists the blobs below a prefix, in byte order of the key, those after
    /// `start_after` only.
    ///
    /// # Consistency
    /// A blob that is there from before the first page until after the last is
    /// listed once. Nothing is promised of blobs written or deleted meanwhile.
    ///
    /// # Cost
    /// One request per page (1,000 blobs on the clouds).
    fn list(
        &self,
        prefix: &BlobPrefix,
        start_after: Option<&BlobKey>,
    ) -> BoxStream<'_, Result<BlobInfo>>;

    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// Where this store is reached, without a path and without a secret.
    fn endpoint(&self) -> Endpoint;

    /// Clock, sleep and randomness of this store.
    fn env(&self) -> &Env;

    /// How long and how often `put` and `delete` try.
    fn retry_policy(&self) -> RetryPolicy;

    /// Whether and when this handle wants its store probed, and what the probe
    /// said. `None`: nobody asked for one through this handle.
    fn probe_gate(&self) -> Option<&ProbeGate>;
}
