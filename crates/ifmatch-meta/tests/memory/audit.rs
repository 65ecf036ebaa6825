//! The record of changes.

use std::collections::BTreeMap;

use ifmatch_core::Simulation;
use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, Overwrite};
use ifmatch_meta::{
    AuditOperation, DocId, ETag, Features, Json, MemoryMetaStore, MetaStore, Op, WriteOptions,
};

use super::{id, json, key, options, partition, store};

fn audited() -> MemoryMetaStore {
    MemoryMetaStore::with(options().features(Features::none().audit(true)))
}

#[tokio::test]
async fn c11_the_record_says_who_changed_what() {
    let (store, p) = (audited(), partition("p"));
    let ann = WriteOptions::default().author("ann");
    let one = store.put_with(&key("p", "a"), json("1"), IfAbsent, ann.clone()).await.unwrap();
    let ops = vec![
        Op::put(id("a"), json("2"), Overwrite),
        Op::put(id("b"), json("1"), IfAbsent),
        Op::delete(id("a"), IfExists),
        Op::put(id("c"), json("1"), IfAbsent),
        Op::delete(id("c"), IfExists),
    ];
    let two = store.batch_with(&p, ops, ann).await.unwrap();
    let record = store.audit(&p, None, 100).await.unwrap();
    let told: Vec<_> = record
        .iter()
        .map(|r| (r.at.position, r.at.ordinal, r.id.as_str(), r.operation, r.etag, r.previous))
        .collect();
    let expected = [
        (1, 0, "a", AuditOperation::Created, Some(one.etag), None),
        (2, 0, "a", AuditOperation::Deleted, None, Some(one.etag)),
        (2, 1, "b", AuditOperation::Created, two[1].etag(), None),
    ];
    assert_eq!(told, expected);
    assert!(record.iter().all(|record| record.author.as_deref() == Some("ann")));
    let rest = store.audit(&p, Some(record[1].at), 100).await.unwrap();
    assert_eq!(rest, record[2..]);
    assert_eq!(store.audit(&p, None, 2).await.unwrap(), record[..2]);
    assert_eq!(store.audit(&partition("q"), None, 2).await.unwrap(), []);
}

#[tokio::test]
async fn c14_each_record_continues_the_one_before_it() {
    let (store, p) = (audited(), partition("p"));
    let random = Simulation::seeded(3).env();
    for n in 0..1_000_u32 {
        let draw = random.random_u64();
        let op = |bits: u64| match bits % 3 {
            0 => Op::delete(id(&format!("{}", (bits >> 2) % 20)), Overwrite),
            _ => Op::put(id(&format!("{}", (bits >> 2) % 20)), Json::of(&n).unwrap(), Overwrite),
        };
        store.batch(&p, (0..=draw % 4).map(|i| op(draw >> (8 * i + 2))).collect()).await.unwrap();
    }
    let mut now: BTreeMap<DocId, ETag> = BTreeMap::new();
    let mut last = None;
    loop {
        let page = store.audit(&p, last, 7).await.unwrap();
        for record in &page {
            assert!(last.is_none_or(|last| last < record.at));
            last = Some(record.at);
            let before = match record.etag {
                Some(etag) => now.insert(record.id.clone(), etag),
                None => now.remove(&record.id),
            };
            assert_eq!(record.previous, before, "{record:?}");
            let operation = match (before, record.etag) {
                (None, _) => AuditOperation::Created,
                (_, None) => AuditOperation::Deleted,
                _ => AuditOperation::Replaced,
            };
            assert_eq!(record.operation, operation);
        }
        if page.len() < 7 {
            break;
        }
    }
    let page = store.scan(&p, ifmatch_meta::ScanOptions::default()).await.unwrap();
    let there: BTreeMap<_, _> = page.documents.into_iter().map(|d| (d.key.id, d.etag)).collect();
    assert_eq!(now, there);
}

#[tokio::test]
async fn without_the_option_there_is_no_record_and_later_it_begins_late() {
    let error = store().audit(&partition("p"), None, 1).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported");
    let plain = MemoryMetaStore::shared("audit-late", options());
    plain.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let features = Features::none().audit(true);
    let audited = MemoryMetaStore::shared("audit-late", options().features(features));
    plain.put(&key("p", "a"), json("2"), Overwrite).await.unwrap();
    assert_eq!(plain.audit(&partition("p"), None, 9).await.unwrap_err().kind(), "unsupported");
    let record = audited.audit(&partition("p"), None, 9).await.unwrap();
    assert_eq!((record.len(), record[0].at.position), (1, 2));
    let early = ifmatch_meta::AuditPosition::default();
    let error = audited.audit(&partition("p"), Some(early), 9).await.unwrap_err();
    assert_eq!(error.kind(), "token_expired");
}
