//! Clause 14: the feed.

use std::collections::BTreeMap;
use std::time::Duration;

use ifmatch_meta::{
    Change, ChangeToken, DocKey, DocPrecondition, ETag, Json, Op, ScanOptions, Scope, WriteOptions,
};

use crate::suite::Failure;
use crate::suite::meta::race::race;
use crate::suite::meta::trial::{Checked, Trial};
use crate::suite::meta::words::{
    P, Words, body, delete, fails, id, key, number, partition, put, scope, shape,
};
use DocPrecondition::{IfAbsent, IfExists, Overwrite};

fn written(name: &str, etag: ETag) -> (String, Option<ETag>) {
    (name.to_owned(), Some(etag))
}

/// What is there, of a feed from the beginning: it may tell of deletions too.
fn there(told: &[Change]) -> Vec<(String, Option<ETag>)> {
    shape(told).into_iter().filter(|(_, etag)| etag.is_some()).collect()
}

pub(crate) async fn from_the_beginning_the_feed_tells_what_is_there(on: Trial) -> Checked {
    let store = on.store();
    let a = store.create(&key("a")?, number(1)?).await?;
    let b = store.create(&key("b")?, number(1)?).await?;
    store.create(&key("c")?, number(1)?).await?;
    let a2 = store.put_(&key("a")?, number(2)?).await?;
    store.delete_(&key("c")?).await?;
    check!(a.position < b.position && b.position < a2.position, "positions do not grow");
    for limit in [1, 2, 100] {
        let (told, _) = store.told(&scope(P)?, None, limit).await?;
        let expected = [written("b", b.etag), written("a", a2.etag)];
        check_eq!(there(&told), expected, "the documents that are told");
        for change in &told {
            if let Some(document) = change.document() {
                check_eq!(*document, store.found(change.key()).await?, "the document told");
            }
        }
    }
    Ok(())
}

pub(crate) async fn the_feed_goes_on_from_its_token(on: Trial) -> Checked {
    let store = on.store();
    let (_, start) = store.told(&scope(P)?, None, 10).await?;
    let a = store.create(&key("a")?, number(1)?).await?;
    let (told, after_a) = store.told(&scope(P)?, Some(&start), 10).await?;
    check_eq!(shape(&told), [written("a", a.etag)], "what is told first");
    check_eq!(told[0].position(), a.position, "its position");
    let b = store.create(&key("b")?, number(1)?).await?;
    let printed: ChangeToken = after_a.to_string().parse()?;
    let (told, end) = store.told(&scope(P)?, Some(&printed), 10).await?;
    check_eq!(shape(&told), [written("b", b.etag)], "what is told then");
    let (told, still) = store.told(&scope(P)?, Some(&end), 10).await?;
    check_eq!(shape(&told), [], "what is told of nothing");
    let (told, _) = store.told(&scope(P)?, Some(&start), 10).await?;
    let both = [written("a", a.etag), written("b", b.etag)];
    check_eq!(shape(&told), both, "what an old token tells again");
    store.put_(&key("a")?, number(2)?).await?;
    let (told, _) = store.told(&scope(P)?, Some(&still), 10).await?;
    check_eq!(told.len(), 1, "what a token of a caught-up page tells");
    Ok(())
}

pub(crate) async fn each_document_is_told_once_in_its_newest_state(on: Trial) -> Checked {
    let store = on.store();
    let token = store.change_token(&scope(P)?).await?;
    store.create(&key("a")?, number(1)?).await?;
    let b = store.create(&key("b")?, number(1)?).await?.etag;
    for n in 0..5 {
        store.put_(&key("a")?, number(n)?).await?;
    }
    store.delete_(&key("a")?).await?;
    let a = store.create(&key("a")?, number(9)?).await?.etag;
    let c = store.create(&key("c")?, number(1)?).await?.etag;
    store.delete_(&key("c")?).await?;
    for limit in [1, 2, 10] {
        let (told, _) = store.told(&scope(P)?, Some(&token), limit).await?;
        let expected = [written("b", b), written("a", a), ("c".to_owned(), None)];
        check_eq!(shape(&told), expected, "pages of {limit}");
    }
    check!(c != a, "two documents share a tag");
    Ok(())
}

