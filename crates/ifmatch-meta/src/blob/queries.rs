//! Queries: the evaluator, over documents in memory.

use super::machine::State;
use super::marks;
use super::reads::View;
use super::store::Inner;
use crate::document::Document;
use crate::error::Result;
use crate::key::Partition;
use crate::query::{self, AggregateRow, Aggregation, Filter, Given, Query, QueryPage};
use crate::scan::Scope;

impl Inner {
    pub(super) async fn count(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        if *filter == Filter::Everything {
            return match scope {
                Scope::Partition(partition) => self.shown(partition).await,
                _ => self.shown_of_all().await,
            };
        }
        filter.prepare()?;
        let mut count = 0;
        for name in self.names_in(scope).await? {
            if let Some(view) = Box::pin(self.view(&name)).await? {
                count += query::count(scope, filter, documents(&view).map(Ok))?;
            }
        }
        Ok(count)
    }

    pub(super) async fn query(&self, scope: &Scope, query: &Query) -> Result<QueryPage> {
        let given = if query.sort.is_empty() { Given::InOrder } else { Given::Unordered };
        let mut collector = query.plan(scope)?.collector(given);
        let mut mark = None;
        'full: for name in self.names_in(scope).await? {
            let view = Box::pin(self.view(&name)).await?;
            if let Scope::Partition(_) = scope {
                let digest = view.as_ref().map(|view| view.snapshot.state().digest());
                mark = Some(marks::mark(self.id, digest.unwrap_or(State::default().digest())));
            }
            for document in view.iter().flat_map(documents) {
                if collector.push(document)?.is_break() {
                    break 'full;
                }
            }
        }
        collector.finish(mark)
    }

    pub(super) async fn aggregate(
        &self,
        scope: &Scope,
        of: &Aggregation,
    ) -> Result<Vec<AggregateRow>> {
        let mut aggregator = of.aggregator(scope)?;
        for name in self.names_in(scope).await? {
            let view = Box::pin(self.view(&name)).await?;
            for document in view.iter().flat_map(documents) {
                aggregator.push(document)?;
            }
        }
        aggregator.finish()
    }

    /// The partitions of a scope, in order.
    async fn names_in(&self, scope: &Scope) -> Result<Vec<Partition>> {
        match scope {
            Scope::Partition(partition) => Ok(vec![partition.clone()]),
            _ => self.names().await,
        }
    }
}

fn documents(view: &View) -> impl Iterator<Item = &Document> {
    view.snapshot.state().documents.values().map(|kept| &kept.document)
}
