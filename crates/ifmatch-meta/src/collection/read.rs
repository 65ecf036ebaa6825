//! Reading values.

use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;

use super::{Collection, Entries, Entry};
use crate::error::Result;
use crate::key::DocId;
use crate::query::{Filter, Query, QueryToken};
use crate::scan::{ScanOptions, ScanToken};

impl<T: DeserializeOwned> Collection<T> {
    /// Reads a value; `None` where there is none.
    ///
    /// # Errors
    /// As [`MetaStore::get`](crate::MetaStore::get); `Invalid` where it does not
    /// fit.
    pub async fn get(&self, id: &DocId) -> Result<Option<Entry<T>>> {
        self.store.get(&self.key(id)).await?.map(Entry::of).transpose()
    }

    /// One page in order of the id.
    ///
    /// # Errors
    /// As [`MetaStore::scan`](crate::MetaStore::scan); `Invalid` where a value
    /// does not fit.
    pub async fn scan(&self, options: ScanOptions) -> Result<Entries<T, ScanToken>> {
        let page = self.store.scan(&self.partition, options).await?;
        Entries::of(page.documents, page.next, Some(page.mark))
    }

    /// All values of a scan, page by page as they are asked for. A value that
    /// does not fit is an error in its place.
    pub fn entries(&self, options: ScanOptions) -> BoxStream<'_, Result<Entry<T>>> {
        let documents = self.store.documents(&self.partition, options);
        documents.map(|document| document.and_then(Entry::of)).boxed()
    }

    /// One page of those that match, in the order that the query asks for.
    ///
    /// # Errors
    /// As [`MetaStore::query`](crate::MetaStore::query); `Invalid` where a value
    /// does not fit.
    pub async fn query(&self, query: &Query) -> Result<Entries<T, QueryToken>> {
        let page = self.store.query(&self.scope(), query).await?;
        Entries::of(page.documents, page.next, page.mark)
    }
}

impl<T> Collection<T> {
    /// Whether there is such a document.
    ///
    /// # Errors
    /// As [`MetaStore::get`](crate::MetaStore::get).
    pub async fn contains(&self, id: &DocId) -> Result<bool> {
        Ok(self.store.get(&self.key(id)).await?.is_some())
    }

    /// The ids of a scan, page by page as they are asked for.
    pub fn ids(&self, options: ScanOptions) -> BoxStream<'_, Result<DocId>> {
        self.store.documents(&self.partition, options).map_ok(|document| document.key.id).boxed()
    }

    /// How many documents there are.
    ///
    /// # Errors
    /// As [`MetaStore::count`](crate::MetaStore::count).
    pub async fn count(&self) -> Result<u64> {
        self.store.count(&self.scope()).await
    }

    /// How many match.
    ///
    /// # Errors
    /// As [`MetaStore::count_where`](crate::MetaStore::count_where).
    pub async fn count_where(&self, filter: &Filter) -> Result<u64> {
        self.store.count_where(&self.scope(), filter).await
    }
}
