//! Local transactions through what they stand on.

use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::Operation;
use ifmatch_meta::{
    BlobMetaStore, DocPrecondition, ETag, Effect, MetaStore, Nonce, Op, TxAddress, TxBackend,
    TxCommit, TxId, TxOutcome,
};

use crate::support::{World, json, key, partition, put, write};

pub(crate) const LIFE: Duration = Duration::from_secs(10);

pub(crate) fn id(id: &str) -> TxId {
    TxId::new(id).unwrap()
}

/// What a handle sends that puts one document.
pub(crate) async fn putting(store: &BlobMetaStore, name: &str, body: &str) -> TxCommit {
    let key = key("p", name);
    let before = store.get(&key).await.unwrap().map(|document| document.etag);
    let (etag, now) = (ETag::mint(1, store.env()), store.env().wall_clock());
    let document = ifmatch_meta::Document {
        key: key.clone(),
        etag,
        body: json(body),
        created_at: now,
        updated_at: now,
        updated_by: None,
    };
    let effects = vec![Effect { id: key.id, before, after: Some(document) }];
    TxCommit { nonce: Nonce::draw(store.env()), staged: 0, author: None, effects }
}

pub(crate) async fn begin(store: &BlobMetaStore, name: &str) -> TxAddress {
    store.begin(&partition("p"), &id(name), LIFE).await.unwrap().address
}

#[tokio::test(start_paused = true)]
async fn t9_while_one_is_open_nobody_else_writes_there() {
    let world = World::new(1);
    let (store, other) = (world.with_transactions().await, world.store().await);
    write(&other, ("p", "a"), "1").await;
    let tx = begin(&store, "tx").await;
    for store in [&store, &other] {
        let a = key("p", "a");
        let error = store.put(&a, json("2"), DocPrecondition::Overwrite).await.unwrap_err();
        assert_eq!(error.kind(), "partition_locked");
        let ifmatch_meta::Error::PartitionLocked { holder, remaining, .. } = error else {
            panic!()
        };
        assert_eq!(holder, tx.id);
        assert!(remaining.unwrap() <= LIFE);
        // Not even a wrong precondition is looked at before.
        let error = store.put(&a, json("2"), DocPrecondition::IfAbsent).await.unwrap_err();
        assert_eq!(error.kind(), "partition_locked");
        assert_eq!(store.get(&a).await.unwrap().unwrap().body.as_str(), "1");
        let check = Op::check(a.id.clone(), DocPrecondition::IfExists);
        store.batch(&partition("p"), vec![check]).await.unwrap();
        let check = Op::check(a.id, DocPrecondition::IfAbsent);
        let error = store.batch(&partition("p"), vec![check]).await.unwrap_err();
        assert_eq!(error.kind(), "conflict");
        write(store, ("q", "a"), "1").await;
    }
    let second = store.begin(&partition("p"), &id("two"), LIFE).await.unwrap_err();
    assert_eq!(second.kind(), "partition_locked");
    let (position, _) = store.commit(&tx, putting(&store, "a", "3").await).await.unwrap();
    assert_eq!(other.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "3");
    let outcome = other.outcome(&tx.id, None).await.unwrap();
    assert!(matches!(outcome, TxOutcome::Committed { position: at, .. } if at == position));
    write(&other, ("p", "a"), "4").await;
}

#[tokio::test(start_paused = true)]
async fn t_costs_are_two_puts_to_begin_and_one_to_end() {
    let world = World::new(1);
    let store = world.with_transactions().await;
    write(&store, ("p", "a"), "1").await;
    let commit = putting(&store, "a", "2").await;
    world.asked();
    let record = store.begin(&partition("p"), &id("tx"), LIFE).await.unwrap();
    let put = (Operation::Put, "applied");
    assert_eq!((world.asked(), record.cost.requests), (vec![put, put], 2));
    assert_eq!((record.remaining, record.staged), (LIFE, 0));
    let (_, cost) = store.commit(&record.address, commit).await.unwrap();
    assert_eq!((world.asked(), cost.requests), (vec![put], 1));
    let tx = begin(&store, "two").await;
    world.asked();
    store.abort(&tx).await.unwrap();
    assert_eq!(world.asked(), [put]);
    let tx = begin(&store, "three").await;
    world.asked();
    let cost = store.stage(&tx, 0, Bytes::from_static(b"piece")).await.unwrap();
    assert_eq!((world.asked(), cost.requests), (vec![put, put], 2));
}

