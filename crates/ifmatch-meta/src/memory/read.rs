//! Scans, on snapshots.

use std::ops::Bound;
use std::sync::Arc;

use super::documents::Snapshot;
use super::partition::Record;
use super::state::State;
use crate::document::Document;
use crate::error::Result;
use crate::key::Partition;
use crate::mark::Mark;
use crate::scan::{Direction, Page, ScanOptions, ScanToken};

impl State {
    /// The documents of a partition as they are now.
    pub(super) fn documents(&self, partition: &Partition) -> Snapshot {
        self.partitions.get(partition).map(|state| state.documents.snapshot()).unwrap_or_default()
    }

    /// Those of every partition that is not ours, in order.
    pub(super) fn all_documents(&self) -> Vec<(Partition, Snapshot)> {
        let visible = self.partitions.iter().filter(|(_, state)| state.visible > 0);
        let visible = visible.filter(|(name, _)| !name.is_reserved());
        visible.map(|(name, state)| (name.clone(), state.documents.snapshot())).collect()
    }

    /// The names of partitions that hold documents which are not ours.
    pub(super) fn partitions(&self, after: Option<&Partition>, limit: usize) -> Vec<Partition> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.partitions
            .range::<Partition, _>((after, Bound::Unbounded))
            .filter(|(name, state)| !name.is_reserved() && state.visible > 0)
            .map(|(name, _)| name.clone())
            .take(limit.max(1))
            .collect()
    }
}

/// One page of a snapshot.
pub(super) fn page(documents: &Snapshot, options: &ScanOptions, mark: Mark) -> Result<Page> {
    let range = options.remaining()?;
    if is_empty(&range) {
        return Ok(Page { documents: Vec::new(), next: None, mark }); // A map panics on it.
    }
    let range = documents.range(range);
    match options.direction {
        Direction::Ascending => fill(range, options, mark),
        Direction::Descending => fill(range.rev(), options, mark),
    }
}

/// Whether no id can lie between these bounds.
fn is_empty((lower, upper): &(Bound<&str>, Bound<&str>)) -> bool {
    match (lower, upper) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
        (
            Bound::Included(lower) | Bound::Excluded(lower),
            Bound::Included(upper) | Bound::Excluded(upper),
        ) => lower >= upper,
    }
}

fn fill<'a>(
    range: impl Iterator<Item = &'a Arc<Record>>,
    options: &ScanOptions,
    mark: Mark,
) -> Result<Page> {
    let limit = options.limit.max(1);
    let mut documents: Vec<Document> = Vec::new();
    let mut bytes = 0;
    for record in range {
        if record.document.key.id.is_reserved() && !options.with_reserved {
            continue;
        }
        if let Some(last) = documents.last()
            && (documents.len() == limit || bytes >= ScanOptions::PAGE_BYTES)
        {
            let next = Some(ScanToken::new(options.direction, last.key.id.clone()));
            return Ok(Page { documents, next, mark });
        }
        bytes += record.document.body.len();
        let document = record.document.clone();
        documents.push(match &options.fields {
            Some(fields) => fields.document(document)?,
            None => document,
        });
    }
    Ok(Page { documents, next: None, mark })
}
