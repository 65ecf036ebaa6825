use ifmatch_meta::{
    DocKey, DocPrecondition, MetaStore, Op, Partition, Projection, ScanOptions, Transaction,
    TxOptions,
};

use crate::common::*;

#[tokio::test(start_paused = true)]
async fn t4_t22_it_reads_its_own_writes_and_others_what_is_committed() {
    let store = store();
    for name in ["a", "b"] {
        store.put(&key(name), json("1"), DocPrecondition::IfAbsent).await.unwrap();
    }
    let tx = begin(&store).await;
    put(&tx, "a", "2").await;
    put(&tx, "c", "3").await;
    tx.delete(&key("b"), DocPrecondition::IfExists).await.unwrap();
    let seen = |name: &'static str| {
        let tx = &tx;
        async move { tx.get(&key(name)).await.unwrap().map(|document| document.body.to_string()) }
    };
    assert_eq!(seen("a").await.as_deref(), Some("2"));
    assert_eq!(seen("b").await, None);
    assert_eq!(seen("c").await.as_deref(), Some("3"));
    assert_eq!(body(&*store, "a").await.as_deref(), Some("1"));
    assert_eq!(body(&*store, "b").await.as_deref(), Some("1"));
    assert_eq!(body(&*store, "c").await, None);
    let page = store.scan(&p(), ScanOptions::default()).await.unwrap();
    assert_eq!(page.documents.len(), 2);
    tx.commit().await.unwrap();
    assert_eq!(body(&*store, "a").await.as_deref(), Some("2"));
    assert_eq!(body(&*store, "b").await, None);
    assert_eq!(body(&*store, "c").await.as_deref(), Some("3"));
}

#[tokio::test(start_paused = true)]
async fn t15_other_partitions_are_read_plainly_unless_it_is_strict() {
    let store = store();
    let (q, there) = (Partition::new("q").unwrap(), DocKey::new("q", "a").unwrap());
    store.put(&there, json("1"), DocPrecondition::IfAbsent).await.unwrap();
    let tx = begin(&store).await;
    assert!(tx.get(&there).await.unwrap().is_some());
    store.put(&there, json("2"), DocPrecondition::IfExists).await.unwrap();
    let page = tx.scan(&q, ScanOptions::default()).await.unwrap();
    assert_eq!(page.documents[0].body.as_str(), "2");
    tx.abort().await.unwrap();
    let tx = begin_with(&store, TxOptions::default().strict()).await;
    assert_eq!(tx.get(&there).await.unwrap_err().kind(), "invalid");
    let scanned = tx.scan(&q, ScanOptions::default()).await;
    assert_eq!(scanned.unwrap_err().kind(), "invalid");
    put(&tx, "a", "1").await;
    tx.commit().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn t27_a_range_answers_only_the_fields_that_were_asked_for() {
    let store = store();
    let text = r#"{"a":1,"b":2}"#;
    store.put(&key("old"), json(text), DocPrecondition::IfAbsent).await.unwrap();
    let tx = begin(&store).await;
    put(&tx, "new", text).await;
    let fields = Projection::new(["/b"]).unwrap();
    let page = tx.scan(&p(), ScanOptions::default().fields(fields)).await.unwrap();
    let bodies: Vec<_> = page.documents.iter().map(|d| d.body.as_str()).collect();
    assert_eq!(bodies, [r#"{"b":2}"#; 2]);
}

/// All pages of a scan.
async fn pages(tx: &Transaction, mut options: ScanOptions) -> Vec<(String, String)> {
    let mut all = Vec::new();
    loop {
        let page = tx.scan(&p(), options.clone()).await.unwrap();
        assert!(page.documents.len() <= options.limit);
        assert!(page.next.is_none() || page.documents.len() == options.limit);
        all.extend(page.documents.iter().map(|d| (d.key.id.to_string(), d.body.to_string())));
        match page.next {
            Some(next) => options = options.after(next),
            None => return all,
        }
    }
}

fn change(random: &mut fastrand::Rng) -> Op {
    let name = id(&format!("{:02}", random.u8(0..30)));
    if random.bool() {
        Op::delete(name, DocPrecondition::Overwrite)
    } else {
        Op::put(name, json(&random.u16(..).to_string()), DocPrecondition::Overwrite)
    }
}

#[tokio::test(start_paused = true)]
async fn t7_t28_a_range_is_what_it_will_be_once_committed() {
    for seed in 0..150 {
        let mut random = fastrand::Rng::with_seed(seed);
        let store = store();
        for _ in 0..random.u8(0..40) {
            store.batch(&p(), vec![change(&mut random)]).await.unwrap();
        }
        let tx = begin(&store).await;
        for _ in 0..random.u8(0..30) {
            tx.batch(&p(), vec![change(&mut random)]).await.unwrap();
        }
        let mut scans = Vec::new();
        for _ in 0..8 {
            let (from, to) = (random.u8(0..35), random.u8(0..35)); // Crossed ones too.
            let (from, to) = (format!("{from:02}"), format!("{to:02}"));
            let mut options = ScanOptions::default().limit(random.usize(1..12));
            options = match random.u8(0..4) {
                0 => options,
                1 => options.ids(&*from..),
                2 => options.ids(..=&*to),
                _ => options.ids(&*from..&*to),
            };
            if random.bool() {
                options = options.descending();
            }
            scans.push((options.clone(), pages(&tx, options).await));
        }
        tx.commit().await.unwrap();
        let after = begin(&store).await;
        for (options, seen) in scans {
            assert_eq!(pages(&after, options.clone()).await, seen, "seed {seed}: {options:?}");
        }
    }
}
