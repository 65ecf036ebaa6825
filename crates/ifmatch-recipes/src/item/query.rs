//! Finding items.

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use ifmatch_meta::{Query, QueryToken, Scope};

use super::error::{ItemError, ItemResult};
use super::items::Items;
use super::read::Item;

/// One page of a query.
#[derive(Clone, PartialEq, Debug)]
pub struct ItemPage {
    /// The items, in the order that was asked for.
    pub items: Vec<Item>,
    /// What follows, where there is more ([`Query::after`]).
    pub next: Option<QueryToken>,
}

impl Items {
    /// One page of the items that match, of one partition or of all.
    ///
    /// `_etag` and `_ts` are no members here: the fields `@etag` and
    /// `@updated_at` stand for them.
    ///
    /// # Errors
    /// As [`MetaStore::query`](ifmatch_meta::MetaStore::query).
    pub async fn query_items(&self, scope: &Scope, query: &Query) -> ItemResult<ItemPage> {
        let page = self.store.query(scope, query).await?;
        let items = page.documents.into_iter().map(Item::from).collect();
        Ok(ItemPage { items, next: page.next })
    }

    /// All items that match, page by page as they are asked for.
    ///
    /// # Consistency
    /// Each page is the state at a moment of its own; concurrent writes never end
    /// it with an error.
    pub fn query_all(&self, scope: &Scope, query: Query) -> BoxStream<'_, ItemResult<Item>> {
        let scope = scope.clone();
        stream::try_unfold(Some(query), move |query| {
            let scope = scope.clone();
            async move {
                let Some(mut query) = query else { return Ok::<_, ItemError>(None) };
                let page = self.query_items(&scope, &query).await?;
                (query.offset, query.after) = (0, page.next);
                let next = query.after.is_some().then_some(query);
                Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
            }
        })
        .try_flatten()
        .boxed()
    }
}
