//! What became of documents.

use std::time::Duration;

use ifmatch::meta::{Change, ChangeToken, MetaStore, Scope};

use super::many::scope;
use crate::arguments::Global;
use crate::commands::documents::{closing, end, line, open};
use crate::failure::Failure;
use crate::output::Output;

/// Most changes in one page.
const PAGE: u64 = 1_000;
/// How long one wait for a change takes at most.
const WAIT: Duration = Duration::from_secs(1);

pub(super) struct Changes {
    pub(super) partition: Option<String>,
    pub(super) since: Option<ChangeToken>,
    pub(super) follow: bool,
    pub(super) limit: Option<u64>,
}

pub(super) async fn changes(
    store: &str,
    what: Changes,
    global: &Global,
    output: &Output,
) -> Result<(), Failure> {
    let scope = scope(what.partition.clone())?;
    let store = open(store, false, global).await?;
    let print = async {
        let followed = follow(&*store, &scope, &what, output);
        if !what.follow {
            return followed.await;
        }
        tokio::select! {
            done = followed => done,
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    };
    closing(store.clone(), print).await
}

/// Prints pages to the end of the feed, or for ever; after them the token that
/// goes on from there.
async fn follow(
    store: &dyn MetaStore,
    scope: &Scope,
    what: &Changes,
    output: &Output,
) -> Result<(), Failure> {
    let (mut since, mut left) = (what.since.clone(), what.limit);
    loop {
        let most = usize::try_from(left.unwrap_or(PAGE).min(PAGE)).unwrap_or(1);
        let page = store.changes(scope, since.as_ref(), most).await?;
        for change in &page.changes {
            output.result(&text(change), change)?;
        }
        left = left.map(|left| left.saturating_sub(page.changes.len() as u64));
        let token = page.next;
        if page.more && left != Some(0) {
            since = Some(token);
            continue;
        }
        // While nothing changes nothing is printed.
        if !what.follow || !page.changes.is_empty() || since.is_none() {
            end(&token.to_string(), output)?;
        }
        if !what.follow {
            return Ok(());
        }
        store.wait_for_change(scope, &token, WAIT).await;
        since = Some(token);
    }
}

/// A change as a person reads it.
fn text(change: &Change) -> String {
    match change {
        Change::Written { document, position } => format!("{position}\t{}", line(document)),
        Change::Deleted { tombstone, position } => {
            format!("{position}\t{}\t{}\tdeleted", tombstone.key, tombstone.deleted_etag)
        }
    }
}