pub(crate) async fn a_deletion_is_told_with_what_was_deleted(on: Trial) -> Checked {
    let store = on.store();
    let etag = store.create(&key("a")?, number(1)?).await?.etag;
    let token = store.change_token(&scope(P)?).await?;
    let before = store.env().wall_clock();
    let mine = WriteOptions::default().author("me");
    let deleted = store.delete_with(&key("a")?, Overwrite, mine).await?;
    let (told, next) = store.told(&scope(P)?, Some(&token), 10).await?;
    match &told[..] {
        [Change::Deleted { tombstone, position }] => {
            check_eq!(tombstone.key, key("a")?, "which document");
            check_eq!(tombstone.deleted_etag, etag, "the tag that was deleted");
            check_eq!(tombstone.deleted_by.as_deref(), Some("me"), "who deleted it");
            check!(tombstone.deleted_at >= before, "deleted at {}", tombstone.deleted_at);
            check_eq!(*position, deleted.position, "the position of the deletion");
        }
        other => check!(false, "a deletion is told as {other:?}"),
    }
    // Deleting nothing is no change.
    store.delete_(&key("a")?).await?;
    store.delete_(&key("never")?).await?;
    check_eq!(shape(&store.told(&scope(P)?, Some(&next), 10).await?.0), [], "what is told");
    Ok(())
}

pub(crate) async fn the_members_of_a_batch_are_told_in_their_order(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    store.create(&key("z")?, number(1)?).await?;
    let token = store.change_token(&scope(P)?).await?;
    let ops = vec![
        put("c", 1, IfAbsent)?,
        delete("z", IfExists)?,
        put("a", 1, IfAbsent)?,
        put("b", 1, IfAbsent)?,
        put("x", 1, IfAbsent)?,
        delete("x", IfExists)?,
    ];
    store.batch(&p, ops).await?;
    for limit in [1, 3, 10] {
        // A page may end in the middle of a batch.
        let (told, _) = store.told(&scope(P)?, Some(&token), limit).await?;
        let ids: Vec<_> = told.iter().map(|change| change.key().id.as_str()).collect();
        check_eq!(ids, ["c", "z", "a", "b"], "pages of {limit}");
        let positions: Vec<_> = told.iter().map(Change::position).collect();
        check!(positions.iter().all(|position| *position == positions[0]), "{positions:?}");
    }
    Ok(())
}

pub(crate) async fn a_change_in_the_middle_of_a_page_is_told_later(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let names = ["a", "b", "c", "d"];
    let ops = names.iter().map(|name| put(name, 1, IfAbsent)).collect::<Checked<Vec<_>>>()?;
    store.batch(&p, ops).await?;
    let first = store.changes(&scope(P)?, None, 2).await?;
    check!(first.more, "half of a batch says that there is no more");
    let b = store.put_(&key("b")?, number(2)?).await?.etag;
    let c = store.put_(&key("c")?, number(2)?).await?.etag;
    let (told, _) = store.told(&scope(P)?, Some(&first.next), 10).await?;
    let d = store.found(&key("d")?).await?.etag;
    check_eq!(shape(&told), [written("d", d), written("b", b), written("c", c)], "the rest");
    Ok(())
}

pub(crate) async fn a_token_of_now_tells_what_comes_later_only(on: Trial) -> Checked {
    let store = on.store();
    store.create(&key("a")?, number(1)?).await?;
    store.delete_(&key("a")?).await?;
    store.create(&key("b")?, number(1)?).await?;
    for scope in [scope(P)?, Scope::All, scope("never")?] {
        let token = store.change_token(&scope).await?;
        let page = store.changes(&scope, Some(&token), 10).await?;
        check!(page.changes.is_empty() && !page.more, "{scope:?} tells {page:?}");
    }
    let (token, all) = (store.change_token(&scope(P)?).await?, Scope::All);
    let token_of_all = store.change_token(&all).await?;
    let c = store.create(&key("c")?, number(1)?).await?.etag;
    for (scope, token) in [(scope(P)?, token), (all, token_of_all)] {
        let (told, _) = store.told(&scope, Some(&token), 10).await?;
        check_eq!(shape(&told), [written("c", c)], "what {scope:?} tells");
    }
    Ok(())
}

