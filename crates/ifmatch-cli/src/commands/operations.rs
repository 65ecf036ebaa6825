//! Operations of a batch, one JSON object on a line.

use ifmatch::meta::{Applied, DocId, DocPrecondition, ETag, Json, Op};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::Output;

/// What a line may say.
pub(crate) const FORM: &str = "One operation on a line: \
    {\"op\": \"put\"|\"patch\"|\"delete\"|\"check\", \"id\": ID, \"body\": JSON} with one of \
    \"if_absent\": true, \"if_exists\": true, \"if_match\": ETAG, \"overwrite\": true, \
    \"if_field\": {\"pointer\": POINTER, \"value\": JSON}.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    op: Kind,
    id: String,
    /// As it stands there, byte for byte.
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(default)]
    if_absent: bool,
    #[serde(default)]
    if_exists: bool,
    if_match: Option<ETag>,
    #[serde(default)]
    overwrite: bool,
    if_field: Option<FieldEquals>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Put,
    Patch,
    Delete,
    Check,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEquals {
    pointer: String,
    value: Value,
}

/// The operations of a text; blank lines are skipped.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Op>, Failure> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Failure::invalid(format!("the operations are no UTF-8: {error}")))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            operation(line).map_err(|error| error.within(&format!("line {}", at + 1)))
        })
        .collect()
}

fn operation(line: &str) -> Result<Op, Failure> {
    let line: Line<'_> =
        serde_json::from_str(line).map_err(|error| Failure::invalid(format!("{error}. {FORM}")))?;
    let precondition = precondition(&line)?;
    let id = DocId::new(&line.id)?;
    let body = match (line.op, line.body) {
        (Kind::Put | Kind::Patch, Some(body)) => Json::new(body.get())?,
        (Kind::Delete | Kind::Check, None) => {
            let delete = line.op == Kind::Delete;
            return Ok(if delete {
                Op::delete(id, precondition)
            } else {
                Op::check(id, precondition)
            });
        }
        (Kind::Put | Kind::Patch, None) => return Err(Failure::invalid("\"body\" is missing")),
        (_, Some(_)) => return Err(Failure::invalid("\"body\" belongs to a put or a patch")),
    };
    Ok(match line.op {
        Kind::Patch => Op::patch(id, body, precondition),
        _ => Op::put(id, body, precondition),
    })
}

fn precondition(line: &Line<'_>) -> Result<DocPrecondition, Failure> {
    let field = line.if_field.as_ref();
    let given = [
        line.if_absent.then_some(DocPrecondition::IfAbsent),
        line.if_exists.then_some(DocPrecondition::IfExists),
        line.if_match.map(DocPrecondition::IfMatch),
        line.overwrite.then_some(DocPrecondition::Overwrite),
        field.map(|is| DocPrecondition::field_equals(is.pointer.clone(), is.value.clone())),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(precondition), None) => Ok(precondition),
        _ => Err(Failure::invalid(format!("exactly one condition is needed. {FORM}"))),
    }
}

/// Prints the answers, one on a line.
pub(crate) fn print(ops: &[Op], applied: &[Applied], output: &Output) -> Result<(), Failure> {
    for (op, applied) in ops.iter().zip(applied) {
        let etag = applied.etag().map(|etag| etag.to_string());
        let mut json = json!({ "id": op.id().map(DocId::as_str), "etag": etag });
        if let (Applied::Written(written), Some(json)) = (applied, json.as_object_mut()) {
            json.insert("created".to_owned(), written.created.into());
        }
        output.result(etag.as_deref().unwrap_or("nothing there"), &json)?;
    }
    Ok(())
}
