//! Taking everything out of a partition.

use std::time::Duration;

use ifmatch_core::RetryPolicy;
use ifmatch_meta::DocPrecondition::{IfAbsent, Overwrite};
use ifmatch_meta::{
    DrainError, DrainOptions, Error, Features, MemoryMetaStore, MetaStore, Projection, ScanOptions,
    Scope, TxBackend as _, TxId, drain,
};

use super::faulty::Faulty;
use super::{id, json, key, partition, store};

async fn fill(store: &dyn MetaStore, count: usize) {
    for n in 0..count {
        store.put(&key("p", &format!("{n:04}")), json("1"), IfAbsent).await.unwrap();
    }
}

fn pages(of: usize) -> DrainOptions {
    DrainOptions::default().scan(ScanOptions::default().limit(of))
}

#[tokio::test]
async fn s15_everything_is_handed_out_once_and_deleted() {
    let store = store();
    fill(&store, 2_500).await;
    store.put(&key("q", "a"), json("1"), IfAbsent).await.unwrap();
    let mut seen = Vec::new();
    let p = partition("p");
    let drained = drain(&store, &p, DrainOptions::default(), |page| {
        seen.extend(page.into_iter().map(|document| document.key.id.to_string()));
        async { Ok::<_, Error>(()) }
    });
    let drained = drained.await.unwrap();
    assert_eq!((drained.deleted, drained.changed.len()), (2_500, 0));
    let expected: Vec<_> = (0..2_500).map(|n| format!("{n:04}")).collect();
    assert_eq!(seen, expected);
    assert_eq!(store.count(&Scope::All).await.unwrap(), 1);
}

#[tokio::test]
async fn s15_a_write_in_between_is_never_deleted_unsaved() {
    let store = store();
    fill(&store, 20).await;
    let mut pages_seen = 0;
    let p = partition("p");
    let drained = drain(&store, &p, pages(8), |page| {
        let (store, first) = (store.clone(), pages_seen == 0);
        pages_seen += 1;
        async move {
            assert!(page.len() <= 8);
            if first {
                store.put(&key("p", "0001"), json("2"), Overwrite).await?;
                store.put(&key("p", "0005"), json("2"), Overwrite).await?;
                store.delete(&key("p", "0003"), Overwrite).await?;
                store.put(&key("p", "0000-behind"), json("2"), IfAbsent).await?;
                store.put(&key("p", "9999"), json("2"), IfAbsent).await?;
            }
            Ok::<_, Error>(())
        }
    });
    let drained = drained.await.unwrap();
    assert_eq!((drained.deleted, pages_seen), (18, 3));
    assert_eq!(drained.changed, ["0001", "0003", "0005"].map(id));
    let left = store.scan(&partition("p"), ScanOptions::default()).await.unwrap().documents;
    let left: Vec<_> =
        left.iter().map(|there| (there.key.id.as_str(), there.body.as_str())).collect();
    assert_eq!(left, [("0000-behind", "2"), ("0001", "2"), ("0005", "2")]);
}

#[tokio::test]
async fn what_the_taker_refuses_stays() {
    let store = store();
    fill(&store, 10).await;
    let mut calls = 0;
    let p = partition("p");
    let drained = drain(&store, &p, pages(4), |_| {
        calls += 1;
        std::future::ready(if calls == 2 { Err("full") } else { Ok(()) })
    });
    let error = drained.await.unwrap_err();
    assert!(matches!(error, DrainError::Refused { error: "full", .. }));
    assert_eq!((error.drained().deleted, store.count(&Scope::All).await.unwrap()), (4, 6));
}

#[tokio::test]
async fn an_unknown_outcome_is_told_with_what_was_taken() {
    let store = Faulty::over(store());
    fill(&store, 10).await;
    let mut calls = 0;
    let p = partition("p");
    let drained = drain(&store, &p, pages(4), |_| {
        calls += 1;
        if calls == 2 {
            store.lose_answers(1);
        }
        async { Ok::<_, Error>(()) }
    });
    let error = drained.await.unwrap_err();
    let DrainError::Store { error: cause, drained } = &error else { panic!("{error}") };
    assert_eq!((cause.kind(), drained.deleted), ("outcome_unknown", 4));
    assert_eq!(store.count(&Scope::All).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_locked_partition_is_waited_for_and_fields_are_not_dropped() {
    let options = super::options().features(Features::none().transactions(true));
    let store = MemoryMetaStore::with(options);
    fill(&store, 3).await;
    let life = Duration::from_secs(3);
    store.begin(&partition("p"), &TxId::new("t").unwrap(), life).await.unwrap();
    let short = pages(9).policy(RetryPolicy::new().with_deadline(Duration::from_secs(1)));
    let take = |_| async { Ok::<_, Error>(()) };
    let error = drain(&store, &partition("p"), short, take).await.unwrap_err();
    assert!(matches!(error, DrainError::Store { error, .. } if error.kind() == "partition_locked"));
    assert_eq!(drain(&store, &partition("p"), pages(9), take).await.unwrap().deleted, 3);
    let fields = ScanOptions::default().fields(Projection::new(["/a"]).unwrap());
    let fields = DrainOptions::default().scan(fields);
    let error = drain(&store, &partition("p"), fields, take).await.unwrap_err();
    assert!(matches!(error, DrainError::Store { error, .. } if error.kind() == "invalid"));
}
