//! Scans: order, ranges, tokens, snapshots.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _};
use ifmatch_meta::{
    DocKey, DocPrecondition as Pre, Json, MetaStore, Page, Partition, ScanOptions, Scope,
};

use crate::support::{Bed, beds, body, key, partition, put};

/// Whether an id lies in a range.
type Inside = fn(&str) -> bool;

fn ids(page: &Page) -> Vec<&str> {
    page.documents.iter().map(|document| document.key.id.as_str()).collect()
}

async fn filled(store: &dyn MetaStore) -> Partition {
    for name in ["b", "a", "B", "\u{e4}", "a/2", "a/1", "a0", "\u{10000}", "\u{ffff}", "c"] {
        store.put(&key("p", name), body(1), Pre::IfAbsent).await.unwrap();
    }
    store.put(&key("o", "a"), body(1), Pre::IfAbsent).await.unwrap();
    store.put(&key("q", "a"), body(1), Pre::IfAbsent).await.unwrap();
    store.put(&DocKey::internal("p", "ifmatch.x").unwrap(), body(1), Pre::IfAbsent).await.unwrap();
    partition("p")
}

#[tokio::test(flavor = "multi_thread")]
async fn s15_a_scan_is_in_byte_order_of_the_id_both_ways() {
    for Bed { store, .. } in beds().await {
        let p = filled(&store).await;
        let all = ["B", "a", "a/1", "a/2", "a0", "b", "c", "\u{e4}", "\u{ffff}", "\u{10000}"];
        let page = store.scan(&p, ScanOptions::default()).await.unwrap();
        assert_eq!(ids(&page), all);
        assert_eq!(page.next, None);
        let back = store.scan(&p, ScanOptions::default().descending()).await.unwrap();
        assert!(ids(&back).into_iter().rev().eq(all));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_the_same_in_both_directions() {
    for Bed { store, .. } in beds().await {
        let p = filled(&store).await;
        let all = store.scan(&p, ScanOptions::default()).await.unwrap();
        let all: Vec<String> = ids(&all).into_iter().map(Into::into).collect();
        let scan = ScanOptions::default;
        let ranges: [(ScanOptions, Inside); 6] = [
            (scan().ids("a".."b"), |id| ("a".."b").contains(&id)),
            (scan().ids("a"..="b"), |id| ("a"..="b").contains(&id)),
            (scan().ids("b"..), |id| id >= "b"),
            (scan().ids(..="a/1"), |id| id <= "a/1"),
            (scan().ids("x".."b"), |_| false),
            (scan().prefix("a/"), |id| id.starts_with("a/")),
        ];
        for (scan, inside) in ranges {
            let mut expected: Vec<_> = all.iter().filter(|id| inside(id)).collect();
            let page = store.scan(&p, scan.clone()).await.unwrap();
            assert!(ids(&page).iter().eq(&expected), "{scan:?}");
            expected.reverse();
            let page = store.scan(&p, scan.clone().descending()).await.unwrap();
            assert!(ids(&page).iter().eq(&expected), "{scan:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t28_pages_join_without_gap_or_repetition() {
    for Bed { store, .. } in beds().await {
        let p = filled(&store).await;
        for scan in [ScanOptions::default(), ScanOptions::default().descending()] {
            let whole = store.scan(&p, scan.clone()).await.unwrap();
            for size in 1..=11 {
                let mut options = scan.clone().limit(size);
                let mut joined = Vec::new();
                loop {
                    let page = store.scan(&p, options.clone()).await.unwrap();
                    assert!(page.documents.len() <= size);
                    joined.extend(page.documents);
                    let Some(next) = page.next else { break };
                    // As it comes back from a command line.
                    options = scan.clone().limit(size).after(next.to_string().parse().unwrap());
                }
                assert_eq!(joined, whole.documents, "pages of {size}");
            }
        }
        let token = store.scan(&p, ScanOptions::default().limit(1)).await.unwrap().next.unwrap();
        let wrong = store.scan(&p, ScanOptions::default().descending().after(token)).await;
        assert_eq!(wrong.unwrap_err().kind(), "invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_after_4_mib_of_bodies() {
    for Bed { store, .. } in beds().await {
        let large = Json::new(format!("\"{}\"", "x".repeat(1_000_000))).unwrap();
        for i in 0..12 {
            store.put(&key("p", &format!("{i:02}")), large.clone(), Pre::IfAbsent).await.unwrap();
        }
        let page = store.scan(&partition("p"), ScanOptions::default()).await.unwrap();
        assert_eq!(page.documents.len(), 5);
        let all = store.documents(&partition("p"), ScanOptions::default());
        assert_eq!(all.map(Result::unwrap).count().await, 12);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w11_a_scan_survives_writes_and_misses_nothing_that_stays() {
    for Bed { store, .. } in beds().await {
        let p = partition("p");
        let name = |i: usize| format!("{i:04}");
        for chunk in (0..500).collect::<Vec<_>>().chunks(100) {
            let ops = chunk.iter().map(|i| put(&name(*i), 0, Pre::IfAbsent)).collect();
            store.batch(&p, ops).await.unwrap();
        }
        let mut seen = Vec::new();
        let mut scan = store.documents(&p, ScanOptions::default().limit(7));
        let mut round = 0;
        while let Some(document) = scan.try_next().await.unwrap() {
            seen.push(document.key.id.as_str().to_owned());
            // Odd ones come and go and change, before and behind the scan.
            let odd = (round * 37 % 250) * 2 + 1;
            match round % 3 {
                0 => drop(store.delete(&key("p", &name(odd)), Pre::Overwrite).await.unwrap()),
                1 => drop(
                    store.put(&key("p", &name(odd)), body(round), Pre::Overwrite).await.unwrap(),
                ),
                _ => drop(
                    store
                        .put(&key("p", &format!("{odd:04}x")), body(round), Pre::Overwrite)
                        .await
                        .unwrap(),
                ),
            }
            round += 1;
        }
        assert!(seen.is_sorted());
        let seen_once: BTreeSet<_> = seen.iter().cloned().collect();
        assert_eq!(seen_once.len(), seen.len());
        for even in (0..500).step_by(2) {
            assert!(seen_once.contains(&name(even)), "{even} was missed");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_come_in_order_page_by_page() {
    for Bed { store, .. } in beds().await {
        let names: Vec<_> = (0..25).map(|i| format!("p{i:02}")).collect();
        for name in names.iter().rev() {
            for i in 0..3 {
                store.put(&key(name, &i.to_string()), body(1), Pre::IfAbsent).await.unwrap();
            }
        }
        let mut found: Vec<Partition> = Vec::new();
        loop {
            let page = store.partitions(found.last(), 10).await.unwrap();
            let ended = page.len() < 10;
            found.extend(page);
            if ended {
                break;
            }
        }
        assert!(found.iter().map(Partition::as_str).eq(names.iter().map(String::as_str)));
        assert_eq!(store.count(&Scope::All).await.unwrap(), 75);
    }
}
