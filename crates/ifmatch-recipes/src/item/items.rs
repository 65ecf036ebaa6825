//! Reading and writing items.

use std::sync::Arc;

use ifmatch_meta::{
    DocConflict, DocId, DocKey, DocPrecondition, Document, ETag, Error, Json, MetaStore, Partition,
    WriteOptions, Written,
};
use serde::Serialize;

use super::body;
use super::error::{ConcurrencyError, DEFAULT_TEXT, ItemError, ItemResult};
use super::read::Item;

/// What a write expects of the item that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums)] // HTTP knows two.
pub enum IfMatch {
    /// It is still in the state of this tag.
    ETag(ETag),
    /// It is there, in whatever state (`If-Match: *`): the last writer wins.
    Any,
}

impl From<ETag> for IfMatch {
    fn from(etag: ETag) -> Self {
        Self::ETag(etag)
    }
}

impl From<&Item> for IfMatch {
    fn from(item: &Item) -> Self {
        Self::ETag(item.etag())
    }
}

impl From<IfMatch> for DocPrecondition {
    fn from(expected: IfMatch) -> Self {
        match expected {
            IfMatch::ETag(etag) => Self::IfMatch(etag),
            IfMatch::Any => Self::IfExists,
        }
    }
}

/// What becomes of an upsert with an ETag where there is no such item.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::exhaustive_enums)] // There are two schools.
pub enum MissingItem {
    /// It is a conflict: a missing item matches no tag (RFC 9110 13.1.1).
    #[default]
    Conflict,
    /// It is created, as Cosmos DB does. An item that somebody deleted comes
    /// back.
    Create,
}

/// The items of a store. Cheap to clone.
///
/// # Examples
/// ```
/// use std::sync::Arc;
///
/// use ifmatch_core::Env;
/// use ifmatch_meta::{MemoryMetaStore, Partition};
/// use ifmatch_recipes::item::Items;
/// use serde_json::json;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
///
/// let items = Items::new(Arc::new(MemoryMetaStore::new(Env::real())));
/// let teams = Partition::new("teams")?;
/// let created = items.create_item(&teams, &json!({"id": "a", "name": "A"})).await?;
///
/// let mine = json!({"id": "a", "name": "mine"});
/// let (_, replaced) = items.try_upsert(&teams, &mine, Some(created.etag())).await?;
/// assert!(replaced);
///
/// let late = json!({"id": "a", "name": "late"});
/// let refused = items.try_upsert(&teams, &late, Some(created.etag())).await.unwrap_err();
/// assert_eq!(refused.to_string(), "Concurrency problem detected");
/// assert_eq!(refused.status(), 412);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Items {
    pub(super) store: Arc<dyn MetaStore>,
    text: Arc<str>,
    missing: MissingItem,
    pub(super) write: WriteOptions,
}

impl Items {
    /// The items of this store.
    pub fn new(store: Arc<dyn MetaStore>) -> Self {
        let write = WriteOptions::default().return_document();
        Self { store, text: DEFAULT_TEXT.into(), missing: MissingItem::default(), write }
    }

    /// The same with another text for [`ConcurrencyError`].
    pub fn conflict_text(mut self, text: impl Into<Arc<str>>) -> Self {
        self.text = text.into();
        self
    }

    /// The same with another answer to an upsert with an ETag of an item that is
    /// not there.
    pub fn missing_item(mut self, missing: MissingItem) -> Self {
        self.missing = missing;
        self
    }