pub(crate) async fn the_feed_of_all_partitions_misses_none(on: Trial) -> Checked {
    let store = on.store();
    let at = |p: &str, i: &str| -> Checked<DocKey> { Ok(DocKey::new(p, i)?) };
    store.create(&at("p", "a")?, number(1)?).await?;
    let (told, token) = store.told(&Scope::All, None, 1).await?;
    check_eq!(told.len(), 1, "what is told from the beginning");
    // A partition that the token does not know.
    store.create(&at("new: %,é", "b")?, number(1)?).await?;
    store.put_(&at("p", "a")?, number(2)?).await?;
    store.create(&at("p", "c")?, number(1)?).await?;
    store.delete_(&at("p", "c")?).await?;
    for limit in [1, 2, 10] {
        let (told, next) = store.told(&Scope::All, Some(&token), limit).await?;
        let mut keys: Vec<_> = told.iter().map(|change| change.key().to_string()).collect();
        keys.sort();
        check_eq!(keys, ["new: %,é/b", "p/a", "p/c"], "pages of {limit}");
        let printed: ChangeToken = next.to_string().parse()?;
        check_eq!(store.told(&Scope::All, Some(&printed), limit).await?.0.len(), 0, "the rest");
    }
    let (told, _) = store.told(&scope("p")?, None, 10).await?;
    check!(told.iter().all(|change| change.key().partition.as_str() == "p"), "{told:?}");
    Ok(())
}

pub(crate) async fn a_token_of_another_feed_is_invalid(on: Trial) -> Checked {
    let store = on.store();
    store.create(&key("a")?, number(1)?).await?;
    store.create(&DocKey::new("q", "a")?, number(1)?).await?;
    let (_, of_p) = store.told(&scope(P)?, None, 10).await?;
    let answer = store.changes(&scope("q")?, Some(&of_p), 10).await;
    fails(answer, "invalid", "a token of another partition")?;
    let other = on.elsewhere(|wanted| wanted).await?;
    other.create(&key("a")?, number(1)?).await?;
    let (_, foreign) = other.told(&scope(P)?, None, 10).await?;
    let answer = store.changes(&scope(P)?, Some(&foreign), 10).await;
    fails(answer, "invalid", "a token of another store")?;
    let (_, foreign) = other.told(&Scope::All, None, 10).await?;
    let answer = store.changes(&Scope::All, Some(&foreign), 10).await;
    fails(answer, "invalid", "a token of another store")?;
    Ok(())
}

pub(crate) async fn a_page_of_the_feed_ends_after_four_mebibytes(on: Trial) -> Checked {
    let store = on.store();
    let size = store.limits().document.min(ScanOptions::PAGE_BYTES / 3);
    let count = ScanOptions::PAGE_BYTES / size + 2;
    let large = Json::with_limit(format!("\"{}\"", "x".repeat(size - 2)), size)?;
    for n in 0..count {
        store.create(&key(&format!("d{n:04}"))?, large.clone()).await?;
    }
    let page = store.changes(&scope(P)?, None, 1_000).await?;
    let held: usize = page.changes.iter().filter_map(Change::document).map(|d| d.body.len()).sum();
    check!(page.more, "a page of {held} bytes holds all");
    let most = ScanOptions::PAGE_BYTES + size;
    check!(held <= most, "a page of {held} bytes, {most} are the most");
    check_eq!(store.told(&scope(P)?, None, 1_000).await?.0.len(), count, "all pages");
    Ok(())
}

pub(crate) async fn a_wait_ends_when_something_changed_or_its_time_is_over(on: Trial) -> Checked {
    let (store, p) = (on.store(), scope(P)?);
    let token = store.change_token(&p).await?;
    store.create(&key("a")?, number(1)?).await?;
    // Something has changed, so it may end at once; it ends in any case.
    store.wait_for_change(&p, &token, Duration::from_millis(200)).await;
    let (told, next) = store.told(&p, Some(&token), 10).await?;
    check_eq!(told.len(), 1, "what is told after the wait");
    store.wait_for_change(&p, &next, Duration::from_millis(50)).await;
    let hint = store.wait_for_change(&p, &next, Duration::from_secs(1));
    let b = key("b")?;
    let ((), done) = futures::join!(hint, store.create(&b, number(1)?));
    done?;
    check_eq!(store.told(&p, Some(&next), 10).await?.0.len(), 1, "what is told after the wait");
    Ok(())
}

