//! The outcome rule of single blobs: what happened to a write whose answer was
//! lost, late, doubled or a lie.
//!
//! Every failure of a request is a hint. The verdict comes from the object: it
//! carries the id of the write that made it and the version that this write
//! replaced ([`WriteRecord`](crate::WriteRecord)).

use bytes::Bytes;

use super::ConditionalBlobStore;
use super::reading::Backoff;
use super::types::{Attempt, BlobInfo, Stored};
use crate::capabilities::Versions;
use crate::error::{Current, Error, Operation, OutcomeUnknown, Reason, Result, Retry};
use crate::key::BlobKey;
use crate::precondition::Precondition;
use crate::version::Version;
use crate::write_id::{Base, WriteId};

/// How often the state is read again when it contradicts a "precondition
/// failed": the read may have been stale.
const SECOND_LOOKS: u32 = 2;

/// What [`resolve_put`] found out about a write.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Resolved {
    /// It was applied and made this version.
    Applied(Stored),
    /// It was not applied, and will not be while what is there now stays (under
    /// `IfMatch` on unique versions: never).
    Never {
        /// What is there.
        current: Current,
    },
    /// Its precondition holds: it has not been applied (or, under `IfAbsent`,
    /// was deleted since); a request under way may still be.
    Open,
    /// The object does not say, or no longer.
    Forgotten,
}

/// What the object says about a write.
enum Verdict {
    Mine(Version),
    NotYet,
    Conflict(Current),
    Unclear,
}

/// One write and what is known of it so far.
struct Case<'a> {
    operation: Operation,
    key: &'a BlobKey,
    precondition: &'a Precondition,
    write: Option<WriteId>,
    versions: Versions,
    /// Some request may have been applied.
    unclear: bool,
}

/// Puts with retries and read-back: the body of
/// [`ConditionalBlobStore::put`], for a backend that wants to call it with a
/// write id of its own.
///
/// # Errors
/// As [`ConditionalBlobStore::put`].
pub async fn put_resolved<S: ConditionalBlobStore + ?Sized>(
    store: &S,
    key: &BlobKey,
    body: Bytes,
    precondition: Precondition,
    write: Option<WriteId>,
) -> Result<Stored> {
    check_put(store, key, &body, &precondition)?;
    let write = write.unwrap_or_else(|| WriteId::random(store.env()));
    let case = Case::new(store, Operation::Put, key, &precondition, Some(write));
    case.run(
        store,
        || store.attempt_put(key, body.clone(), &precondition, write),
        |version, date| Stored { version: version.with_write(Some(write)), date },
    )
    .await
}

/// Deletes with retries and read-back: the body of
/// [`ConditionalBlobStore::delete`].
///
/// # Errors
/// As [`ConditionalBlobStore::delete`].
pub async fn delete_resolved<S: ConditionalBlobStore + ?Sized>(
    store: &S,
    key: &BlobKey,
    precondition: Precondition,
) -> Result<()> {
    match &precondition {
        Precondition::IfAbsent => {
            return Err(Error::invalid(format!("delete of {key} under if-absent deletes nothing")));
        }
        Precondition::IfMatch(version) => {
            check_version(version)?;
            if !store.capabilities().delete_if_match {
                return Err(Error::unsupported(format!(
                    "{store} has no conditional delete; put a tombstone under if-match instead"
                )));
            }
        }
        Precondition::Overwrite => {}
    }
    let case = Case::new(store, Operation::Delete, key, &precondition, None);
    case.run(
        store,
        async || match store.attempt_delete(key, &precondition).await {
            Attempt::Applied(_) => Attempt::Applied(()),
            Attempt::Rejected { date } => Attempt::Rejected { date },
            Attempt::Refused(error) => Attempt::Refused(error),
            Attempt::Unknown(error) => Attempt::Unknown(error),
        },
        |_, _| (),
    )
    .await
}