    /// The same, writing in this name ([`Document::updated_by`], and the audit).
    pub fn author(mut self, author: impl Into<Arc<str>>) -> Self {
        self.write = self.write.author(author);
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn MetaStore> {
        &self.store
    }

    /// Reads an item with its ETag; `None` where there is none.
    ///
    /// # Errors
    /// As [`MetaStore::get`]; `Invalid` for what is no id.
    pub async fn read_item(&self, id: &str, partition: &Partition) -> ItemResult<Option<Item>> {
        let key = key(partition, DocId::new(id)?);
        Ok(self.store.get(&key).await?.map(Item::from))
    }

    /// The ETag of an item; `None` where the id is empty or there is no such
    /// item.
    ///
    /// # Errors
    /// As [`read_item`](Self::read_item).
    pub async fn item_etag(&self, id: &str, partition: &Partition) -> ItemResult<Option<ETag>> {
        if id.is_empty() {
            return Ok(None);
        }
        Ok(self.read_item(id, partition).await?.map(|item| item.etag()))
    }

    /// Creates an item.
    ///
    /// # Errors
    /// `Store(Conflict)` (status 409) where it is there; `Invalid` for what is no
    /// object with an `id`; else as [`MetaStore::put`].
    pub async fn create_item<T: Serialize + Sync + ?Sized>(
        &self,
        partition: &Partition,
        item: &T,
    ) -> ItemResult<Item> {
        Ok(self.put(partition, item, DocPrecondition::IfAbsent).await?.0)
    }

    /// Replaces an item that is there.
    ///
    /// # Errors
    /// [`Concurrency`](ItemError::Concurrency) where the ETag does not match, a
    /// missing item included; under [`IfMatch::Any`] a missing item is
    /// `Store(Conflict)` (status 404); else as
    /// [`create_item`](Self::create_item).
    pub async fn replace_item<T: Serialize + Sync + ?Sized>(
        &self,
        partition: &Partition,
        item: &T,
        if_match: impl Into<IfMatch> + Send,
    ) -> ItemResult<Item> {
        let expected = if_match.into().into();
        Ok(self.put(partition, item, expected).await?.0)
    }

    /// Writes an item, whatever is there: the last writer wins. Says whether
    /// there was one.
    ///
    /// # Errors
    /// As [`create_item`](Self::create_item), never a conflict.
    pub async fn upsert_item<T: Serialize + Sync + ?Sized>(
        &self,
        partition: &Partition,
        item: &T,
    ) -> ItemResult<(Item, bool)> {
        self.put(partition, item, DocPrecondition::Overwrite).await
    }

    /// Writes an item if it is still in the state of `etag`; without one,
    /// whatever is there. Says whether it replaced one.
    ///
    /// With a tag of an item that is not there it is a conflict, or, if asked for
    /// ([`MissingItem::Create`]), created.
    ///
    /// # Errors
    /// As [`replace_item`](Self::replace_item).
    ///
    /// # Cost
    /// One write; where a missing item is created, two.
    pub async fn try_upsert<T: Serialize + Sync + ?Sized>(
        &self,
        partition: &Partition,
        item: &T,
        etag: Option<ETag>,
    ) -> ItemResult<(Item, bool)> {
        let (id, body) = body::written(item, self.store.limits().document)?;
        self.upsert(key(partition, id), body, etag).await
    }

    /// Deletes an item that is there.
    ///
    /// # Errors
    /// As [`replace_item`](Self::replace_item).
    pub async fn delete_item(
        &self,
        id: &str,
        partition: &Partition,
        if_match: impl Into<IfMatch> + Send,
    ) -> ItemResult<()> {
        let key = key(partition, DocId::new(id)?);
        let expected = if_match.into().into();
        let deleted = self.store.delete_with(&key, expected, self.write.clone()).await;
        deleted.map(|_| ()).map_err(|error| self.failed(error))
    }

    /// Changes members of an item that is there (JSON merge patch, RFC 7396:
    /// members of the patch replace those of the item, `null` removes).
    ///
    /// # Errors
    /// As [`replace_item`](Self::replace_item); `Invalid` for a patch that
    /// changes the id.
    pub async fn patch_item<T: Serialize + Sync + ?Sized>(
        &self,
        id: &str,
        partition: &Partition,
        patch: &T,
        if_match: impl Into<IfMatch> + Send,
    ) -> ItemResult<Item> {
        let key = key(partition, DocId::new(id)?);
        let patch = body::patch(patch, &key.id, self.store.limits().document)?;
        let expected = if_match.into().into();
        let written = self.store.patch(&key, patch, expected, self.write.clone()).await;
        Ok(self.answer(written)?.0)
    }

    async fn put<T: Serialize + Sync + ?Sized>(
        &self,
        partition: &Partition,
        item: &T,
        expected: DocPrecondition,
    ) -> ItemResult<(Item, bool)> {
        let (id, body) = body::written(item, self.store.limits().document)?;
        let key = key(partition, id);
        let written = self.store.put_with(&key, body, expected, self.write.clone()).await;
        self.answer(written)
    }

    async fn upsert(
        &self,
        key: DocKey,
        body: Json,
        etag: Option<ETag>,
    ) -> ItemResult<(Item, bool)> {
        let expected = etag.map_or(DocPrecondition::Overwrite, DocPrecondition::IfMatch);
        let put = |expected| self.store.put_with(&key, body.clone(), expected, self.write.clone());
        let mut written = put(expected.clone()).await;
        let absent = |error: &Error| error.conflict().is_some_and(|c| c.current.is_none());
        if self.missing == MissingItem::Create && written.as_ref().is_err_and(absent) {
            // A tag never comes back, so whoever creates the item in between
            // makes this a conflict of the tag.
            written = put(DocPrecondition::IfAbsent).await.map_err(|error| match error {
                Error::Conflict(conflict) => {
                    Error::Conflict(Box::new(DocConflict { expected, ..*conflict }))
                }
                error => error,
            });
        }
        self.answer(written)
    }

    pub(super) fn answer(&self, written: Result<Written, Error>) -> ItemResult<(Item, bool)> {
        let written = written.map_err(|error| self.failed(error))?;
        let replaced = !written.created;
        let document: Option<Document> = written.document.map(|document| *document);
        let document = document.ok_or_else(|| self.no_document())?;
        Ok((Item::from(document), replaced))
    }

    pub(super) fn no_document(&self) -> Error {
        Error::corrupt(self.store.to_string(), "a write that answers no document")
    }

    fn failed(&self, error: Error) -> ItemError {
        let expected = error.conflict().map(|conflict| &conflict.expected);
        if matches!(expected, Some(DocPrecondition::IfMatch(_))) {
            return self.concurrency(error);
        }
        error.into()
    }

    /// The error of a loop that lost again and again, whoever was faster.
    pub(super) fn gave_up(&self, error: Error) -> ItemError {
        if error.conflict().is_some() { self.concurrency(error) } else { error.into() }
    }

    fn concurrency(&self, error: Error) -> ItemError {
        ConcurrencyError::new(self.text.clone(), error).into()
    }
}

pub(super) fn key(partition: &Partition, id: DocId) -> DocKey {
    DocKey { partition: partition.clone(), id }
}