/// Four writers of a few documents, and a reader that goes from token to token:
/// in the end it knows exactly what is there, and it never went back.
pub(crate) async fn a_reader_misses_nothing_while_many_write(on: Trial) -> Checked {
    let (store, rounds) = (on.store(), 40);
    let writers = (0..4_usize).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..rounds {
                let name = format!("d{}", (writer + round * 3) % 7);
                if (round + writer).is_multiple_of(5) {
                    store.delete_(&key(&name)?).await?;
                } else {
                    store.put_(&key(&name)?, number((writer * 1_000 + round) as u64)?).await?;
                }
                if round.is_multiple_of(9) {
                    let other = format!("e{writer}");
                    let ops = vec![put(&name, 1, Overwrite)?, put(&other, 2, Overwrite)?];
                    store.batch(&partition(P)?, ops).await?;
                }
            }
            Ok::<_, Failure>(())
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut known: BTreeMap<String, (u64, Option<ETag>)> = BTreeMap::new();
    let mut token = None;
    let mut newest = 0;
    let mut over = false;
    loop {
        // Whether all had ended before this page was asked for.
        let ended = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = store.changes(&scope(P)?, token.as_ref(), 3).await?;
        for (change, (name, etag)) in page.changes.iter().zip(shape(&page.changes)) {
            let position = change.position();
            check!(newest <= position, "position {position} is told after {newest}");
            newest = position;
            if let Some((before, _)) = known.get(&name) {
                check!(*before < position, "{name} is told at {position} after {before}");
            }
            known.insert(name, (position, etag));
        }
        token = Some(page.next);
        if over && !page.more {
            break;
        }
        over = ended;
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await??;
    }
    let mut expected = BTreeMap::new();
    let scan = store.scan(&partition(P)?, ScanOptions::default()).await?;
    for found in scan.documents {
        expected.insert(found.key.id.as_str().to_owned(), found.etag);
    }
    let heard: BTreeMap<_, _> =
        known.into_iter().filter_map(|(name, (_, etag))| Some((name, etag?))).collect();
    check_eq!(heard, expected, "what the reader knows in the end");
    Ok(())
}

pub(crate) async fn a_token_outlives_the_handle_that_gave_it(on: Trial) -> Checked {
    let store = on.store();
    store.create(&key("a")?, number(1)?).await?;
    let (_, token) = store.told(&scope(P)?, None, 10).await?;
    let (_, of_all) = store.told(&Scope::All, None, 10).await?;
    let b = store.create(&key("b")?, number(1)?).await?;
    store.delete_(&key("a")?).await?;
    let again = on.again(on.wanted()).await?;
    store.close().await?;
    for (scope, token) in [(scope(P)?, token), (Scope::All, of_all)] {
        let (told, _) = again.told(&scope, Some(&token), 10).await?;
        check_eq!(shape(&told), [written("b", b.etag), ("a".to_owned(), None)], "{scope:?}");
        check_eq!(told[0].position(), b.position, "the position after a reopen");
    }
    Ok(())
}

pub(crate) async fn positions_are_those_of_the_feed_whoever_wrote(on: Trial) -> Checked {
    let (store, p) = (on.store(), partition(P)?);
    let answers = race(6, |number| {
        let (store, p) = (store.clone(), p.clone());
        async move {
            let ops = vec![
                Op::put(id(&format!("x{number}"))?, body(&number.into())?, IfAbsent),
                Op::put(id(&format!("y{number}"))?, body(&number.into())?, IfAbsent),
            ];
            let applied = store.batch(&p, ops).await?;
            match &applied[..] {
                [ifmatch_meta::Applied::Written(x), ..] => Ok(x.position),
                other => Err(Failure::new(format!("a batch answers {other:?}"))),
            }
        }
    })
    .await?;
    let answers = answers.into_iter().collect::<Checked<Vec<_>>>()?;
    let (told, _) = store.told(&scope(P)?, None, 100).await?;
    check_eq!(told.len(), 12, "how many are told");
    for change in &told {
        let writer: usize = change.key().id.as_str()[1..].parse()?;
        check_eq!(change.position(), answers[writer], "the position of {}", change.key());
    }
    Ok(())
}
