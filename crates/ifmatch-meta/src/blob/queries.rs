//! Queries: the evaluator, over documents in memory.

use super::store::Inner;
use crate::error::{Error, Result};
use crate::query::{AggregateRow, Aggregation, Filter, Query, QueryPage};
use crate::scan::Scope;

impl Inner {
    pub(super) async fn count(&self, scope: &Scope, filter: &Filter) -> Result<u64> {
        if *filter != Filter::Everything {
            return Err(Error::unsupported("queries"));
        }
        match scope {
            Scope::Partition(partition) => self.shown(partition).await,
            _ => self.shown_of_all().await,
        }
    }

    pub(super) async fn query(&self, _scope: &Scope, _query: &Query) -> Result<QueryPage> {
        Err(Error::unsupported("queries"))
    }

    pub(super) async fn aggregate(
        &self,
        _scope: &Scope,
        _of: &Aggregation,
    ) -> Result<Vec<AggregateRow>> {
        Err(Error::unsupported("queries"))
    }
}
