//! Writing values.

use ifmatch_core::RetryPolicy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Collection, Entry};
use crate::document::Document;
use crate::drain::{DrainError, DrainOptions, Drained, drain};
use crate::error::{Error, Result};
use crate::etag::ETag;
use crate::json::Json;
use crate::key::DocId;
use crate::ops::{Applied, Deleted, Op, Written};
use crate::precondition::DocPrecondition;
use crate::update::{Edit, UpdateError, Updated, update};

impl<T: Serialize> Collection<T> {
    /// Writes a value if the precondition holds.
    ///
    /// # Errors
    /// As [`MetaStore::put`](crate::MetaStore::put); `Invalid` where the value
    /// cannot be written as JSON.
    pub async fn put(&self, id: &DocId, value: &T, pre: DocPrecondition) -> Result<Written> {
        self.store.put_with(&self.key(id), self.json(value)?, pre, self.options.clone()).await
    }

    /// Writes a value under a new id, which the store makes.
    ///
    /// # Errors
    /// As [`MetaStore::insert`](crate::MetaStore::insert), and as
    /// [`put`](Self::put).
    pub async fn insert(&self, value: &T) -> Result<(DocId, Written)> {
        self.store.insert(&self.partition, self.json(value)?, self.options.clone()).await
    }

    /// Writes a value where there is none.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn create(&self, id: &DocId, value: &T) -> Result<Written> {
        self.put(id, value, DocPrecondition::IfAbsent).await
    }

    /// Writes a value in the place of the state of this tag.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn replace(&self, id: &DocId, etag: ETag, value: &T) -> Result<Written> {
        self.put(id, value, DocPrecondition::IfMatch(etag)).await
    }

    /// Writes many values, each if the precondition holds for it, in one commit.
    ///
    /// # Errors
    /// As [`MetaStore::batch`](crate::MetaStore::batch): nothing was applied, or
    /// with `OutcomeUnknown` perhaps all.
    pub async fn put_all<'a>(
        &self,
        values: impl IntoIterator<Item = (DocId, &'a T)>,
        pre: DocPrecondition,
    ) -> Result<Vec<Written>>
    where
        T: 'a,
    {
        let put = |(id, value)| Ok(Op::put(id, self.json(value)?, pre.clone()));
        let ops = values.into_iter().map(put).collect::<Result<Vec<_>>>()?;
        let applied = self.store.batch_with(&self.partition, ops, self.options.clone()).await?;
        let written = |applied| match applied {
            Applied::Written(written) => Ok(written),
            _ => Err(Error::corrupt(self.store.to_string(), "a put that answers no write")),
        };
        applied.into_iter().map(written).collect()
    }

    fn json(&self, value: &T) -> Result<Json> {
        let text = serde_json::to_vec(value)
            .map_err(|error| Error::invalid(format!("a document: {error}")))?;
        Json::with_limit(text, self.store.limits().document)
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// Changes a value by a function of what is there, as [`update()`] does.
    ///
    /// # Errors
    /// As [`update()`]; `Store` with `Invalid` where what is there does not fit.
    ///
    /// # Cost
    /// As [`update()`].
    pub async fn update<E, F>(
        &self,
        id: &DocId,
        policy: RetryPolicy,
        mut edit: F,
    ) -> Result<Updated, UpdateError<E>>
    where
        E: Send,
        F: FnMut(Option<Entry<T>>) -> Result<Edit<T>, E> + Send,
    {
        let mut attempts = 0;
        // Errors of ours within the function are kept apart from those of `edit`.
        let edit = |current: Option<&Document>| {
            attempts += 1;
            let current = current.cloned().map(Entry::of).transpose().map_err(Err)?;
            Ok(match edit(current).map_err(Ok)? {
                Edit::Put(value) => Edit::Put(self.json(&value).map_err(Err)?),
                Edit::Delete => Edit::Delete,
                Edit::Keep => Edit::Keep,
            })
        };
        let key = self.key(id);
        let updated = update(&*self.store, &key, policy, self.options.clone(), edit).await;
        updated.map_err(|error| match error {
            UpdateError::Refused(Ok(error)) => UpdateError::Refused(error),
            UpdateError::Refused(Err(error)) => UpdateError::Store { error, attempts },
            UpdateError::Store { error, attempts } => UpdateError::Store { error, attempts },
        })
    }
}

impl<T> Collection<T> {
    /// Deletes a value if the precondition holds.
    ///
    /// # Errors
    /// As [`MetaStore::delete`](crate::MetaStore::delete).
    pub async fn delete(&self, id: &DocId, pre: DocPrecondition) -> Result<Deleted> {
        self.store.delete_with(&self.key(id), pre, self.options.clone()).await
    }

    /// Takes all documents out, as [`drain()`] does.
    ///
    /// # Errors
    /// As [`drain()`].
    pub async fn drain<E, F, R>(
        &self,
        mut options: DrainOptions,
        take: F,
    ) -> Result<Drained, DrainError<E>>
    where
        E: Send,
        F: FnMut(Vec<Document>) -> R + Send,
        R: Future<Output = Result<(), E>> + Send,
    {
        options.write.author = options.write.author.or_else(|| self.options.author.clone());
        drain(&*self.store, &self.partition, options, take).await
    }
}
