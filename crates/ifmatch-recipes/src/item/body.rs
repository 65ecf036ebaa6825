//! Items as they are written: an object with an id, without the members that the
//! store keeps.

use ifmatch_meta::{DocId, Error, Json, Result};
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) const ETAG: &str = "_etag";
pub(super) const TIME: &str = "_ts";

/// Members that Cosmos DB keeps itself and overwrites whatever is sent.
const SYSTEM: [&str; 5] = [ETAG, TIME, "_rid", "_self", "_attachments"];

/// The id of an item and its body, as they are written.
pub(super) fn written(item: &(impl Serialize + ?Sized), limit: usize) -> Result<(DocId, Json)> {
    let members = object(item)?;
    let id = match members.get("id") {
        Some(Value::String(id)) => DocId::new(id)?,
        Some(other) => {
            return Err(Error::invalid(format!("the id of an item is text, not {other}")));
        }
        None => return Err(Error::invalid("an item needs a member \"id\", a text")),
    };
    Ok((id, body(members, limit)?))
}

/// A merge patch of an item: it leaves the id as it is.
pub(super) fn patch(patch: &(impl Serialize + ?Sized), id: &DocId, limit: usize) -> Result<Json> {
    let members = object(patch)?;
    if members.get("id").is_some_and(|named| named.as_str() != Some(id.as_str())) {
        return Err(Error::invalid(format!("a patch of item {id} that changes its id")));
    }
    body(members, limit)
}

fn object(item: &(impl Serialize + ?Sized)) -> Result<Map<String, Value>> {
    let value = serde_json::to_value(item)
        .map_err(|error| Error::invalid(format!("an item that is no JSON: {error}")))?;
    let Value::Object(mut members) = value else {
        return Err(Error::invalid("an item is a JSON object"));
    };
    for name in SYSTEM {
        members.remove(name);
    }
    Ok(members)
}

fn body(members: Map<String, Value>, limit: usize) -> Result<Json> {
    Json::with_limit(Value::Object(members).to_string(), limit)
}
