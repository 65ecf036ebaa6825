//! Partitions: their names, their listing, and how many are held.

use futures::TryStreamExt as _;
use ifmatch_core::{BlobPrefix, Operation};
use ifmatch_meta::{BlobMetaOptions, DocPrecondition, MetaStore, Partition, Scope};

use crate::support::{World, key, partition, write};

#[tokio::test(start_paused = true)]
async fn all_names_are_listed_in_byte_order_of_the_true_name() {
    let world = World::new(1);
    let store = world.store().await;
    let long = "x".repeat(500);
    let longer = format!("{}y", "x".repeat(500));
    let slashes = "/".repeat(100);
    let mut names = vec![
        "a", "a%", "a/b", "a0", ".hidden", "..", "~", "ä", "Z z", "e", &long, &longer, &slashes,
    ];
    for name in &names {
        write(&store, (name, "d"), "1").await;
    }
    write(&store, ("ifmatch.locks", "d"), "1").await;
    write(&store, ("only ours", "ifmatch.d"), "1").await;
    store.delete(&key("e", "d"), DocPrecondition::IfExists).await.unwrap();
    names.retain(|name| *name != "e");
    names.sort_unstable();
    let (cold, expected) = (world.store().await, names.len());
    for store in [&store, &cold] {
        let listed = store.partitions(None, 100).await.unwrap();
        assert_eq!(listed.iter().map(Partition::as_str).collect::<Vec<_>>(), names);
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.partitions(after.as_ref(), 5).await.unwrap();
            paged.extend(page.iter().cloned());
            after = page.last().cloned();
            if page.len() < 5 {
                break;
            }
        }
        assert_eq!(paged, listed);
        assert_eq!(store.count(&Scope::All).await.unwrap(), expected as u64);
    }
    for name in names {
        assert!(cold.get(&key(name, "d")).await.unwrap().is_some(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_costs_the_listing_and_a_head_each() {
    let world = World::new(1);
    let store = world.store().await;
    for name in ["a", "b", "c"] {
        write(&store, (name, "d"), "1").await;
    }
    let cold = world.store().await;
    world.asked();
    cold.partitions(None, 100).await.unwrap();
    let found = (Operation::Get, "found");
    assert_eq!(world.asked(), [(Operation::List, "sent"), found, found, found]);
    store.partitions(None, 100).await.unwrap();
    let same = (Operation::Get, "not_modified");
    assert_eq!(world.asked(), [(Operation::List, "sent"), same, same, same]);
}

#[tokio::test(start_paused = true)]
async fn few_partitions_are_held_and_all_can_be_used() {
    let world = World::new(1);
    let store = world.open(BlobMetaOptions::create().open_partitions(2)).await;
    for round in 0..3 {
        for n in 0..6 {
            let name = format!("p{n}");
            let written = write(&store, (&name, "d"), &round.to_string()).await;
            assert_eq!(written.created, round == 0);
        }
    }
    world.asked();
    store.get(&key("p5", "d")).await.unwrap();
    assert_eq!(world.asked(), [(Operation::Get, "not_modified")]);
    store.get(&key("p0", "d")).await.unwrap();
    assert_eq!(world.asked()[0], (Operation::Get, "found"));
    let small = world.open(BlobMetaOptions::create().open_bytes(3)).await;
    for n in 0..6 {
        assert!(small.get(&key(&format!("p{n}"), "d")).await.unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_opened_once_however_many_ask() {
    let world = World::new(1);
    write(&world.store().await, ("p", "d"), "1").await;
    let store = world.store().await;
    world.asked();
    let (p, d) = (partition("p"), key("p", "d"));
    let gets = (0..20).map(|_| store.get(&d));
    for got in futures::future::join_all(gets).await {
        assert!(got.unwrap().is_some());
    }
    let found = world.asked().iter().filter(|asked| asked.1 == "found").count();
    assert_eq!(found, 1);
    drop(p);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_was_closed_and_went_back_is_noticed() {
    let world = World::new(1);
    let store = world.open(BlobMetaOptions::create().open_partitions(1)).await;
    write(&store, ("p", "d"), "1").await;
    let old = world.body("heads/p").await.unwrap();
    write(&store, ("p", "d"), "2").await;
    write(&store, ("q", "d"), "1").await;
    world.put_back("heads/p", old).await;
    let error = store.get(&key("p", "d")).await.unwrap_err();
    assert_eq!(error.kind(), "remote_rewound");
    // A new process takes it as it is.
    let body = world.store().await.get(&key("p", "d")).await.unwrap().unwrap().body;
    assert_eq!(body.as_str(), "1");
}

#[tokio::test(start_paused = true)]
async fn a_head_under_another_partitions_name_is_corrupt() {
    let world = World::new(1);
    write(&world.store().await, ("p", "d"), "1").await;
    let head = world.body("heads/p").await.unwrap();
    world.put_back("heads/q", head).await;
    let store = world.store().await;
    assert_eq!(store.get(&key("q", "d")).await.unwrap_err().kind(), "corrupt");
    assert_eq!(store.partitions(None, 9).await.unwrap_err().kind(), "corrupt");
    assert!(store.get(&key("p", "d")).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_partition_of_many_commits_opens_from_its_checkpoint() {
    let world = World::new(1);
    let store = world.store().await;
    for n in 0..400_u32 {
        // What does not pack.
        let numbers = (0..300_u32)
            .map(|at| at.wrapping_mul(2_654_435_761).wrapping_mul(n * 2 + 1).to_string());
        let body = format!("[{}]", numbers.collect::<Vec<_>>().join(","));
        write(&store, ("p", &format!("d{}", n * 7_919 % 100)), &format!("[{n},{body}]")).await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let checkpoints = BlobPrefix::new("data/p/checkpoints").unwrap();
    let listed: Vec<_> = world.blobs.list(&checkpoints, None).try_collect().await.unwrap();
    assert!(!listed.is_empty());
    let cold = world.store().await;
    let all = |store: ifmatch_meta::BlobMetaStore| async move {
        let scope = Scope::Partition(partition("p"));
        store.changes(&scope, None, 1_000).await.unwrap().changes
    };
    assert_eq!(all(cold).await, all(store).await);
}
