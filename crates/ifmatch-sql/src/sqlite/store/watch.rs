//! Waiting for a change.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use ifmatch_meta::{ChangeToken, MetaStore as _, Result, Scope};

use super::SqliteMetaStore;
use crate::sqlite::rows::{self, Counters};

/// How often other processes' commits are looked for.
const POLL: Duration = Duration::from_millis(100);

impl SqliteMetaStore {
    /// Waits until the scope has a change after the token. Commits of this
    /// process end the wait at once, those of others within [`POLL`].
    pub(super) async fn watch(&self, scope: &Scope, token: &ChangeToken, at_most: Duration) {
        let env = self.env();
        let end = env.now().saturating_add(at_most);
        let partition = rows::partition_of(scope);
        let Some(told) = token.position(partition) else { return };
        // In the middle of a commit, the rest of it is a change.
        let mut seen = told.seq.saturating_sub(u64::from(told.ordinal != u32::MAX));
        loop {
            let changed = self.inner.changed.notified();
            let mut changed = pin!(changed);
            changed.as_mut().enable(); // Before the look: what comes after it rings.
            match self.look(scope, seen).await {
                Ok((false, newest)) => seen = newest.max(seen),
                _ => return, // A change, or what a read will tell better.
            }
            let left = end.saturating_sub(env.now());
            if left.is_zero() {
                return;
            }
            let pause = pin!(env.sleep(left.min(POLL)));
            if let Either::Left(_) = select(changed, pause).await {}
        }
    }

    /// Whether the scope has a change after a position, and the newest commit.
    async fn look(&self, scope: &Scope, seen: u64) -> Result<(bool, u64)> {
        let read = |connection: &_| {
            let newest = Counters::read(connection)?.commits;
            let changed =
                newest > seen && rows::has_changed(connection, rows::partition_of(scope), seen)?;
            Ok((changed, newest))
        };
        self.local().read(read).await
    }
}
