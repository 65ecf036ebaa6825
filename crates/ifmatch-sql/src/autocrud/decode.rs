//! One row becomes one document, or a reason why not.

use std::sync::Arc;

use ifmatch_meta::{DocId, DocKey, Error, Json, Partition};
use serde_json::Value;

use super::msgpack;
use super::options::AutocrudPartition;
use super::report::SkipReason;

type Result<T> = std::result::Result<T, SkipReason>;

/// The member that autocrud keeps in a column of its own, too.
const INDEXED: &str = "indexed_data";

/// What every row is decoded by.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    partition: AutocrudPartition,
    /// Largest body in bytes.
    pub(super) largest: usize,
}

impl Rules {
    pub(super) fn new(partition: &AutocrudPartition, largest: usize) -> Self {
        Self { partition: partition.clone(), largest }
    }

    /// The name and the body of a row.
    pub(super) fn decode(&self, id: &str, data: &[u8], column: &[u8]) -> Result<(DocKey, Json)> {
        let id = DocId::new(id).map_err(SkipReason::Unnamed)?;
        let body = self.with_indexed(self.body(data)?, column)?;
        let partition = self.partition(&body)?;
        Ok((DocKey { partition, id }, body))
    }

    fn body(&self, data: &[u8]) -> Result<Json> {
        let body = match Encoding::of(data) {
            Encoding::Json => Json::with_limit(data, self.largest),
            Encoding::MessagePack => {
                let text = msgpack::to_json(data, self.largest)?;
                Json::with_limit(text, self.largest)
            }
            Encoding::Pickle => return Err(SkipReason::Pickled),
            Encoding::Unknown => return Err(no_object()),
        };
        let body = body.map_err(SkipReason::NotADocument)?;
        let value = body.value().map_err(SkipReason::NotADocument)?;
        if value.is_object() { Ok(body) } else { Err(no_object()) }
    }

    /// Rows whose indexed data was written by a later migration have it in the
    /// column alone.
    fn with_indexed(&self, body: Json, column: &[u8]) -> Result<Json> {
        let value = body.value().map_err(SkipReason::NotADocument)?;
        let (Value::Object(members), None) = (value, value.get(INDEXED)) else { return Ok(body) };
        if column.is_empty() {
            return Ok(body);
        }
        let column = Json::with_limit(column, self.largest).map_err(SkipReason::NotADocument)?;
        let indexed = column.value().map_err(SkipReason::NotADocument)?;
        if indexed.as_object().is_none_or(serde_json::Map::is_empty) {
            return Ok(body);
        }
        let mut members = members.clone();
        members.insert(INDEXED.into(), indexed.clone());
        let text = Value::Object(members).to_string();
        Json::with_limit(text, self.largest).map_err(SkipReason::NotADocument)
    }

    fn partition(&self, body: &Json) -> Result<Partition> {
        let (pointer, default) = match &self.partition {
            AutocrudPartition::Fixed(partition) => return Ok(partition.clone()),
            AutocrudPartition::Field { pointer, default } => (pointer, default),
        };
        let unnamed = |what: String| SkipReason::Unnamed(Error::invalid(what));
        let name = match body.value().map_err(SkipReason::NotADocument)?.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
            None | Some(Value::Null) => {
                let missing = || unnamed(format!("the field {pointer:?} is missing"));
                return default.clone().ok_or_else(missing);
            }
            Some(_) => return Err(unnamed(format!("the field {pointer:?} names no partition"))),
        };
        Partition::new(name).map_err(SkipReason::Unnamed)
    }
}

fn no_object() -> SkipReason {
    SkipReason::Unreadable(Arc::from("neither a JSON object nor a MessagePack map"))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Encoding {
    Json,
    MessagePack,
    Pickle,
    Unknown,
}

impl Encoding {
    /// Told by the first byte: a `MessagePack` map never begins as a JSON object
    /// does. A pickle from protocol 2 on begins as an empty `MessagePack` map
    /// does, and goes on.
    fn of(data: &[u8]) -> Self {
        match data {
            [0x80, 0..=5, .., b'.'] | [b'(' | b'c' | b'}' | b']' | b')', .., b'.'] => Self::Pickle,
            [0x80..=0x8f | 0xde | 0xdf, ..] => Self::MessagePack,
            _ if data.trim_ascii_start().starts_with(b"{") => Self::Json,
            _ => Self::Unknown,
        }
    }
}
