//! Many writers at once.

use ifmatch_recipes::item::{ItemError, MissingItem};

use crate::{item, items, p};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c5_of_32_writers_with_one_etag_exactly_one_wins() {
    let items = items();
    let mut newest = items.create_item(&p(), &item("a", 0)).await.unwrap();
    for round in 0..20 {
        let tasks: Vec<_> = (0..32)
            .map(|task| {
                let (items, etag) = (items.clone(), newest.etag());
                let mine = item("a", round * 100 + task);
                tokio::spawn(async move { items.try_upsert(&p(), &mine, Some(etag)).await })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok((item, replaced)) => {
                    assert!(replaced);
                    winners.push(item);
                }
                Err(ItemError::Concurrency(error)) => {
                    assert_ne!(error.current(), Some(newest.etag()), "not a stale answer");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        newest = winners.remove(0);
        assert_eq!(items.read_item("a", &p()).await.unwrap().unwrap(), newest);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c16_of_writers_that_create_a_missing_item_exactly_one_does() {
    let items = items().missing_item(MissingItem::Create);
    for round in 0..20 {
        let gone = items.create_item(&p(), &item("a", 0)).await.unwrap();
        items.delete_item("a", &p(), &gone).await.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|task| {
                let (items, etag, mine) = (items.clone(), gone.etag(), item("a", task));
                tokio::spawn(async move { items.try_upsert(&p(), &mine, Some(etag)).await })
            })
            .collect();
        let mut created = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok((item, replaced)) => {
                    assert!(!replaced);
                    created.push(item);
                }
                Err(ItemError::Concurrency(error)) => {
                    assert!(error.current().is_some());
                    let expected = &error.conflict().unwrap().expected;
                    let tag = ifmatch_meta::DocPrecondition::IfMatch(gone.etag());
                    assert_eq!(*expected, tag, "it says what the caller expected");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(created.len(), 1, "round {round}");
        items.delete_item("a", &p(), &created[0]).await.unwrap();
    }
}
