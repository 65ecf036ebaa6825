//! Marks of a busy server.

use ifmatch_meta::{DocPrecondition, Mark, MetaStore, Op, ScanOptions};

use crate::harness::{Cases, Place, key, number, partition};

pub(crate) fn add(cases: &mut Cases) {
    cases.add("marks::t31_a_mark_of_thousands_under_way_is_taken", thousands_under_way);
}

/// A snapshot names every transaction that is under way. This one is what a
/// server would say on which so many have begun since, and none of them has
/// ended: it means the same state.
///
/// Broken once: a mark of more than 4,096 bytes could not be read back.
async fn thousands_under_way(place: Place) {
    let store = place.open().await;
    store.put(&key("a"), number(1), DocPrecondition::IfAbsent).await.unwrap();
    let mark = store.scan(&partition(), ScanOptions::default()).await.unwrap().mark;
    let (name, snapshot) = mark.as_str().split_once('.').unwrap();
    let mut parts = snapshot.splitn(3, ':');
    let (xmin, xmax) = (parts.next().unwrap(), parts.next().unwrap());
    let list = parts.next().unwrap();
    let end: u64 = xmax.parse().unwrap();
    for under_way in [300, 3_000, 10_000] {
        let more = (end..end + under_way).map(|xid| xid.to_string());
        let list = Some(list.to_owned()).filter(|list| !list.is_empty()).into_iter().chain(more);
        let list = list.collect::<Vec<_>>().join(",");
        let word = format!("{name}.{xmin}:{}:{list}", end + under_way);
        let since: Mark = word.parse().unwrap();
        let put = |n| Op::put(key("b").id, number(n), DocPrecondition::Overwrite);
        let ops = vec![Op::Unchanged { since: since.clone() }, put(1)];
        store.batch(&partition(), ops).await.unwrap();
        // Now something has changed.
        let ops = vec![Op::Unchanged { since }, put(2)];
        let error = store.batch(&partition(), ops).await.unwrap_err();
        assert_eq!(error.kind(), "conflict", "{error}");
        place.execute("DELETE FROM schema.documents WHERE id = 'b'").await;
    }
}
