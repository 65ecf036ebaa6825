//! The change feed.

use super::log::{Log, Placed};
use super::partition::{At, PartitionState};
use super::state::{State, all_of};
use crate::changes::{Change, ChangePage, ChangeToken, FeedPosition};
use crate::error::{Error, Result};
use crate::key::{DocKey, Partition};
use crate::scan::{ScanOptions, Scope};

/// Most changes in one page, whatever was asked for: the lock is held for one.
const MOST: usize = 10_000;

/// The partition that a scope's tokens name.
fn named(scope: &Scope) -> Option<&Partition> {
    match scope {
        Scope::Partition(partition) => Some(partition),
        Scope::All => None,
    }
}

impl State {
    /// A token of now.
    pub(super) fn token(&self, store: u128, scope: &Scope) -> ChangeToken {
        let mut token = ChangeToken::start(store);
        let now = FeedPosition { fork: 0, seq: self.newest, ordinal: u32::MAX };
        token.set(named(scope), now);
        token
    }

    /// Whether anything in the scope came after a token.
    pub(super) fn is_behind(&self, scope: &Scope, token: &ChangeToken) -> bool {
        let FeedPosition { seq, ordinal, .. } = token.position(named(scope)).unwrap_or_default();
        let after = At { position: seq, ordinal };
        match scope {
            Scope::All => self.newest > seq || self.feed.after(after).next().is_some(),
            Scope::Partition(partition) => {
                let listed = |state: &PartitionState| state.feed.after(after).next().is_some();
                self.newest_of(partition) > seq
                    || self.partitions.get(partition).is_some_and(listed)
            }
        }
    }

    /// One page of the feed.
    pub(super) fn changes(
        &self,
        store: u128,
        scope: &Scope,
        since: Option<&ChangeToken>,
        limit: usize,
    ) -> Result<ChangePage> {
        let since = self.since(store, scope, since)?;
        let after = At { position: since.seq, ordinal: since.ordinal };
        let mut page = Page::new(limit);
        match scope {
            Scope::All => page.fill_from(&self.feed, after, |key| {
                !key.partition.is_reserved() && !key.id.is_reserved()
            }),
            Scope::Partition(partition) => {
                if let Some(state) = self.partitions.get(partition) {
                    page.fill_from(&state.feed, after, |key| !key.id.is_reserved());
                }
            }
        }
        // Where it ends there is nothing up to now that was not told.
        let end = if page.more { page.last } else { all_of(self.newest) };
        let told = end.max(after);
        let fork = if told < all_of(since.fork) { since.fork } else { 0 };
        let At { position, ordinal } = told;
        let mut next = ChangeToken::start(store);
        next.set(named(scope), FeedPosition { fork, seq: position, ordinal });
        Ok(ChangePage { changes: page.changes, next, more: page.more })
    }

    /// Where reading goes on.
    ///
    /// Until a reader that began at the beginning has come to where the feed
    /// ended then, its tokens say so as `fork`: deletions before that are nothing
    /// to it, so it does not matter whether they are forgotten.
    fn since(
        &self,
        store: u128,
        scope: &Scope,
        token: Option<&ChangeToken>,
    ) -> Result<FeedPosition> {
        let Some(token) = token else { return Ok(self.begin()) };
        token.check(store, scope)?;
        let named = named(scope);
        if token.partitions().any(|(partition, _)| partition != named) {
            return Err(Error::invalid("a token of another scope's changes"));
        }
        let Some(since) = token.position(named) else { return Ok(self.begin()) };
        let heard = At { position: since.seq, ordinal: since.ordinal };
        if self.floor_of(scope) > heard.max(all_of(since.fork)) {
            let floor = self.floor_of(scope).position;
            let what = format!("deletions up to commit {floor} are no longer remembered");
            return Err(Error::TokenExpired { what: what.into() });
        }
        Ok(since)
    }

    fn begin(&self) -> FeedPosition {
        FeedPosition { fork: self.newest, ..FeedPosition::default() }
    }

    fn floor_of(&self, scope: &Scope) -> At {
        match scope {
            Scope::All => self.floor,
            Scope::Partition(partition) => {
                let state = self.partitions.get(partition);
                state.map_or(all_of(self.forgotten), |state| state.floor)
            }
        }
    }
}

/// A page as it fills.
struct Page {
    changes: Vec<Change>,
    limit: usize,
    bytes: usize,
    last: At,
    more: bool,
}

impl Page {
    fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, MOST);
        Self { changes: Vec::new(), limit, bytes: 0, last: At::default(), more: false }
    }

    /// Takes what is shown of a log after a place, until the page is full.
    fn fill_from<const WHICH: usize>(
        &mut self,
        feed: &Log<WHICH>,
        after: At,
        shown: impl Fn(&DocKey) -> bool,
    ) {
        for (at, placed) in feed.after(after) {
            if !shown(placed.key()) {
                continue;
            }
            if self.changes.len() >= self.limit || self.bytes >= ScanOptions::PAGE_BYTES {
                self.more = true;
                return;
            }
            let position = at.position;
            self.changes.push(match placed {
                Placed::Written(record) => {
                    self.bytes += record.document.body.len();
                    Change::Written { document: record.document.clone(), position }
                }
                Placed::Deleted(grave) => {
                    Change::Deleted { tombstone: grave.tombstone.clone(), position }
                }
            });
            self.last = at;
        }
    }
}
