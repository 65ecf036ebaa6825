//! Items as they are read.

use ifmatch_meta::{Document, ETag, Partition, Result};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::body::{ETAG, TIME};

/// An item as it was at one moment.
///
/// Serialises as its [`value`](Self::value).
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    document: Document,
}

impl Item {
    /// Its id.
    pub fn id(&self) -> &str {
        self.document.key.id.as_str()
    }

    /// Its partition.
    pub const fn partition(&self) -> &Partition {
        &self.document.key.partition
    }

    /// The tag of this state.
    pub const fn etag(&self) -> ETag {
        self.document.etag
    }

    /// When this state was written, in whole seconds since 1970, by its writer's
    /// clock. Informational.
    pub const fn ts(&self) -> i64 {
        self.document.updated_at.as_micros().div_euclid(1_000_000)
    }

    /// The document that the item is.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The item with `_etag` and `_ts` among its members. What others wrote
    /// into the store and is no object comes as it is.
    ///
    /// # Errors
    /// `Corrupt` for a stored body that is not JSON.
    pub fn value(&self) -> Result<Value> {
        let mut value = self.document.body.value()?.clone();
        if let Value::Object(members) = &mut value {
            members.insert(ETAG.into(), Value::from(self.document.etag.to_string()));
            members.insert(TIME.into(), Value::from(self.ts()));
        }
        Ok(value)
    }

    /// The item as a type of yours, which may have fields `_etag` and `_ts`.
    ///
    /// # Errors
    /// `Invalid` where it does not fit the type, `Corrupt` as
    /// [`value`](Self::value).
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_value(self.value()?).map_err(|error| {
            let key = &self.document.key;
            ifmatch_meta::Error::invalid(format!("item {key} as another type: {error}"))
        })
    }
}

impl From<Document> for Item {
    fn from(document: Document) -> Self {
        Self { document }
    }
}

impl From<Item> for Document {
    fn from(item: Item) -> Self {
        item.document
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.value().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}
