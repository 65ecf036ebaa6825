//! Clause 2: writes that depend on what is there.

use ifmatch_core::Retry;
use ifmatch_meta::{DocKey, DocPrecondition, ETag, Json, Op, Scope, WriteOptions};
use serde_json::{Value, json};

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, conflict, fails, id, key, number, partition};

pub(crate) async fn c4_an_overwrite_is_asked_for_by_name_and_wins(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    check!(store.put_(&a, number(1)?).await?.created, "an overwrite of nothing creates");
    check!(!store.put_(&a, number(2)?).await?.created, "an overwrite of a document replaces");
    store.holds(&a, &number(2)?).await
}

pub(crate) async fn c6_a_second_create_is_a_conflict_and_changes_nothing(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.create(&a, number(1)?).await?;
    let there = store.found(&a).await?;
    let answer = store.put(&a, number(2)?, DocPrecondition::IfAbsent).await;
    conflict(answer, &a, &DocPrecondition::IfAbsent, Some(&there))?;
    check_eq!(store.found(&a).await?, there, "the document after a conflict");
    Ok(())
}

pub(crate) async fn c6_c9_a_stale_etag_is_a_conflict_that_tells_the_current_one(
    on: Trial,
) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let first = store.create(&a, number(1)?).await?;
    store.put_(&a, number(2)?).await?;
    let there = store.found(&a).await?;
    let stale = DocPrecondition::IfMatch(first.etag);
    let answer = store.put(&a, number(3)?, stale.clone()).await;
    let error = conflict(answer, &a, &stale, Some(&there))?;
    check_eq!(error.operation_index(), None, "the place in a batch of an operation alone");
    conflict(store.delete(&a, stale.clone()).await, &a, &stale, Some(&there))?;
    let patch = store.patch(&a, number(3)?, stale.clone(), WriteOptions::default()).await;
    conflict(patch, &a, &stale, Some(&there))?;
    check_eq!(store.found(&a).await?, there, "the document after conflicts");
    store.replace(&a, number(4)?, there.etag).await?;
    store.holds(&a, &number(4)?).await
}

pub(crate) async fn c8_replace_and_delete_take_the_etag_of_a_read(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.create(&a, number(1)?).await?;
    let read = store.found(&a).await?.etag;
    let written = store.replace(&a, number(2)?, read).await?;
    check!(!written.created, "a replace that says it created");
    let printed: ETag = written.etag.to_string().parse()?;
    let deleted = store.delete(&a, DocPrecondition::IfMatch(printed)).await?;
    check_eq!(deleted.etag, Some(written.etag), "the tag that was deleted");
    store.is_absent(&a).await
}

pub(crate) async fn c16_an_etag_of_a_missing_document_is_a_conflict(on: Trial) -> Checked {
    let (store, a, b) = (on.store(), key("a")?, key("b")?);
    let elsewhere = store.create(&b, number(1)?).await?.etag;
    let gone = store.create(&a, number(1)?).await?.etag;
    store.delete_(&a).await?;
    for etag in [elsewhere, gone] {
        let at = DocPrecondition::IfMatch(etag);
        conflict(store.put(&a, number(2)?, at.clone()).await, &a, &at, None)?;
        conflict(store.delete(&a, at.clone()).await, &a, &at, None)?;
    }
    let never = DocKey::new("never", "x")?;
    let at = DocPrecondition::IfMatch(gone);
    conflict(store.put(&never, number(2)?, at.clone()).await, &never, &at, None)?;
    check_eq!(store.count(&Scope::All).await?, 1, "how many there are");
    Ok(())
}

pub(crate) async fn c6_an_etag_of_before_a_deletion_never_matches_again(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let first = store.create(&a, number(1)?).await?.etag;
    store.delete_(&a).await?;
    store.create(&a, number(1)?).await?;
    let there = store.found(&a).await?;
    let at = DocPrecondition::IfMatch(first);
    conflict(store.put(&a, number(2)?, at.clone()).await, &a, &at, Some(&there))?;
    Ok(())
}

pub(crate) async fn t24_if_exists_wants_a_document(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let pre = DocPrecondition::IfExists;
    conflict(store.put(&a, number(1)?, pre.clone()).await, &a, &pre, None)?;
    conflict(store.delete(&a, pre.clone()).await, &a, &pre, None)?;
    store.is_absent(&a).await?;
    store.create(&a, number(1)?).await?;
    check!(!store.put(&a, number(2)?, pre.clone()).await?.created, "it was there");
    store.delete(&a, pre).await?;
    store.is_absent(&a).await
}

pub(crate) async fn a_delete_of_nothing_succeeds_and_says_so(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    check_eq!(store.delete_(&a).await?.etag, None, "the tag of a document that was not there");
    let written = store.create(&a, number(1)?).await?;
    let deleted = store.delete_(&a).await?;
    check_eq!(deleted.etag, Some(written.etag), "the tag that was deleted");
    check!(deleted.position > written.position, "the deletion is no later commit");
    let again = store.delete_(&a).await?;
    check_eq!(again.etag, None, "the tag of a document that was deleted before");
    check!(again.position >= deleted.position, "nothing went before what was");
    Ok(())
}

