//! Merge patches (RFC 7396).

use ifmatch_meta::{Applied, DocPrecondition, Json, Op, WriteOptions, json_equal};
use serde_json::{Value, json};

use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, conflict, fails, id, key, number, partition};

async fn patched(on: &Trial, there: &Value, patch: &Value) -> Checked<Json> {
    let (store, a) = (on.store(), key("a")?);
    store.put_(&a, body(there)?).await?;
    let pre = DocPrecondition::IfExists;
    let written = store.patch(&a, body(patch)?, pre, WriteOptions::default()).await?;
    let found = store.found(&a).await?;
    check_eq!(found.etag, written.etag, "the tag after a patch");
    check!(!written.created, "a patch that says it created");
    Ok(found.body)
}

pub(crate) async fn a_patch_merges_members(on: Trial) -> Checked {
    for (there, patch, after) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c"]), json!(["c"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "b"}), json!(null), json!(null)),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"b": {"c": null}}}), json!({"a": {"b": {}}})),
    ] {
        let result = patched(&on, &there, &patch).await?;
        let equal = json_equal(result.value()?, &after);
        check!(equal, "{there} patched with {patch} is {result}, but must be {after}");
    }
    Ok(())
}

pub(crate) async fn a_patch_keeps_numbers_that_it_does_not_name(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let text = r#"{"u":18446744073709551615,"i":-9223372036854775808,"f":0.1,"e":1e300,"x":0}"#;
    store.create(&a, Json::new(text)?).await?;
    let patch = body(&json!({ "x": 1 }))?;
    store.patch(&a, patch, DocPrecondition::Overwrite, WriteOptions::default()).await?;
    let expected = Json::new(text.replace("\"x\":0", "\"x\":1"))?;
    let found = store.found(&a).await?.body;
    check!(json_equal(found.value()?, expected.value()?), "{found} is not {expected}");
    Ok(())
}

pub(crate) async fn a_patch_of_nothing_is_a_conflict_even_under_overwrite(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let patch = |pre| store.patch(&a, Json::stored("{}"), pre, WriteOptions::default());
    let error = fails(patch(DocPrecondition::Overwrite).await, "conflict", "a patch of nothing")?;
    check_eq!(error.operation_index(), None, "the place in a batch of an operation alone");
    let pre = DocPrecondition::IfExists;
    conflict(patch(pre.clone()).await, &a, &pre, None)?;
    store.is_absent(&a).await
}

pub(crate) async fn a_patch_that_grows_a_document_too_large_is_refused(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let limit = store.limits().document;
    let there = Json::with_limit(format!("{{\"a\":\"{}\"}}", "x".repeat(limit - 100)), limit)?;
    let etag = store.create(&a, there).await?.etag;
    let patch = body(&json!({ "b": "y".repeat(100) }))?;
    let answer = store.patch(&a, patch, DocPrecondition::Overwrite, WriteOptions::default()).await;
    let error = fails(answer, "too_large", "a patch that grows a document beyond the limit")?;
    check_eq!(error.operation_index(), None, "the place in a batch of an operation alone");
    check_eq!(store.found(&a).await?.etag, etag, "the tag after a refused patch");
    Ok(())
}

pub(crate) async fn patches_in_a_batch_build_on_each_other(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let patch = |text: &str, pre| -> Checked<Op> { Ok(Op::patch(id("a")?, Json::new(text)?, pre)) };
    let ops = vec![
        Op::put(id("a")?, number(1)?, DocPrecondition::IfAbsent),
        patch(r#"{"m":{"x":1}}"#, DocPrecondition::field_equals("/n", 1))?,
        patch(r#"{"m":{"y":2},"n":null}"#, DocPrecondition::field_equals("/m/x", 1))?,
    ];
    let applied = store.batch(&p, ops).await?;
    let Some(Applied::Written(last)) = applied.last() else {
        return Err(Failure::new(format!("a batch of patches answers {applied:?}")));
    };
    let found = store.found(&key("a")?).await?;
    check_eq!(found.etag, last.etag, "the tag of the last patch");
    check_eq!(found.body.value()?, &json!({ "m": { "x": 1, "y": 2 } }), "the body");
    Ok(())
}
