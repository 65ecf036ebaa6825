//! Documents as rows.

use std::sync::Arc;

use ifmatch_core::Timestamp;
use ifmatch_meta::{DocId, DocKey, Document, ETag, Error, Json, Partition, Result, TxId};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, Row as _, Type};

use super::client::Client;

/// Reads columns by their names.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    client: &'a Client,
    row: &'a PgRow,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(client: &'a Client, row: &'a PgRow) -> Self {
        Self { client, row }
    }

    pub(super) fn column<T>(&self, name: &str) -> Result<T>
    where
        T: Decode<'a, Postgres> + Type<Postgres>,
    {
        self.row.try_get(name).map_err(|error| self.client.unreadable(error))
    }

    pub(super) fn number(&self, name: &str) -> Result<u64> {
        let number: i64 = self.column(name)?;
        u64::try_from(number).map_err(|_| self.corrupt(&format!("{name} is {number}")))
    }

    pub(super) fn time(&self, name: &str) -> Result<Timestamp> {
        Ok(Timestamp::from_micros(self.column(name)?))
    }

    pub(super) fn author(&self, name: &str) -> Result<Option<Arc<str>>> {
        Ok(self.column::<Option<&str>>(name)?.map(Arc::from))
    }

    pub(super) fn etag(&self, name: &str) -> Result<Option<ETag>> {
        let text: Option<&str> = self.column(name)?;
        text.map(|text| text.parse().map_err(|_| self.corrupt(&format!("{text:?} is no etag"))))
            .transpose()
    }

    pub(super) fn there<T>(&self, name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.corrupt(&format!("{name} is null")))
    }

    pub(super) fn partition(&self) -> Result<Partition> {
        Partition::internal(self.column::<&str>("partition")?)
    }

    pub(super) fn id(&self) -> Result<DocId> {
        DocId::internal(self.column::<&str>("id")?)
    }

    pub(super) fn tx(&self, name: &str) -> Result<Option<TxId>> {
        self.column::<Option<&str>>(name)?.map(TxId::new).transpose()
    }

    /// The columns `etag`, `created_at`, `updated_at`, `updated_by`, `body`.
    pub(super) fn document(&self, key: DocKey) -> Result<Document> {
        Ok(Document {
            key,
            etag: self.there("etag", self.etag("etag")?)?,
            body: Json::stored(self.column::<String>("body")?),
            created_at: self.time("created_at")?,
            updated_at: self.time("updated_at")?,
            updated_by: self.author("updated_by")?,
        })
    }

    pub(super) fn corrupt(&self, what: &str) -> Error {
        Error::corrupt(self.client.subject.clone(), what)
    }
}
