//! Clauses 1, 4 and 5: a document, its tag and its body.

use std::collections::HashSet;
use std::fmt::Write as _;

use ifmatch_meta::{
    Changed, DocKey, DocPrecondition, Json, MAX_DEPTH, MAX_ID_BYTES, MAX_PARTITION_BYTES, Scope,
    WriteOptions,
};
use serde_json::json;

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, fails, key, number, partition};

pub(crate) async fn c7_a_missing_document_is_none(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.is_absent(&a).await?;
    store.create(&key("b")?, number(1)?).await?;
    store.is_absent(&a).await?;
    store.is_absent(&DocKey::new("another", "b")?).await
}

pub(crate) async fn c7_a_put_is_read_back_with_its_etag(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let written = store.create(&a, number(1)?).await?;
    check!(written.created, "the put of a new document says that it was there");
    let found = store.found(&a).await?;
    check_eq!(found.etag, written.etag, "the tag read and the tag answered");
    check_eq!(found.key, a, "the name of the document");
    check_eq!(found.body, number(1)?, "the body");
    let written = store.put_(&a, number(2)?).await?;
    check!(!written.created, "the put of a document that was there says that it was not");
    check_eq!(store.found(&a).await?.etag, written.etag, "the tag read and the tag answered");
    store.holds(&a, &number(2)?).await
}

pub(crate) async fn c1_c3_every_write_makes_an_etag_never_used_before(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let mut seen = HashSet::new();
    for round in 0..4 {
        for pre in [DocPrecondition::IfAbsent, DocPrecondition::Overwrite] {
            // Equal bytes are a new state all the same.
            let written = store.put(&a, number(1)?, pre).await?;
            check!(seen.insert(written.etag), "round {round}: {} was there before", written.etag);
        }
        let patch = body(&json!({}))?;
        let patched = store.patch(&a, patch, DocPrecondition::IfExists, WriteOptions::default());
        let etag = patched.await?.etag;
        check!(seen.insert(etag), "round {round}: {etag} was there before");
        store.delete_(&a).await?;
    }
    Ok(())
}

pub(crate) async fn documents_are_independent_of_each_other(on: Trial) -> Checked {
    let store = on.store();
    let keys = [key("a")?, key("b")?, DocKey::new("q", "a")?];
    let mut etags = Vec::new();
    for (n, key) in (0..).zip(&keys) {
        etags.push(store.create(key, number(n)?).await?.etag);
    }
    let rewritten = store.put_(&keys[0], number(7)?).await?;
    store.delete_(&keys[2]).await?;
    check_eq!(store.found(&keys[0]).await?.etag, rewritten.etag, "the one that was written");
    check_eq!(store.found(&keys[1]).await?.etag, etags[1], "its neighbour");
    store.is_absent(&keys[2]).await
}

pub(crate) async fn bodies_come_back_byte_for_byte(on: Trial) -> Checked {
    let texts = [
        "{}",
        "[]",
        "null",
        "true",
        "0",
        "-0",
        "-0.0",
        "1.10",
        "1e2",
        "1E+2",
        "\"\"",
        "\"a\"",
        " { \"b\" : 1.10 ,\n\t\"a\" : [ ] }\r\n",
        r#"{"z":1,"a":2,"":{"":{"":[]}}}"#,
        r#""\u00e9\u0041\/\b\f\ud83d\ude00""#,
        "\"é e\u{301} 😀 \u{2028} \u{feff}\"",
        "18446744073709551615",
        "-9223372036854775808",
        "9007199254740993",
        "123456789012345678901234567890",
        "1.7976931348623157e308",
        "5e-324",
        r#"{"'":"'","\"":"\"","%":"_","\\":"\\","$1":"?1","--":";--"}"#,
        r#"[{"a":{"a":{"a":[[[]]]}}},{"a":{"a":{"a":[[[]]]}}}]"#,
    ];
    let store = on.store();
    for (n, text) in texts.into_iter().enumerate() {
        let (key, body) = (key(&format!("d{n:02}"))?, Json::new(text)?);
        store.create(&key, body.clone()).await?;
        store.holds(&key, &body).await?;
    }
    let options = ifmatch_meta::ScanOptions::default();
    let page = store.scan(&partition(P)?, options).await?;
    for (found, text) in page.documents.iter().zip(texts) {
        check_eq!(found.body.as_str(), text, "the body in a scan");
    }
    check_eq!(page.documents.len(), texts.len(), "how many there are");
    Ok(())
}