/// Finds out later what happened to a put that ended in
/// [`Error::OutcomeUnknown`].
///
/// # Errors
/// [`Error::Invalid`] where `unknown` is not of a put; else as
/// [`ConditionalBlobStore::head`].
///
/// # Cost
/// One request.
pub async fn resolve_put<S: ConditionalBlobStore + ?Sized>(
    store: &S,
    unknown: &OutcomeUnknown,
) -> Result<Resolved> {
    if unknown.write.is_none() {
        return Err(Error::invalid("only a put leaves an id to ask for"));
    }
    let mut case =
        Case::new(store, unknown.operation, &unknown.key, &unknown.expected, unknown.write);
    case.unclear = true;
    let found = store.head(&unknown.key).await?;
    let date = found.as_ref().and_then(|info| info.date);
    Ok(match case.judge(found) {
        Verdict::Mine(version) => {
            Resolved::Applied(Stored { version: version.with_write(unknown.write), date })
        }
        // Nothing depends on what is there, so what is there proves nothing.
        Verdict::NotYet if unknown.expected == Precondition::Overwrite => Resolved::Forgotten,
        Verdict::NotYet => Resolved::Open,
        Verdict::Conflict(current) => Resolved::Never { current },
        Verdict::Unclear => Resolved::Forgotten,
    })
}

fn check_version(version: &Version) -> Result<()> {
    if version.is_weak() {
        return Err(Error::invalid(format!(
            "version {version} is weak and never satisfies if-match (RFC 9110 13.1.1)"
        )));
    }
    Ok(())
}

fn check_put<S: ConditionalBlobStore + ?Sized>(
    store: &S,
    key: &BlobKey,
    body: &Bytes,
    precondition: &Precondition,
) -> Result<()> {
    let can = store.capabilities();
    let supported = match precondition {
        Precondition::IfAbsent => can.put_if_absent,
        Precondition::IfMatch(version) => {
            check_version(version)?;
            can.put_if_match
        }
        Precondition::Overwrite => true,
    };
    if !supported {
        return Err(Error::unsupported(format!("{store} has no put under {precondition}")));
    }
    let size = body.len() as u64;
    if size > can.max_body {
        let subject = format!("body of {key}").into();
        return Err(Error::TooLarge { subject, size, limit: can.max_body });
    }
    Ok(())
}

impl<'a> Case<'a> {
    fn new<S: ConditionalBlobStore + ?Sized>(
        store: &S,
        operation: Operation,
        key: &'a BlobKey,
        precondition: &'a Precondition,
        write: Option<WriteId>,
    ) -> Self {
        let versions = store.capabilities().versions;
        Self { operation, key, precondition, write, versions, unclear: false }
    }

    /// Sends until the outcome is known or the policy gives up.
    async fn run<S, T, A>(
        mut self,
        store: &S,
        mut attempt: impl FnMut() -> A + Send,
        applied: impl Fn(Version, Option<crate::Timestamp>) -> T + Send,
    ) -> Result<T>
    where
        S: ConditionalBlobStore + ?Sized,
        A: Future<Output = Attempt<T>> + Send,
    {
        let mut backoff = Backoff::start(store.env(), store.retry_policy());
        loop {
            let (hint, mut looks, last) = match attempt().await {
                Attempt::Applied(done) => return Ok(done),
                Attempt::Refused(error) if !self.unclear => {
                    if error.retry() != Retry::Same {
                        return Err(error);
                    }
                    backoff.pause_after(error).await?;
                    continue;
                }
                Attempt::Refused(error) => {
                    let last = error.retry() != Retry::Same;
                    (error, 0, last)
                }
                Attempt::Rejected { .. } => (self.stale_hint(), SECOND_LOOKS, false),
                Attempt::Unknown(error) => {
                    self.unclear = true;
                    let last = is_final(&error);
                    (error, 0, last)
                }
            };
            // Read back until the object has spoken.
            loop {
                let found = match store.head(self.key).await {
                    Ok(found) => found,
                    Err(error) if error.retry() == Retry::Same => {
                        backoff.pause_after(error).await.map_err(|error| self.unknown(error))?;
                        continue;
                    }
                    Err(error) => return Err(self.unknown(error)),
                };
                let date = found.as_ref().and_then(|info| info.date);
                match self.judge(found) {
                    Verdict::Mine(version) => return Ok(applied(version, date)),
                    Verdict::Conflict(current) => {
                        return Err(Error::conflict(self.key, self.precondition.clone(), current));
                    }
                    Verdict::Unclear => return Err(self.unknown(hint)),
                    Verdict::NotYet if looks > 0 => {
                        looks -= 1;
                        let pause = self.stale_hint();
                        backoff.pause_after(pause).await.map_err(|error| self.unknown(error))?;
                    }
                    // A refusal for good after an unclear attempt: sending
                    // again is no use, and that attempt may still land.
                    Verdict::NotYet if last => return Err(self.unknown(hint)),
                    Verdict::NotYet => {
                        // A rejection that the object keeps contradicting was
                        // no verdict: a twin of it may have been applied.
                        self.unclear = true;
                        backoff.pause_after(hint).await.map_err(|error| self.unknown(error))?;
                        break;
                    }
                }
            }
        }
    }

