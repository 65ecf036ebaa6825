//! How a transaction ends that nobody ends.

use std::time::Duration;

use ifmatch_core::Simulation;
use ifmatch_meta::{BlobMetaOptions, DocPrecondition, MetaStore, TxBackend, TxOutcome};

use crate::support::{World, json, key, partition, write};
use crate::transactions::{LIFE, begin, id, putting};

#[tokio::test(start_paused = true)]
async fn t10_who_has_seen_the_lock_for_its_whole_life_takes_over() {
    let world = World::new(1);
    let (owner, other) = (world.with_transactions().await, world.store().await);
    let tx = begin(&owner, "tx").await;
    let commit = putting(&owner, "a", "0").await;
    let a = key("p", "a");
    let put = || other.put(&a, json("1"), DocPrecondition::Overwrite);
    tokio::time::sleep(LIFE / 2).await;
    assert_eq!(put().await.unwrap_err().kind(), "partition_locked");
    tokio::time::sleep(LIFE.saturating_sub(Duration::from_millis(1))).await;
    assert_eq!(put().await.unwrap_err().kind(), "partition_locked");
    tokio::time::sleep(Duration::from_millis(1)).await;
    put().await.unwrap();
    let late = owner.commit(&tx, commit).await.unwrap_err();
    assert_eq!(late.kind(), "expired");
    assert_eq!(owner.outcome(&tx.id, None).await.unwrap(), TxOutcome::Aborted);
    assert_eq!(other.get(&a).await.unwrap().unwrap().body.as_str(), "1");
}

#[tokio::test(start_paused = true)]
async fn t10_who_looks_once_takes_over_two_lives_later_by_the_stores_clock() {
    for (wait, taken) in
        [((LIFE * 2).saturating_sub(Duration::from_millis(1)), false), (LIFE * 2, true)]
    {
        let world = World::new(1);
        let owner = world.with_transactions().await;
        begin(&owner, "tx").await;
        tokio::time::sleep(wait).await;
        // A process that has never seen the lock before, with a clock that is off.
        let late = Simulation::seeded(9);
        late.jump_wall_clock(-1_000_000_000_000);
        let options = BlobMetaOptions::create().transactions(true).env(late.env());
        let other = world.open(options).await;
        let found = other.find(&id("tx")).await.unwrap();
        assert_eq!(found.is_none(), taken);
        let put = other.put(&key("p", "a"), json("1"), DocPrecondition::IfAbsent).await;
        assert_eq!(put.is_ok(), taken);
    }
}

#[tokio::test(start_paused = true)]
async fn a_begin_takes_over_too_and_the_same_id_is_a_new_incarnation() {
    let world = World::new(1);
    let owner = world.with_transactions().await;
    let first = begin(&owner, "tx").await;
    tokio::time::sleep(LIFE * 2).await;
    let other = world.with_transactions().await;
    let second = begin(&other, "tx").await;
    assert!(second.incarnation > first.incarnation);
    let late = owner.commit(&first, putting(&owner, "a", "1").await).await.unwrap_err();
    assert_eq!(late.kind(), "expired");
    other.commit(&second, putting(&other, "a", "2").await).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_is_asked_for_late_is_settled() {
    let world = World::new(1);
    let owner = world.with_transactions().await;
    let tx = begin(&owner, "tx").await;
    let other = world.store().await;
    assert_eq!(other.outcome(&tx.id, None).await.unwrap(), TxOutcome::Open);
    tokio::time::sleep(LIFE).await;
    assert_eq!(other.outcome(&tx.id, None).await.unwrap(), TxOutcome::Aborted);
    let late = owner.commit(&tx, putting(&owner, "a", "1").await).await.unwrap_err();
    assert_eq!(late.kind(), "expired");
    write(&other, ("p", "a"), "1").await;
}

#[tokio::test(start_paused = true)]
async fn the_owners_own_process_does_not_commit_after_its_life() {
    let world = World::new(1);
    let owner = world.with_transactions().await;
    let tx = begin(&owner, "tx").await;
    let commit = putting(&owner, "a", "1").await;
    tokio::time::sleep(LIFE).await;
    assert_eq!(owner.commit(&tx, commit).await.unwrap_err().kind(), "expired");
    assert_eq!(owner.get(&key("p", "a")).await.unwrap(), None);
    write(&owner, ("p", "a"), "2").await;
}

#[tokio::test(start_paused = true)]
async fn a_read_of_a_locked_partition_begins_the_watch() {
    let world = World::new(1);
    let (owner, other) = (world.with_transactions().await, world.store().await);
    write(&other, ("p", "a"), "0").await;
    begin(&owner, "tx").await;
    other.get(&key("p", "a")).await.unwrap();
    tokio::time::sleep(LIFE).await;
    write(&other, ("p", "a"), "1").await;
}

#[tokio::test(start_paused = true)]
async fn of_many_who_take_over_all_go_on_and_the_owner_never_wins() {
    let world = World::new(1);
    let owner = world.with_transactions().await;
    let tx = begin(&owner, "tx").await;
    let commit = putting(&owner, "a", "\"owner\"").await;
    let mut tasks = Vec::new();
    for n in 0..6 {
        let store = world.store().await;
        tasks.push(tokio::spawn(async move {
            let own = key("p", &format!("own{n}"));
            loop {
                match store.put(&own, json("1"), DocPrecondition::IfAbsent).await {
                    Ok(_) => return,
                    Err(error) => assert_eq!(error.kind(), "partition_locked"),
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(owner.commit(&tx, commit).await.unwrap_err().kind(), "expired");
    let page = owner.scan(&partition("p"), ifmatch_meta::ScanOptions::default()).await.unwrap();
    assert_eq!(page.documents.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn debris_of_a_stage_that_never_was_told_is_stepped_over() {
    let world = World::new(1);
    let (store, other) = (world.with_transactions().await, world.with_transactions().await);
    let tx = begin(&store, "tx").await;
    // A process died between the piece and the commit that names it.
    let piece = format!("data/p/staged/{:020}/{:020}", tx.incarnation, 0);
    world.put_back(&piece, bytes::Bytes::from_static(b"debris")).await;
    other.stage(&tx, 0, bytes::Bytes::from_static(b"one")).await.unwrap();
    other.stage(&tx, 1, bytes::Bytes::from_static(b"two")).await.unwrap();
    assert_eq!(store.staged(&tx).await.unwrap(), ["one", "two"]);
    let damaged = format!("data/p/staged/{:020}/{:020}", tx.incarnation, 2);
    world.put_back(&damaged, bytes::Bytes::from_static(b"twx")).await;
    assert_eq!(store.staged(&tx).await.unwrap_err().kind(), "corrupt");
}