pub(crate) async fn the_largest_body_is_kept_and_a_larger_one_refused(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let limit = store.limits().document;
    let text = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    let largest = Json::with_limit(text(limit), limit)?;
    let first = store.create(&a, largest.clone()).await?;
    store.holds(&a, &largest).await?;
    let larger = Json::with_limit(text(limit + 1), limit + 1)?;
    let answer = store.put(&a, larger, DocPrecondition::Overwrite).await;
    fails(answer, "too_large", "a body beyond the limit")?;
    check_eq!(store.found(&a).await?.etag, first.etag, "the tag after a refused put");
    Ok(())
}

pub(crate) async fn the_deepest_body_is_kept(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let mut text = "[".repeat(MAX_DEPTH);
    text.push_str(&"]".repeat(MAX_DEPTH));
    let deepest = Json::new(text)?;
    store.create(&a, deepest.clone()).await?;
    store.holds(&a, &deepest).await?;
    let mut text = String::new();
    for depth in 1..MAX_DEPTH {
        let _ = write!(text, "{{\"{depth}\":");
    }
    text.push_str("{}");
    text.push_str(&"}".repeat(MAX_DEPTH - 1));
    let deepest = Json::new(text)?;
    store.put_(&a, deepest.clone()).await?;
    store.holds(&a, &deepest).await?;
    check_eq!(store.count(&Scope::All).await?, 1, "how many there are");
    Ok(())
}

pub(crate) async fn what_is_no_document_is_never_sent(on: Trial) -> Checked {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    let texts =
        ["", "{", "{\"a\":1,\"a\":2}", "\"\\u0000\"", "1e999", "NaN", "{} {}", "\u{feff}{}", &deep];
    for text in texts {
        fails(Json::new(text), "invalid", &format!("{text:.20?}"))?;
    }
    fails(Json::new(vec![b'"', 0xff, b'"']), "invalid", "a body that is not UTF-8")?;
    for name in ["", "a\0b", "ifmatch.x", &"x".repeat(MAX_PARTITION_BYTES + 1)] {
        fails(DocKey::new(name, "a"), "invalid", &format!("partition {name:.20?}"))?;
    }
    for name in ["", "a\0b", "ifmatch.x", &"x".repeat(MAX_ID_BYTES + 1)] {
        fails(DocKey::new(P, name), "invalid", &format!("id {name:.20?}"))?;
    }
    check_eq!(on.store().count(&Scope::All).await?, 0, "how many there are");
    Ok(())
}

pub(crate) async fn c7_get_if_changed_tells_the_three_answers_apart(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let first = store.create(&a, number(1)?).await?.etag;
    let answer = store.get_if_changed(&a, &first).await?;
    check_eq!(answer, Changed::Unchanged, "a document at the tag that was seen");
    let second = store.put_(&a, number(1)?).await?.etag;
    match store.get_if_changed(&a, &first).await? {
        Changed::Document(found) => check_eq!(found.etag, second, "the tag now"),
        other => check!(false, "another state of equal bytes answers {other:?}"),
    }
    store.delete_(&a).await?;
    let answer = store.get_if_changed(&a, &second).await?;
    check_eq!(answer, Changed::Absent, "a document that was deleted");
    Ok(())
}

pub(crate) async fn t25_a_write_answers_the_document_where_asked(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let asked = || WriteOptions::default().return_document();
    let put = store.put_with(&a, number(1)?, DocPrecondition::IfAbsent, asked()).await?;
    check_eq!(put.document.as_deref(), Some(&store.found(&a).await?), "the document of a put");
    let patch = body(&json!({ "m": 2 }))?;
    let patched = store.patch(&a, patch.clone(), DocPrecondition::Overwrite, asked()).await?;
    let found = store.found(&a).await?;
    check_eq!(patched.document.as_deref(), Some(&found), "the document of a patch");
    let silent = store.patch(&a, patch, DocPrecondition::Overwrite, WriteOptions::default());
    check_eq!(silent.await?.document, None, "the document that nobody asked for");
    Ok(())
}

pub(crate) async fn an_insert_makes_ids_in_the_order_of_time(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let mut made = Vec::new();
    for n in 0..5 {
        let (id, written) = store.insert(&p, number(n)?, WriteOptions::default()).await?;
        check!(written.created, "an insert found its new id {id} taken");
        store.env().sleep(std::time::Duration::from_millis(2)).await;
        made.push(id.as_str().to_owned());
    }
    check_eq!(store.ids(P, ifmatch_meta::ScanOptions::default()).await?, made, "the ids in order");
    Ok(())
}
