//! Clauses 6 and 9: all or nothing, in order, in one commit.

use ifmatch_meta::{Applied, DocPrecondition, Json, Op, Scope, WriteOptions};
use serde_json::json;

use crate::suite::Failure;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{
    P, Words, body, delete, fails, id, key, number, partition, put, scope, shape,
};
use DocPrecondition::{IfAbsent, IfExists, Overwrite};

/// The positions of the members that wrote.
fn positions(applied: &[Applied]) -> Vec<u64> {
    let position = |one: &Applied| match one {
        Applied::Written(written) => Some(written.position),
        Applied::Deleted(deleted) => Some(deleted.position),
        _ => None,
    };
    applied.iter().filter_map(position).collect()
}

pub(crate) async fn t2_a_failing_operation_undoes_the_whole_batch_and_is_named(
    on: Trial,
) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("there")?, number(0)?).await?;
    let there = store.found(&key("there")?).await?;
    let failing = [
        put("there", 9, IfAbsent)?,
        put("gone", 9, IfExists)?,
        delete("gone", IfExists)?,
        Op::patch(id("gone")?, number(9)?, Overwrite),
        Op::check(id("gone")?, IfExists),
        put("there", 9, DocPrecondition::field_equals("/n", 1))?,
    ];
    for (place, fail) in failing.into_iter().enumerate() {
        let mut ops = vec![
            put("a", 1, IfAbsent)?,
            put("b", 1, Overwrite)?,
            put("c", 1, IfAbsent)?,
            Op::check(id("there")?, IfExists),
            put("d", 1, IfAbsent)?,
            delete("there", IfExists)?,
        ];
        ops.insert(place, fail.clone());
        let error = fails(store.batch(&p, ops).await, "conflict", &format!("{fail:?}"))?;
        check_eq!(error.operation_index(), Some(place), "which operation failed");
        let said = error.conflict().map(|conflict| conflict.key.id.clone());
        check_eq!(said.as_ref(), fail.id(), "the document of the conflict");
        check_eq!(store.found(&key("there")?).await?, there, "what was there");
        check_eq!(store.count(&Scope::All).await?, 1, "how many there are");
    }
    Ok(())
}

pub(crate) async fn operations_see_the_ones_before(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let ops = vec![
        put("a", 1, IfAbsent)?,
        put("a", 2, IfExists)?,
        put("b", 1, IfAbsent)?,
        Op::check(id("a")?, DocPrecondition::field_equals("/n", 2)),
        delete("a", DocPrecondition::field_equals("/n", 2))?,
        Op::check(id("a")?, IfAbsent),
        put("a", 3, IfAbsent)?,
        Op::patch(id("a")?, body(&json!({ "m": 4 }))?, DocPrecondition::field_equals("/n", 3)),
        delete("b", IfExists)?,
    ];
    let applied = store.batch(&p, ops).await?;
    let created: Vec<_> = applied
        .iter()
        .filter_map(|one| if let Applied::Written(w) = one { Some(w.created) } else { None })
        .collect();
    check_eq!(created, [true, false, true, true, false], "which writes created");
    let a = store.found(&key("a")?).await?;
    check_eq!(a.body.value()?, &json!({ "n": 3, "m": 4 }), "the body");
    check_eq!(applied[7].etag(), Some(a.etag), "the tag of the last write");
    check_eq!(applied[4].etag(), applied[1].etag(), "the tag that was deleted");
    check_eq!(applied[3].etag(), applied[1].etag(), "the tag that was checked");
    check_eq!(applied[5], Applied::Checked(None), "a check of what is absent");
    check_eq!(applied[8].etag(), applied[2].etag(), "the tag that was deleted");
    store.is_absent(&key("b")?).await
}

pub(crate) async fn members_of_a_batch_share_a_position(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let before = store.create(&key("a")?, number(1)?).await?.position;
    let ops = vec![delete("a", IfExists)?, put("b", 1, IfAbsent)?, put("c", 1, IfAbsent)?];
    let shared = positions(&store.batch(&p, ops).await?);
    check_eq!(shared.len(), 3, "how many wrote");
    check!(shared.iter().all(|position| *position == shared[0]), "positions {shared:?}");
    let after = store.create(&key("d")?, number(1)?).await?.position;
    check!(0 < before && before < shared[0] && shared[0] < after, "{before} {shared:?} {after}");
    let (told, _) = store.told(&scope(P)?, None, 10).await?;
    for change in told.iter().filter(|change| change.document().is_some()) {
        let named = change.key().id.as_str();
        let position = if named == "d" { after } else { shared[0] };
        check_eq!(change.position(), position, "the position of {named} in the feed");
    }
    Ok(())
}

pub(crate) async fn a_batch_with_no_net_effect_commits_nothing(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("a")?, number(1)?).await?;
    let token = store.change_token(&scope(P)?).await?;
    let mark = store.scan(&p, ifmatch_meta::ScanOptions::default()).await?.mark;
    check_eq!(store.batch(&p, vec![]).await?, [], "the answer to no operations");
    let ops = vec![put("b", 1, IfAbsent)?, delete("b", IfExists)?, delete("none", Overwrite)?];
    store.batch(&p, ops).await?;
    store.batch(&p, vec![Op::check(id("a")?, IfExists), Op::check(id("x")?, IfAbsent)]).await?;
    let (told, _) = store.told(&scope(P)?, Some(&token), 10).await?;
    check_eq!(shape(&told), [], "what the feed tells of nothing");
    store.batch(&p, vec![Op::Unchanged { since: mark }]).await?;
    store.is_absent(&key("b")?).await
}

