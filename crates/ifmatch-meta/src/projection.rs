//! Which members of a body are read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::Document;
use crate::error::{Error, Result};
use crate::json::Json;

/// Most fields in one projection.
const MOST: usize = 100;

/// A choice of members of a body, by JSON pointers (RFC 6901).
///
/// The projected body is an object that holds the chosen members at their
/// places; members that are missing are left out, and so are the other elements
/// of a list on the way (a list becomes an object by its indices). It is written
/// anew, so it is no longer byte for byte what was put; the ETag is that of the
/// whole document.
///
/// ```
/// use ifmatch_meta::{Json, Projection};
/// let fields = Projection::new(["/name", "/size/bytes"])?;
/// let body = Json::new(r#"{"name":"a","size":{"bytes":1,"lines":2},"x":3}"#)?;
/// assert_eq!(fields.body(&body)?.as_str(), r#"{"name":"a","size":{"bytes":1}}"#);
/// # Ok::<(), ifmatch_meta::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<Arc<str>>")]
pub struct Projection(Arc<[Arc<str>]>);

impl Projection {
    /// These fields.
    ///
    /// # Errors
    /// `Invalid` for what is no JSON pointer to a member, and for more than 100.
    pub fn new<S: Into<Arc<str>>>(fields: impl IntoIterator<Item = S>) -> Result<Self> {
        let fields: Vec<Arc<str>> = fields.into_iter().map(Into::into).take(MOST + 1).collect();
        if fields.len() > MOST {
            return Err(Error::invalid(format!("a projection of more than {MOST} fields")));
        }
        if let Some(field) = fields.iter().find(|field| !field.starts_with('/')) {
            return Err(Error::invalid(format!("{field:?} is no JSON pointer: begin with /")));
        }
        Ok(Self(fields.into()))
    }

    /// The chosen members of a body.
    ///
    /// # Errors
    /// `Corrupt` for a stored body that is not JSON.
    pub fn body(&self, body: &Json) -> Result<Json> {
        let value = body.value()?;
        let mut chosen = Map::new();
        for field in self.0.iter() {
            if let Some(found) = value.pointer(field) {
                place(&mut chosen, field, found);
            }
        }
        Ok(Json::stored(Value::Object(chosen).to_string()))
    }

    /// The document with the chosen members.
    ///
    /// # Errors
    /// As [`body`](Self::body).
    pub fn document(&self, document: Document) -> Result<Document> {
        Ok(Document { body: self.body(&document.body)?, ..document })
    }
}

impl TryFrom<Vec<Arc<str>>> for Projection {
    type Error = Error;
    fn try_from(fields: Vec<Arc<str>>) -> Result<Self> {
        Self::new(fields)
    }
}

fn place(into: &mut Map<String, Value>, field: &str, found: &Value) {
    let mut names: Vec<String> =
        field.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    let Some(last) = names.pop() else { return };
    let mut at = into;
    for name in names {
        let next = at.entry(name).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(members) = next else { return }; // A parent was chosen whole.
        at = members;
    }
    at.insert(last, found.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t27_members_keep_their_places_and_missing_ones_are_left_out() {
        let body = Json::new(r#"{"a":{"b":1,"c":2},"l":[{"x":1},{"x":2}],"q~/":3}"#).unwrap();
        for (fields, expected) in [
            (vec!["/a/b", "/none"], r#"{"a":{"b":1}}"#),
            (vec!["/a", "/a/b"], r#"{"a":{"b":1,"c":2}}"#),
            (vec!["/l/1/x"], r#"{"l":{"1":{"x":2}}}"#),
            (vec!["/q~0~1"], r#"{"q~/":3}"#),
            (vec![], "{}"),
        ] {
            let projection = Projection::new(fields).unwrap();
            assert_eq!(projection.body(&body).unwrap().as_str(), expected);
        }
        assert_eq!(Projection::new(["a"]).unwrap_err().kind(), "invalid");
    }
}
