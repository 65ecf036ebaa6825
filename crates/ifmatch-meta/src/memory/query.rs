//! Queries, on snapshots.

use std::ops::{Bound, ControlFlow};

use super::documents::Snapshot as Documents;
use super::state::State;
use crate::document::Document;
use crate::error::Result;
use crate::key::{DocKey, Partition};
use crate::mark::Mark;
use crate::query::{AggregateRow, Aggregation, Filter, Given, Query, QueryPage};
use crate::scan::Scope;

/// After so many documents others get a turn.
const TURN: usize = 1_024;

/// The documents of a scope as they were at one moment.
pub(super) struct Snapshot {
    scope: Scope,
    partitions: Vec<(Partition, Documents)>,
    mark: Option<Mark>,
}

impl State {
    pub(super) fn snapshot(&self, store: u128, scope: &Scope) -> Snapshot {
        let (partitions, mark) = match scope {
            Scope::All => (self.all_documents(), None),
            Scope::Partition(partition) => {
                let mark = self.mark(store, partition);
                (vec![(partition.clone(), self.documents(partition))], Some(mark))
            }
        };
        Snapshot { scope: scope.clone(), partitions, mark }
    }
}

impl Snapshot {
    pub(super) async fn count(&self, filter: &Filter) -> Result<u64> {
        let filter = filter.prepare()?;
        let mut count = 0;
        self.each(None, |document| {
            let counts = self.scope.holds(&document.key) && filter.matches(document)?;
            count += u64::from(counts);
            Ok(ControlFlow::Continue(()))
        })
        .await?;
        Ok(count)
    }

    pub(super) async fn query(&self, query: &Query) -> Result<QueryPage> {
        let plan = query.plan(&self.scope)?;
        // Unsorted they come as they stand here: what was read need not be passed again.
        let (given, after) = if query.sort.is_empty() {
            (Given::InOrder, plan.after().map(|last| last.document().clone()))
        } else {
            (Given::Unordered, None)
        };
        let mut collector = plan.collector(given);
        self.each(after.as_ref(), |document| collector.push(document)).await?;
        collector.finish(self.mark.clone())
    }

    pub(super) async fn aggregate(&self, of: &Aggregation) -> Result<Vec<AggregateRow>> {
        let mut aggregator = of.aggregator(&self.scope)?;
        self.each(None, |document| aggregator.push(document).map(ControlFlow::Continue)).await?;
        aggregator.finish()
    }

    /// Hands over the documents after `after`, in order of partition and id.
    async fn each(
        &self,
        after: Option<&DocKey>,
        mut take: impl FnMut(&Document) -> Result<ControlFlow<()>> + Send,
    ) -> Result<()> {
        let mut count = 0_usize;
        for (partition, documents) in &self.partitions {
            let first = match after {
                Some(after) if after.partition > *partition => continue,
                Some(after) if after.partition == *partition => Bound::Excluded(after.id.as_str()),
                _ => Bound::Unbounded,
            };
            for record in documents.range((first, Bound::Unbounded)) {
                if take(&record.document)?.is_break() {
                    return Ok(());
                }
                count += 1;
                if count.is_multiple_of(TURN) {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }
}