    /// What the object that is there now says about this write.
    fn judge(&self, found: Option<BlobInfo>) -> Verdict {
        let Some(info) = found else {
            return match (self.operation, self.precondition) {
                (Operation::Delete, Precondition::Overwrite) => Verdict::Mine(Version::default()),
                (_, Precondition::IfMatch(_)) if self.unclear => Verdict::Unclear,
                (_, Precondition::IfMatch(_)) => Verdict::Conflict(Current::Absent),
                (_, Precondition::IfAbsent | Precondition::Overwrite) => Verdict::NotYet,
            };
        };
        let record = info.write.as_ref();
        let there = info.version.clone().with_write(record.map(|record| record.id));
        if self.write.is_some() && record.map(|record| record.id) == self.write {
            return Verdict::Mine(there);
        }
        let base = record.and_then(|record| record.base.as_ref());
        if let Some(Base::Version(version)) = base {
            // The next writer built on this very write.
            if self.write.is_some() && version.written_by() == self.write {
                return Verdict::Mine(version.clone());
            }
        }
        let stood_between = match (self.precondition, base) {
            (Precondition::Overwrite, _) => return Verdict::NotYet,
            (Precondition::IfMatch(expected), _) if there == *expected => {
                let proven = match self.versions {
                    Versions::Unique => true,
                    Versions::ByContent => !self.unclear || there.is_same_write(expected),
                };
                return if proven { Verdict::NotYet } else { Verdict::Unclear };
            }
            (Precondition::IfMatch(expected), Some(Base::Version(base))) => match self.versions {
                Versions::Unique => base != expected,
                Versions::ByContent => !base.is_same_write(expected),
            },
            (Precondition::IfAbsent, Some(Base::Absent)) => false,
            (Precondition::IfMatch(_) | Precondition::IfAbsent, _) => true,
        };
        if stood_between && self.unclear {
            Verdict::Unclear
        } else {
            Verdict::Conflict(Current::Present(there))
        }
    }

    fn unknown(&self, error: Error) -> Error {
        Error::OutcomeUnknown(Box::new(OutcomeUnknown {
            operation: self.operation,
            key: self.key.clone(),
            write: self.write,
            expected: self.precondition.clone(),
            source: std::sync::Arc::new(error),
        }))
    }

    fn stale_hint(&self) -> Error {
        Error::unavailable(
            self.operation,
            self.key.as_str(),
            Reason::new("the store says the precondition failed, but the blob still fulfils it"),
        )
    }
}

/// Whether sending the same again cannot help.
fn is_final(hint: &Error) -> bool {
    matches!(hint, Error::Denied { .. } | Error::NotFound { .. } | Error::TooLarge { .. })
}
