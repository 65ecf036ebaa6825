//! Following the change feed.

use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use ifmatch_core::Retry;

use super::{ChangePage, ChangeToken};
use crate::error::Result;
use crate::scan::Scope;
use crate::store::MetaStore;

/// Most changes in one page.
const PAGE: usize = 1_000;

/// Tells what becomes of documents, from `since` on (from the beginning without
/// it), for as long as it is polled: pages of at least one change each.
///
/// Notices of the backend wake it up where there are any
/// ([`MetaStore::wait_for_change`]); they are hints, so it looks again after
/// `pace` in any case.
///
/// # Consistency
/// As [`MetaStore::changes`]: nothing is left out, and each page's `next` is
/// where another watch goes on.
///
/// # Errors
/// Those of [`MetaStore::changes`], as items. After one that passes
/// (`Retry::Same`) it goes on from where it stood, `pace` later; after any other
/// it ends.
///
/// # Cancellation
/// Dropping it loses nothing: go on from the last page's `next`.
///
/// # Cost
/// One look each time that something may have changed, and one in each `pace`.
///
/// # Examples
/// ```
/// # use std::time::Duration;
/// use futures::StreamExt;
/// use ifmatch_meta::{DocKey, DocPrecondition, Json, MemoryMetaStore, MetaStore, Scope, watch};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = MemoryMetaStore::new(ifmatch_core::Env::real());
/// store.put(&DocKey::new("p", "a")?, Json::new("1")?, DocPrecondition::IfAbsent).await?;
/// let mut pages = watch(&store, Scope::All, None, Duration::from_secs(1));
/// let page = pages.next().await.unwrap()?;
/// assert_eq!(page.changes[0].key().id.as_str(), "a");
/// # Ok::<(), ifmatch_meta::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn watch(
    store: &dyn MetaStore,
    scope: Scope,
    since: Option<ChangeToken>,
    pace: Duration,
) -> BoxStream<'_, Result<ChangePage>> {
    let watch = Watch { store, scope, since, pace, state: State::Reading };
    stream::unfold(watch, Watch::next).boxed()
}

struct Watch<'a> {
    store: &'a dyn MetaStore,
    scope: Scope,
    since: Option<ChangeToken>,
    pace: Duration,
    state: State,
}

enum State {
    Reading,
    /// The last answer was an error that passes.
    Stumbled,
    Ended,
}

impl Watch<'_> {
    async fn next(mut self) -> Option<(Result<ChangePage>, Self)> {
        match self.state {
            State::Reading => {}
            State::Stumbled => self.store.env().sleep(self.pace).await,
            State::Ended => return None,
        }
        self.state = State::Reading;
        loop {
            match self.store.changes(&self.scope, self.since.as_ref(), PAGE).await {
                Ok(page) => {
                    self.since = Some(page.next.clone());
                    if !page.changes.is_empty() {
                        return Some((Ok(page), self));
                    }
                    if !page.more {
                        self.store.wait_for_change(&self.scope, &page.next, self.pace).await;
                    }
                }
                Err(error) => {
                    let passes = error.retry() == Retry::Same;
                    self.state = if passes { State::Stumbled } else { State::Ended };
                    return Some((Err(error), self));
                }
            }
        }
    }
}
