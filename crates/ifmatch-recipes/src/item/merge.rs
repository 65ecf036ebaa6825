//! Conflicts, resolved: read again, merge, write again.

use ifmatch_core::RetryPolicy;
use ifmatch_meta::{
    Applied, DocId, Document, ETag, Edit, Error, Json, Partition, UpdateError, update,
};
use serde::Serialize;
use serde_json::Value;

use super::body;
use super::error::{ItemError, ItemResult};
use super::items::{Items, key};
use super::read::Item;

impl Items {
    /// Changes an item by a function of what is there (`None`: nothing is), again
    /// where somebody else was faster, until it is done or `policy` gives up.
    /// Answers the item as it is then.
    ///
    /// `edit` does nothing but compute: it is called once for each attempt. What
    /// it puts carries the same `id`.
    ///
    /// # Errors
    /// What `edit` answers; [`Concurrency`](ItemError::Concurrency) where the
    /// policy gave up; else as [`ifmatch_meta::update`], `OutcomeUnknown`
    /// included.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    ///
    /// use ifmatch_core::{Env, RetryPolicy};
    /// use ifmatch_meta::{Edit, MemoryMetaStore, Partition};
    /// use ifmatch_recipes::item::{ItemError, Items};
    /// use serde_json::json;
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    ///
    /// let items = Items::new(Arc::new(MemoryMetaStore::new(Env::real())));
    /// let counters = Partition::new("counters")?;
    /// for _ in 0..3 {
    ///     let policy = RetryPolicy::new();
    ///     items.update_item("visits", &counters, policy, |item| {
    ///         let seen = match item {
    ///             Some(item) => item.value()?["seen"].as_u64().unwrap_or(0),
    ///             None => 0,
    ///         };
    ///         Ok::<_, ItemError>(Edit::Put(json!({"id": "visits", "seen": seen + 1})))
    ///     })
    ///     .await?;
    /// }
    /// let visits = items.read_item("visits", &counters).await?.unwrap();
    /// assert_eq!(visits.value()?["seen"], 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn update_item<E, F>(
        &self,
        id: &str,
        partition: &Partition,
        policy: RetryPolicy,
        mut edit: F,
    ) -> Result<Option<Item>, E>
    where
        E: From<ItemError> + Send,
        F: FnMut(Option<&Item>) -> Result<Edit<Value>, E> + Send,
    {
        let id = DocId::new(id).map_err(ItemError::Store)?;
        let mut seen = None;
        let applied = self
            .change(id.clone(), partition, policy, |current| {
                seen = current.cloned().map(Item::from);
                Ok::<_, E>(match edit(seen.as_ref())? {
                    Edit::Put(item) => Edit::Put(self.body(&item, &id)?),
                    Edit::Delete => Edit::Delete,
                    Edit::Keep => Edit::Keep,
                })
            })
            .await?;
        Ok(match applied {
            Applied::Written(written) => Some(self.answer(Ok(written))?.0),
            Applied::Deleted(_) => None,
            _ => seen, // It was kept.
        })
    }

    /// Writes an item that was made from the state `base` (`None`: from nothing);
    /// where something else is there, what `merge` makes of the two: the item to
    /// write, and the one that is there (`None`: it was deleted). Again until it
    /// is done or `policy` gives up. Says whether it replaced one.
    ///
    /// # Errors
    /// What `merge` answers; else as [`update_item`](Self::update_item).
    pub async fn upsert_merged<T, E, F>(
        &self,
        partition: &Partition,
        item: &T,
        base: Option<ETag>,
        policy: RetryPolicy,
        mut merge: F,
    ) -> Result<(Item, bool), E>
    where
        T: Serialize + Sync + ?Sized,
        E: From<ItemError> + Send,
        F: FnMut(&Value, Option<&Item>) -> Result<Value, E> + Send,
    {
        let (id, mine) = self.written(item)?;
        let value = mine.value().map_err(ItemError::Store)?;
        let applied = self
            .change(id.clone(), partition, policy, |current| {
                if current.map(|document| document.etag) == base {
                    return Ok::<_, E>(Edit::Put(mine.clone()));
                }
                let theirs = current.cloned().map(Item::from);
                let merged = merge(value, theirs.as_ref())?;
                Ok(Edit::Put(self.body(&merged, &id)?))
            })
            .await?;
        match applied {
            Applied::Written(written) => Ok(self.answer(Ok(written))?),
            _ => Err(ItemError::from(self.no_document()).into()),
        }
    }

    async fn change<E, F>(
        &self,
        id: DocId,
        partition: &Partition,
        policy: RetryPolicy,
        edit: F,
    ) -> Result<Applied, E>
    where
        E: From<ItemError> + Send,
        F: FnMut(Option<&Document>) -> Result<Edit, E> + Send,
    {
        let key = key(partition, id);
        match update(&*self.store, &key, policy, self.write.clone(), edit).await {
            Ok(updated) => Ok(updated.applied),
            Err(UpdateError::Refused(error)) => Err(error),
            Err(UpdateError::Store { error, .. }) => Err(self.gave_up(error).into()),
        }
    }

    /// The body of an item that must have this id.
    fn body(&self, item: &Value, id: &DocId) -> ItemResult<Json> {
        let (named, body) = self.written(item)?;
        if named != *id {
            return Err(Error::invalid(format!("item {id} is not to become item {named}")).into());
        }
        Ok(body)
    }

    fn written<T: Serialize + ?Sized>(&self, item: &T) -> ItemResult<(DocId, Json)> {
        Ok(body::written(item, self.store.limits().document)?)
    }
}