pub(crate) async fn a_check_guards_another_document(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let limit = store.create(&key("limit")?, number(10)?).await?.etag;
    let guarded = |etag| -> Checked<Vec<Op>> {
        Ok(vec![
            Op::check(id("limit")?, DocPrecondition::IfMatch(etag)),
            put("used", 1, Overwrite)?,
        ])
    };
    let applied = store.batch(&p, guarded(limit)?).await?;
    check_eq!(applied[0], Applied::Checked(Some(limit)), "the answer of a check that held");
    store.put_(&key("limit")?, number(0)?).await?;
    let used = store.found(&key("used")?).await?.etag;
    let error = fails(store.batch(&p, guarded(limit)?).await, "conflict", "a stale check")?;
    check_eq!(error.operation_index(), Some(0), "which operation failed");
    check_eq!(store.found(&key("used")?).await?.etag, used, "the guarded document");
    Ok(())
}

pub(crate) async fn s15_a_batch_of_the_most_operations_is_applied(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let most = store.limits().batch_operations;
    let ops = |count: usize| -> Checked<Vec<Op>> {
        (0..count).map(|n| put(&format!("d{n:05}"), n as u64, IfAbsent)).collect()
    };
    let error = fails(store.batch(&p, ops(most + 1)?).await, "too_large", "one operation more")?;
    check_eq!(error.operation_index(), None, "which operation is too much");
    check_eq!(store.count(&Scope::All).await?, 0, "how many there are");
    let applied = store.batch(&p, ops(most)?).await?;
    check_eq!(applied.len(), most, "how many answers there are");
    check_eq!(store.count(&Scope::All).await?, most as u64, "how many there are");
    let last = store.found(&key(&format!("d{:05}", most - 1))?).await?;
    check_eq!(Some(last.etag), applied[most - 1].etag(), "the tag of the last");
    Ok(())
}

pub(crate) async fn a_batch_that_is_too_large_is_refused_as_a_whole(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let limits = store.limits();
    let size = limits.document.min(limits.batch_bytes) - 100;
    let count = limits.batch_bytes / size + 1;
    let large = Json::with_limit(format!("\"{}\"", "x".repeat(size - 2)), size)?;
    let ops: Vec<_> = (0..count)
        .map(|n| Ok(Op::put(id(&format!("d{n}"))?, large.clone(), IfAbsent)))
        .collect::<Checked<_>>()?;
    let error = fails(store.batch(&p, ops).await, "too_large", "a batch beyond its limit")?;
    check_eq!(error.operation_index(), None, "which operation is too much");
    check_eq!(store.count(&Scope::All).await?, 0, "how many there are");
    Ok(())
}

pub(crate) async fn what_is_wrong_with_one_operation_names_its_index(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let limit = store.limits().document;
    let large = Json::with_limit(format!("\"{}\"", "x".repeat(limit)), limit + 2)?;
    for (wrong, kind) in [
        (Op::put(id("b")?, large, Overwrite), "too_large"),
        (delete("b", IfAbsent)?, "invalid"),
        (Op::patch(id("b")?, number(1)?, IfAbsent), "invalid"),
        (put("b", 1, DocPrecondition::field_equals("n", 1))?, "invalid"),
    ] {
        // The first operation would be a conflict: what is wrong with a call is
        // told before anything is looked at.
        let ops = vec![put("a", 1, IfExists)?, wrong];
        let error = fails(store.batch(&p, ops).await, kind, "a wrong operation")?;
        check_eq!(error.operation_index(), Some(1), "which operation is wrong");
    }
    check_eq!(store.count(&Scope::All).await?, 0, "how many there are");
    Ok(())
}

pub(crate) async fn one_document_written_twice_is_told_once(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let token = store.change_token(&scope(P)?).await?;
    let ops = vec![put("b", 1, IfAbsent)?, put("a", 1, IfAbsent)?, put("b", 2, IfExists)?];
    let applied = store.batch(&p, ops).await?;
    let found = store.found(&key("b")?).await?;
    check_eq!(Some(found.etag), applied[2].etag(), "the tag of the second write");
    check!(applied[0].etag() != applied[2].etag(), "two writes share a tag");
    let (told, _) = store.told(&scope(P)?, Some(&token), 10).await?;
    let expected = [("b".to_owned(), applied[2].etag()), ("a".to_owned(), applied[1].etag())];
    check_eq!(shape(&told), expected, "what the feed tells");
    Ok(())
}

pub(crate) async fn t25_a_batch_answers_documents_where_asked(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let ops = vec![put("a", 1, IfAbsent)?, put("a", 2, IfExists)?, delete("none", Overwrite)?];
    let asked = WriteOptions::default().return_document().author("me");
    let applied = store.batch_with(&p, ops, asked).await?;
    let mut bodies = Vec::new();
    for one in &applied {
        if let Applied::Written(written) = one {
            let document = written.document.as_deref();
            let document = document.ok_or_else(|| Failure::new("a write without its document"))?;
            check_eq!(document.etag, written.etag, "the tag of the document in the answer");
            check_eq!(document.updated_by.as_deref(), Some("me"), "its author");
            bodies.push(document.body.clone());
        }
    }
    check_eq!(bodies, [number(1)?, number(2)?], "the documents as they were after each write");
    Ok(())
}

pub(crate) async fn t20_partitions_of_a_batch_stay_apart(on: Trial) -> Checked {
    let store = on.store();
    store.batch(&partition("p")?, vec![put("a", 1, IfAbsent)?]).await?;
    store.batch(&partition("q")?, vec![put("a", 2, IfAbsent)?, put("b", 2, IfAbsent)?]).await?;
    check_eq!(store.count(&scope("p")?).await?, 1, "how many are in p");
    check_eq!(store.count(&scope("q")?).await?, 2, "how many are in q");
    store.holds(&key("a")?, &number(1)?).await
}