#[tokio::test(start_paused = true)]
async fn t11_a_begin_whose_answer_was_lost_is_asked_again_with_the_same_id() {
    let world = World::new(1);
    let (store, other) = (world.with_transactions().await, world.with_transactions().await);
    let first = store.begin(&partition("p"), &id("tx"), LIFE).await.unwrap();
    let again = other.begin(&partition("p"), &id("tx"), LIFE).await.unwrap();
    assert_eq!(first.address, again.address);
    assert!(again.remaining <= LIFE);
    let elsewhere = other.begin(&partition("q"), &id("tx"), LIFE).await.unwrap_err();
    assert_eq!(elsewhere.kind(), "invalid");
    other.abort(&again.address).await.unwrap();
    other.abort(&again.address).await.unwrap();
    let late = store.commit(&first.address, putting(&store, "a", "1").await).await.unwrap_err();
    assert_eq!(late.kind(), "expired");
    let new = store.begin(&partition("p"), &id("tx"), LIFE).await.unwrap();
    assert!(new.address.incarnation > first.address.incarnation);
    let old = store.commit(&first.address, putting(&store, "a", "1").await).await.unwrap_err();
    assert_eq!(old.kind(), "expired");
    assert_eq!(store.outcome(&id("tx"), None).await.unwrap(), TxOutcome::Open);
    let first = Some(first.address.incarnation);
    assert_eq!(store.outcome(&id("tx"), first).await.unwrap(), TxOutcome::Aborted);
    assert_eq!(store.outcome(&id("none"), None).await.unwrap(), TxOutcome::Forgotten);
}

#[tokio::test(start_paused = true)]
async fn an_id_moves_to_another_partition_once_it_is_free() {
    let world = World::new(1);
    let store = world.with_transactions().await;
    let first = begin(&store, "tx").await;
    store.abort(&first).await.unwrap();
    let moved = store.begin(&partition("q"), &id("tx"), LIFE).await.unwrap().address;
    assert_eq!(moved.partition, partition("q"));
    assert_eq!(store.find(&id("tx")).await.unwrap().unwrap().address, moved);
    assert!(store.begin(&partition("p"), &id("tx"), LIFE).await.is_err());
    store.abort(&moved).await.unwrap();
    let back = begin(&store, "tx").await;
    assert_eq!(store.find(&id("tx")).await.unwrap().unwrap().address, back);
}

