//! Reading a partition.

use std::ops::Bound;
use std::sync::Arc;

use ifmatch_journal::{Freshness, Position, Snapshot};

use super::failure::failure;
use super::handle::Handle;
use super::machine::{Documents, Kept, State};
use super::marks;
use super::store::Inner;
use crate::audit::{AuditPosition, AuditRecord};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::key::{DocKey, Partition};
use crate::scan::{Direction, Page, ScanOptions, ScanToken};

/// A partition at one commit.
pub(super) struct View {
    pub(super) handle: Arc<Handle>,
    pub(super) snapshot: Snapshot<Documents>,
}

impl Inner {
    /// The partition as fresh as the options want it; `None` where there is none.
    pub(super) async fn view(&self, partition: &Partition) -> Result<Option<View>> {
        self.view_as(partition, self.freshness()).await
    }

    pub(super) async fn view_as(
        &self,
        partition: &Partition,
        freshness: Freshness,
    ) -> Result<Option<View>> {
        let Some(opened) = self.cache.open(partition, false).await? else { return Ok(None) };
        // What was opened a moment ago is fresh.
        let freshness = if opened.now { Freshness::Cached } else { freshness };
        let read = opened.handle.read(freshness, &self.env).await;
        let snapshot = read.map_err(|error| failure(error, || self.subject()))?;
        Ok(Some(View { handle: opened.handle, snapshot }))
    }

    pub(super) async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        let view = Box::pin(self.view(&key.partition)).await?;
        Ok(view.and_then(|view| view.snapshot.state().document(&key.id).cloned()))
    }

    pub(super) async fn scan(&self, partition: &Partition, options: &ScanOptions) -> Result<Page> {
        let range = options.remaining()?;
        let view = Box::pin(self.view(partition)).await?;
        let nothing = State::default();
        let state = view.as_ref().map_or(&nothing, |view| view.snapshot.state());
        let mark = marks::mark(self.id, state.digest());
        let (mut documents, mut bytes, mut next): (Vec<Document>, _, _) = (Vec::new(), 0, None);
        for kept in documents_in(state, range, options.direction) {
            if kept.document.key.id.is_reserved() && !options.with_reserved {
                continue;
            }
            if let Some(last) = documents.last()
                && (documents.len() >= options.limit || bytes >= ScanOptions::PAGE_BYTES)
            {
                next = Some(ScanToken::new(options.direction, last.key.id.clone()));
                break;
            }
            bytes += kept.document.body.len();
            documents.push(kept.document.clone());
        }
        if let Some(fields) = &options.fields {
            let projected = documents.into_iter().map(|document| fields.document(document));
            documents = projected.collect::<Result<_>>()?;
        }
        Ok(Page { documents, next, mark })
    }

    pub(super) async fn audit(
        &self,
        partition: &Partition,
        after: Option<AuditPosition>,
        limit: usize,
    ) -> Result<Vec<AuditRecord>> {
        if !self.options.audit {
            return Err(Error::unsupported("a record of changes: open the store with audit"));
        }
        let Some(view) = Box::pin(self.view(partition)).await? else { return Ok(Vec::new()) };
        let state = view.snapshot.state();
        if let Some(after) = after.filter(|after| after.position < state.floor()) {
            let (at, floor) = (after.position, state.floor());
            let what = format!("the record of {partition} begins after {floor}, not at {at}");
            return Err(Error::TokenExpired { what: what.into() });
        }
        let after = after.map(|at| Position { seq: at.position, ordinal: at.ordinal });
        Ok(state.audit(after).take(limit).cloned().collect())
    }
}

/// The documents of a range of ids, in an order.
pub(super) fn documents_in<'a>(
    state: &'a State,
    (lower, upper): (Bound<&'a str>, Bound<&'a str>),
    direction: Direction,
) -> Box<dyn Iterator<Item = &'a Kept> + Send + 'a> {
    let is_empty = match (lower, upper) {
        (Bound::Excluded(lower), Bound::Excluded(upper)) => lower >= upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower > upper,
        _ => false,
    };
    if is_empty {
        return Box::new(std::iter::empty());
    }
    let range = state.documents.range::<str, _>((lower, upper));
    match direction {
        Direction::Ascending => Box::new(range.map(|(_, kept)| kept)),
        Direction::Descending => Box::new(range.rev().map(|(_, kept)| kept)),
    }
}
