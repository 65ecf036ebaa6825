//! JSON merge patch (RFC 7396).

use serde_json::Value;

use crate::error::{Error, Result};
use crate::json::{Json, MAX_DEPTH};

/// The body after the patch.
///
/// Members that the patch does not name keep their values; the text is written
/// anew, with the members of every object in order of their names.
///
/// # Errors
/// - `Corrupt`: the stored body is not JSON.
/// - `TooLarge`, `Invalid`: the result is larger than `limit` bytes, or deeper
///   than [`MAX_DEPTH`](crate::MAX_DEPTH).
pub fn merge_patch(body: &Json, patch: &Json, limit: usize) -> Result<Json> {
    let mut value = body.value()?.clone();
    merge(&mut value, patch.value()?, 0)?;
    let text = serde_json::to_vec(&value)
        .map_err(|error| Error::invalid(format!("the patched document: {error}")))?;
    Json::with_limit(text, limit)
}

fn merge(target: &mut Value, patch: &Value, depth: usize) -> Result<()> {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    if depth > MAX_DEPTH {
        return Err(Error::invalid("a patch that is too deep"));
    }
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(members) = target else { return Ok(()) };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), change, depth + 1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_7396_come_out() {
        for (body, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let (body, patch) = (Json::new(body).unwrap(), Json::new(patch).unwrap());
            let merged = merge_patch(&body, &patch, 1_000).unwrap();
            assert_eq!(merged.as_str(), result, "{body} {patch}");
        }
    }

    #[test]
    fn a_result_that_is_too_large_is_refused() {
        let (body, patch) = (Json::new(r#"{"a":1}"#).unwrap(), Json::new(r#"{"b":2}"#).unwrap());
        assert_eq!(merge_patch(&body, &patch, 12).unwrap_err().kind(), "too_large");
    }
}
