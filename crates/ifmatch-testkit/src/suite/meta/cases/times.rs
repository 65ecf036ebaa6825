//! Clause 11: who and when.

use std::time::Duration;

use ifmatch_meta::{DocPrecondition, Op, WriteOptions};
use serde_json::json;

use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{P, Words, body, id, key, number, partition};

/// Long enough for any clock to tell two moments apart.
const A_WHILE: Duration = Duration::from_millis(3);

pub(crate) async fn t19_created_at_survives_replacement_and_not_deletion(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let before = store.env().wall_clock();
    store.create(&a, number(1)?).await?;
    let first = store.found(&a).await?;
    check!(before <= first.created_at, "created at {} before the put", first.created_at);
    check_eq!(first.created_at, first.updated_at, "the times of a new document");
    store.env().sleep(A_WHILE).await;
    store.put_(&a, number(2)?).await?;
    let second = store.found(&a).await?;
    check_eq!(second.created_at, first.created_at, "when it was created, after a put");
    check!(second.updated_at > first.updated_at, "a put did not move the time of the update");
    let patch = body(&json!({ "m": 1 }))?;
    store.patch(&a, patch, DocPrecondition::Overwrite, WriteOptions::default()).await?;
    let third = store.found(&a).await?;
    check_eq!(third.created_at, first.created_at, "when it was created, after a patch");
    store.delete_(&a).await?;
    store.env().sleep(A_WHILE).await;
    store.create(&a, number(3)?).await?;
    let again = store.found(&a).await?;
    check!(again.created_at > first.created_at, "a recreated document keeps its old time");
    Ok(())
}

pub(crate) async fn t19_a_document_deleted_and_made_in_one_batch_is_new(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    store.create(&a, number(1)?).await?;
    let first = store.found(&a).await?;
    store.env().sleep(A_WHILE).await;
    let ops = vec![
        Op::delete(id("a")?, DocPrecondition::IfExists),
        Op::put(id("a")?, number(2)?, DocPrecondition::IfAbsent),
    ];
    store.batch(&partition(P)?, ops).await?;
    let second = store.found(&a).await?;
    check!(second.created_at > first.created_at, "a recreated document keeps its old time");
    check!(second.etag != first.etag, "a recreated document keeps its old tag");
    Ok(())
}

pub(crate) async fn c11_the_author_is_that_of_the_write_else_of_the_store(on: Trial) -> Checked {
    let store = on.elsewhere(|wanted| wanted.author("the store")).await?;
    let a = key("a")?;
    store.create(&a, number(1)?).await?;
    check_eq!(store.found(&a).await?.updated_by.as_deref(), Some("the store"), "the author");
    let mine = WriteOptions::default().author("O'Neil; --\"é😀");
    store.put_with(&a, number(2)?, DocPrecondition::Overwrite, mine.clone()).await?;
    let by = store.found(&a).await?.updated_by;
    check_eq!(by, mine.author, "the author");
    let op = Op::patch(id("a")?, number(3)?, DocPrecondition::Overwrite);
    store.batch(&partition(P)?, vec![op.clone()]).await?;
    check_eq!(store.found(&a).await?.updated_by.as_deref(), Some("the store"), "the author");
    store.batch_with(&partition(P)?, vec![op], mine.clone()).await?;
    check_eq!(store.found(&a).await?.updated_by, mine.author, "the author of a batch");
    Ok(())
}

pub(crate) async fn c11_without_an_author_nobody_is_named(on: Trial) -> Checked {
    let (store, a) = (on.store(), key("a")?);
    let mine = WriteOptions::default().author("me");
    store.put_with(&a, number(1)?, DocPrecondition::IfAbsent, mine).await?;
    store.put_(&a, number(2)?).await?;
    check_eq!(store.found(&a).await?.updated_by, None, "the author of a write without one");
    Ok(())
}

pub(crate) async fn c11_a_store_opened_by_another_author_names_that_one(on: Trial) -> Checked {
    on.store().create(&key("a")?, number(1)?).await?;
    let second = on.again(on.wanted().author("second")).await?;
    second.create(&key("b")?, number(1)?).await?;
    check_eq!(second.found(&key("a")?).await?.updated_by, None, "the author of the first");
    let by = on.store().found(&key("b")?).await?.updated_by;
    check_eq!(by.as_deref(), Some("second"), "the author of the second");
    Ok(())
}
