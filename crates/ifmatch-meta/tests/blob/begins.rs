//! Begins that are asked again, that come late, and whose rivals die: a begin
//! that says Ok gives a transaction that can be used, and no other begin stands
//! in the way for ever.
//!
//! Broken once: a lock whose life was over by the store's clock, but not yet for
//! others, was handed out as an open transaction whose every operation failed;
//! and an id whose mover died half-way could never be begun again.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::poll;
use ifmatch_meta::{
    BlobMetaStore, DocPrecondition, Result, Transaction, TxBackend, TxOptions, TxOutcome,
};

use crate::support::{World, json, key, partition};
use crate::transactions::{LIFE, begin, id};

async fn asked_again(store: &BlobMetaStore) -> Result<Transaction> {
    let options = TxOptions::default().id(id("tx")).lifetime(LIFE);
    Transaction::begin(Arc::new(store.clone()), &partition("p"), options).await
}

#[tokio::test(start_paused = true)]
async fn t11_a_begin_that_says_ok_gives_a_transaction_that_can_be_used() {
    let step = LIFE / 8;
    for late in 0..20 {
        let world = World::new(1);
        // Its answer was lost, and with it whoever began.
        begin(&world.with_transactions().await, "tx").await;
        tokio::time::sleep(step * late).await;
        let other = world.with_transactions().await;
        let began = world.env.now();
        // Asked again until it is one's own, it is never a dead one in between.
        let tx = loop {
            match asked_again(&other).await {
                Ok(tx) => break tx,
                Err(error) => assert_eq!(error.kind(), "partition_locked", "{error}"),
            }
            let waited = world.env.now().saturating_sub(began);
            assert!(waited <= LIFE, "locked {waited:?} after a begin {:?} ago", step * late);
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert!(!tx.remaining().is_zero(), "{late} steps late: a life that is over");
        let a = key("p", "a");
        tx.get(&a).await.unwrap();
        tx.put(&a, json("1"), DocPrecondition::IfAbsent).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_whose_mover_died_on_the_way_can_be_begun_again() {
    let mut elsewhere = 0;
    for polls in 0..30 {
        let world = World::new(polls);
        let (store, mover) = (world.with_transactions().await, world.with_transactions().await);
        let used = begin(&store, "tx").await;
        store.abort(&used).await.unwrap();
        {
            let (name, q) = (id("tx"), partition("q"));
            let mut moving = pin!(mover.begin(&q, &name, LIFE));
            for _ in 0..polls {
                if poll!(&mut moving).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let back = match asked_again(&store).await {
            Ok(tx) => tx,
            Err(error) => {
                // Only because it is open over there.
                assert_eq!(error.kind(), "invalid", "after {polls} polls: {error}");
                let there = mover.find(&id("tx")).await.unwrap().unwrap();
                assert_eq!(there.address.partition, partition("q"));
                elsewhere += 1;
                continue;
            }
        };
        back.put(&key("p", "a"), json("1"), DocPrecondition::IfAbsent).await.unwrap();
        back.commit().await.unwrap();
        let outcome = mover.outcome(&id("tx"), None).await.unwrap();
        assert!(matches!(outcome, TxOutcome::Committed { .. }), "{outcome:?}");
    }
    assert!((1..30).contains(&elsewhere), "no begin was dropped on its way: {elsewhere}");
}