#[tokio::test(start_paused = true)]
async fn of_many_begins_in_two_partitions_one_place_wins() {
    for seed in 0..30 {
        let world = World::new(seed);
        let mut stores = Vec::new();
        for _ in 0..4 {
            stores.push(world.with_transactions().await);
        }
        // The id was used before, so that each has to move it.
        let used = begin(&stores[0], "tx").await;
        stores[0].abort(&used).await.unwrap();
        let mut tasks = Vec::new();
        for (n, store) in stores.iter().cloned().enumerate() {
            let p = partition(["p", "q", "r", "p"][n]);
            let wait = Duration::from_millis(seed * n as u64 % 7);
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                store.begin(&p, &id("tx"), LIFE).await.map(|record| record.address)
            }));
        }
        let mut open = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(address) => open.push(address),
                Err(error) => assert!(["invalid", "busy"].contains(&error.kind()), "{error}"),
            }
        }
        open.dedup();
        assert_eq!(open.len(), 1, "seed {seed}: {open:?}");
        assert_eq!(stores[1].find(&id("tx")).await.unwrap().unwrap().address, open[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn t7_pieces_are_read_by_another_process_and_a_fork_of_them_is_busy() {
    let world = World::new(1);
    let (store, other) = (world.with_transactions().await, world.with_transactions().await);
    let tx = begin(&store, "tx").await;
    let piece = |text: &'static str| Bytes::from_static(text.as_bytes());
    store.stage(&tx, 0, piece("one")).await.unwrap();
    store.stage(&tx, 0, piece("one")).await.unwrap(); // Its answer was lost.
    assert_eq!(other.stage(&tx, 0, piece("other")).await.unwrap_err().kind(), "busy");
    assert_eq!(other.stage(&tx, 2, piece("three")).await.unwrap_err().kind(), "invalid");
    other.stage(&tx, 1, piece("two")).await.unwrap();
    assert_eq!(store.staged(&tx).await.unwrap(), ["one", "two"]);
    assert_eq!(other.find(&id("tx")).await.unwrap().unwrap().staged, 2);
    // A handle that knows of one piece lacks the second one's writes.
    let stale = TxCommit { staged: 1, ..putting(&store, "a", "1").await };
    assert_eq!(store.commit(&tx, stale).await.unwrap_err().kind(), "busy");
    let commit = TxCommit { staged: 2, ..putting(&store, "a", "1").await };
    let (position, _) = other.commit(&tx, commit.clone()).await.unwrap();
    assert_eq!(store.commit(&tx, commit).await.unwrap().0, position);
    let twice = TxCommit { staged: 2, ..putting(&store, "a", "1").await };
    assert_eq!(store.commit(&tx, twice).await.unwrap_err().kind(), "busy");
    assert_eq!(store.staged(&tx).await.unwrap_err().kind(), "expired");
    assert_eq!(store.stage(&tx, 2, piece("late")).await.unwrap_err().kind(), "expired");
    assert_eq!(store.abort(&tx).await.unwrap_err().kind(), "expired");
    assert_eq!(store.find(&id("tx")).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn staging_and_committing_at_the_same_time_never_loses_a_piece() {
    for seed in 0..40 {
        let world = World::new(seed);
        let (store, other) = (world.with_transactions().await, world.with_transactions().await);
        let tx = begin(&store, "tx").await;
        store.stage(&tx, 0, Bytes::from_static(b"0")).await.unwrap();
        let commit = TxCommit { staged: 1, ..putting(&store, "a", "1").await };
        let stage = async {
            tokio::time::sleep(Duration::from_micros(seed % 3)).await;
            other.stage(&tx, 1, Bytes::from_static(b"1")).await
        };
        let (committed, staged) = tokio::join!(store.commit(&tx, commit), stage);
        assert!(committed.is_ok() != staged.is_ok(), "{committed:?} {staged:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_applies_exactly_what_it_was_made_of() {
    let world = World::new(1);
    let store = world.with_transactions().await;
    store.batch(&partition("p"), vec![put("a", "1"), put("b", "2")]).await.unwrap();
    let wrong = TxCommit { ..putting(&store, "a", "9").await };
    let tx = begin(&store, "one").await;
    let b = store.get(&key("p", "b")).await.unwrap().unwrap();
    let mut commit = putting(&store, "a", "3").await;
    commit.effects.push(Effect { id: b.key.id.clone(), before: Some(b.etag), after: None });
    commit.effects.push(Effect { id: key("p", "never").id, before: None, after: None });
    store.commit(&tx, commit).await.unwrap();
    assert_eq!(store.get(&b.key).await.unwrap(), None);
    let tx = begin(&store, "two").await;
    assert_eq!(store.commit(&tx, wrong).await.unwrap_err().kind(), "expired");
    let nothing =
        TxCommit { nonce: Nonce::draw(store.env()), staged: 0, author: None, effects: Vec::new() };
    assert_eq!(store.commit(&tx, nothing).await.unwrap_err().kind(), "invalid");
    store.abort(&tx).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn t1_a_store_without_the_option_begins_nothing() {
    let world = World::new(1);
    let store = world.store().await;
    let error = store.begin(&partition("p"), &id("tx"), LIFE).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported");
    let store = world.with_transactions().await;
    for life in [Duration::ZERO, Duration::from_secs(61)] {
        let error = store.begin(&partition("p"), &id("tx"), life).await.unwrap_err();
        assert_eq!(error.kind(), "invalid");
    }
}

#[tokio::test(start_paused = true)]
async fn t18_a_transaction_has_a_thousand_pieces_and_goes_on_without_more() {
    let world = World::new(1);
    let store = world.with_transactions().await;
    let tx = begin(&store, "tx").await;
    for number in 0..1_000 {
        store.stage(&tx, number, Bytes::from_static(b"piece")).await.unwrap();
    }
    world.asked();
    for _ in 0..3 {
        let error = store.stage(&tx, 1_000, Bytes::from_static(b"more")).await.unwrap_err();
        assert_eq!(error.kind(), "too_large");
    }
    // Not even as debris.
    assert!(world.asked().iter().all(|(operation, _)| *operation != Operation::Put));
    store.stage(&tx, 999, Bytes::from_static(b"piece")).await.unwrap(); // Asked again.
    let commit = TxCommit { staged: 1_000, ..putting(&store, "a", "1").await };
    store.commit(&tx, commit).await.unwrap();
}