pub(crate) async fn a_delete_or_patch_under_if_absent_is_invalid(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let pre = DocPrecondition::IfAbsent;
    for _ in 0..2 {
        fails(store.delete(&a, pre.clone()).await, "invalid", "a delete under if-absent")?;
        let patch = store.patch(&a, number(2)?, pre.clone(), WriteOptions::default()).await;
        fails(patch, "invalid", "a patch under if-absent")?;
        store.put_(&a, number(1)?).await?;
    }
    store.holds(&a, &number(1)?).await
}

pub(crate) async fn l1_a_field_is_compared_by_exact_value(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let text = r#"{"n":1,"f":1.5,"big":9007199254740993,"u":18446744073709551615,"s":"ä",
        "b":true,"z":null,"l":[1,{"x":[]}],"o":{"p":1,"q":[2]},"a/b":{"c~d":"t"},"":"empty"}"#;
    store.create(&a, Json::new(text)?).await?;
    for (pointer, value, holds) in [
        ("/n", json!(1), true),
        ("/n", json!(1.0), true),
        ("/n", json!("1"), false),
        ("/n", json!(true), false),
        ("/f", json!(1.5), true),
        ("/big", json!(9_007_199_254_740_993_u64), true),
        ("/big", json!(9_007_199_254_740_992.0), false),
        ("/u", json!(u64::MAX), true),
        ("/u", json!(18_446_744_073_709_551_616.0), false),
        ("/s", json!("ä"), true),
        ("/s", json!("a\u{308}"), false),
        ("/s", json!("Ä"), false),
        ("/b", json!(true), true),
        ("/b", json!(1), false),
        ("/z", json!(false), false),
        ("/l", json!([1.0, { "x": [] }]), true),
        ("/l", json!([{ "x": [] }, 1]), false),
        ("/l/0", json!(1), true),
        ("/l/-", json!(1), false),
        ("/l/00", json!(1), false),
        ("/o", json!({ "q": [2], "p": 1.0 }), true),
        ("/o", json!({ "p": 1 }), false),
        ("/a~1b/c~0d", json!("t"), true),
        ("/", json!("empty"), true),
        ("/missing", json!("empty"), false),
        ("/n/x", json!(1), false),
    ] {
        let pre = DocPrecondition::field_equals(pointer, value);
        let answer = store.batch(&partition(P)?, vec![Op::check(id("a")?, pre.clone())]).await;
        if holds {
            check!(answer.is_ok(), "{pre} does not hold: {answer:?}");
        } else {
            fails(answer, "conflict", &pre.to_string())?;
        }
    }
    store.holds(&a, &Json::new(text)?).await
}

pub(crate) async fn l1_an_update_depends_on_a_field(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let free = DocPrecondition::field_equals("/holder", "nobody");
    conflict(store.put(&a, number(1)?, free.clone()).await, &a, &free, None)?;
    store.create(&a, body(&json!({ "holder": "nobody" }))?).await?;
    let mine = body(&json!({ "holder": "me" }))?;
    store.put(&a, mine.clone(), free.clone()).await?;
    let there = store.found(&a).await?;
    conflict(store.put(&a, number(1)?, free.clone()).await, &a, &free, Some(&there))?;
    conflict(store.delete(&a, free.clone()).await, &a, &free, Some(&there))?;
    store.delete(&a, DocPrecondition::field_equals("/holder", "me")).await?;
    store.is_absent(&a).await
}

pub(crate) async fn a_condition_that_can_never_hold_is_invalid(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.create(&a, number(1)?).await?;
    for (pointer, value) in [("n", json!(1)), ("/n", Value::Null), (" /n", json!(1))] {
        let pre = DocPrecondition::field_equals(pointer, value);
        let said = pre.to_string();
        fails(store.put(&a, number(2)?, pre.clone()).await, "invalid", &said)?;
        fails(store.delete(&a, pre.clone()).await, "invalid", &said)?;
        let ops = vec![Op::check(id("b")?, DocPrecondition::Overwrite), Op::check(id("a")?, pre)];
        let error = fails(store.batch(&partition(P)?, ops).await, "invalid", &said)?;
        check_eq!(error.operation_index(), Some(1), "which operation is wrong");
    }
    store.holds(&a, &number(1)?).await
}

pub(crate) async fn c9_t26_kinds_of_errors_tell_what_to_do(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.create(&a, number(1)?).await?;
    let error = fails(store.put(&a, number(2)?, DocPrecondition::IfAbsent).await, "conflict", "")?;
    check_eq!(error.retry(), Retry::Rebase, "what to do about a conflict");
    let error = fails(store.delete(&a, DocPrecondition::IfAbsent).await, "invalid", "")?;
    check_eq!(error.retry(), Retry::Never, "what to do about a wrong call");
    Ok(())
}

pub(crate) async fn weak_and_malformed_etags_are_invalid(on: Trial) -> Checked {
    let written = on.store().create(&key("a")?, number(1)?).await?;
    let bare = written.etag.bare();
    for text in [format!("W/\"{bare}\""), format!("\"{bare}"), "*".into(), "\"\"".into()] {
        fails(text.parse::<ETag>(), "invalid", &text)?;
    }
    let unquoted: ETag = bare.parse()?;
    on.store().replace(&key("a")?, number(2)?, unquoted).await?;
    Ok(())
}
