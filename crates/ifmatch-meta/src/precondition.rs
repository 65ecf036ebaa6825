//! What a write expects of the document that is there.

use std::fmt;

use serde_json::Value;

use crate::document::Document;
use crate::error::{DocConflict, Error, Result};
use crate::etag::ETag;
use crate::json::json_equal;
use crate::key::DocKey;

/// What must hold of a document for a write to be applied.
///
/// There is no default: a write in which the last writer wins is spelled out
/// ([`Overwrite`](Self::Overwrite)) where it happens.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum DocPrecondition {
    /// Nothing: the last writer wins.
    Overwrite,
    /// There is no such document (`If-None-Match: *`).
    IfAbsent,
    /// There is such a document (`If-Match: *`).
    IfExists,
    /// It is there, in the state of this tag (RFC 9110 13.1.1: a missing
    /// document matches no tag).
    IfMatch(ETag),
    /// It is there, and the value at `pointer` equals `value`: numbers by exact
    /// value (`1` equals `1.0`), everything else only its own type. A missing
    /// value and `null` equal nothing.
    FieldEquals {
        /// A JSON pointer (RFC 6901): `/holder`, `/a/0`, or empty for the whole
        /// body.
        pointer: String,
        /// The expected value; not `null`.
        value: Value,
    },
}

impl DocPrecondition {
    /// [`FieldEquals`](Self::FieldEquals) for a pointer and a value.
    pub fn field_equals(pointer: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::FieldEquals { pointer: pointer.into(), value: value.into() }
    }

    /// Whether the condition itself makes sense. Backends ask before anything
    /// else.
    ///
    /// # Errors
    /// `Invalid`: a pointer that is none, or a comparison with `null`.
    pub fn validate(&self) -> Result<()> {
        let Self::FieldEquals { pointer, value } = self else { return Ok(()) };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(Error::invalid(format!("{pointer:?} is no JSON pointer: begin with /")));
        }
        if value.is_null() {
            return Err(Error::invalid(format!("{pointer:?} equals null: null equals nothing")));
        }
        Ok(())
    }

    /// The meaning of all preconditions: whether this one holds for what is
    /// there. Every backend uses this one function, on what it read in the
    /// transaction of the write.
    ///
    /// # Errors
    /// `Conflict` where it does not hold, with what is there; `Invalid` as
    /// [`validate`](Self::validate); `Corrupt` where a stored body that has to
    /// be looked at is not JSON.
    pub fn check(&self, key: &DocKey, current: Option<&Document>) -> Result<()> {
        self.validate()?;
        let holds = match (self, current) {
            (Self::Overwrite, _) | (Self::IfAbsent, None) | (Self::IfExists, Some(_)) => true,
            (Self::IfAbsent, Some(_)) | (_, None) => false,
            (Self::IfMatch(expected), Some(current)) => *expected == current.etag,
            (Self::FieldEquals { pointer, value }, Some(current)) => {
                current.body.value()?.pointer(pointer).is_some_and(|found| json_equal(found, value))
            }
        };
        if holds { Ok(()) } else { Err(self.conflict(key, current)) }
    }

    /// The conflict of this precondition with what is there. For backends.
    pub fn conflict(&self, key: &DocKey, current: Option<&Document>) -> Error {
        Error::Conflict(Box::new(DocConflict {
            key: key.clone(),
            expected: self.clone(),
            current: current.map(|document| document.etag),
            body: current.map(|document| document.body.clone()),
        }))
    }
}

impl fmt::Display for DocPrecondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overwrite => f.write_str("overwrite"),
            Self::IfAbsent => f.write_str("if-absent"),
            Self::IfExists => f.write_str("if-exists"),
            Self::IfMatch(etag) => write!(f, "if-match {etag}"),
            Self::FieldEquals { pointer, value } => write!(f, "{pointer:?} equal to {value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ifmatch_core::{Simulation, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::json::Json;

    fn document(body: &str) -> Document {
        Document {
            key: DocKey::new("p", "a").unwrap(),
            etag: ETag::mint(1, &Simulation::seeded(1).env()),
            body: Json::new(body).unwrap(),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            updated_by: None,
        }
    }

    fn holds(precondition: &DocPrecondition, current: Option<&Document>) -> bool {
        match precondition.check(&DocKey::new("p", "a").unwrap(), current) {
            Ok(()) => true,
            Err(error) => {
                let conflict = error.conflict().expect("a conflict");
                assert_eq!(conflict.current, current.map(|document| document.etag));
                assert_eq!(conflict.body, current.map(|document| document.body.clone()));
                false
            }
        }
    }

    #[test]
    fn each_precondition_holds_for_what_it_says() {
        let there = document("{}");
        let other = ETag::mint(1, &Simulation::seeded(2).env());
        for (precondition, absent, present) in [
            (DocPrecondition::Overwrite, true, true),
            (DocPrecondition::IfAbsent, true, false),
            (DocPrecondition::IfExists, false, true),
            (DocPrecondition::IfMatch(there.etag), false, true),
            (DocPrecondition::IfMatch(other), false, false),
            (DocPrecondition::field_equals("", json!({})), false, true),
        ] {
            assert_eq!(holds(&precondition, None), absent, "{precondition}");
            assert_eq!(holds(&precondition, Some(&there)), present, "{precondition}");
        }
    }

    #[test]
    fn l1_a_field_is_compared_by_exact_value() {
        let there =
            document(r#"{"n":1,"big":9007199254740993,"s":"a","l":[1,{"x":null}],"z":null}"#);
        for (pointer, value, expected) in [
            ("/n", json!(1.0), true),
            ("/n", json!("1"), false),
            ("/n", json!(true), false),
            ("/big", json!(9_007_199_254_740_993_i64), true),
            ("/big", json!(9_007_199_254_740_992.0), false),
            ("/s", json!("a"), true),
            ("/s", json!("A"), false),
            ("/l", json!([1.0, { "x": null }]), true),
            ("/l/1/x", json!(0), false),
            ("/l/0", json!(1), true),
            ("/missing", json!(1), false),
            ("/z", json!(false), false),
        ] {
            let precondition = DocPrecondition::field_equals(pointer, value);
            assert_eq!(holds(&precondition, Some(&there)), expected, "{precondition}");
        }
    }

    #[test]
    fn a_condition_that_can_never_hold_is_invalid() {
        for (pointer, value) in [("n", json!(1)), ("/n", Value::Null)] {
            let precondition = DocPrecondition::field_equals(pointer, value);
            assert_eq!(precondition.validate().unwrap_err().kind(), "invalid");
        }
    }
}
