//! What the store keeps for local transactions.

use std::time::Duration;

use bytes::Bytes;
use ifmatch_meta::DocPrecondition::{IfAbsent, IfExists, Overwrite};
use ifmatch_meta::{
    Batch, Document, Effect, Error, Features, MemoryMetaStore, MetaStore, Nonce, Op, Scope,
    TxBackend, TxCommit, TxId, TxOutcome, WriteOptions,
};

use super::{id, json, key, options, partition};

const MINUTE: Duration = Duration::from_mins(1);

fn store() -> MemoryMetaStore {
    MemoryMetaStore::with(options().features(Features::none().transactions(true).audit(true)))
}

fn tx(name: &str) -> TxId {
    TxId::new(name).unwrap()
}

/// What is there, as a commit's effects rest on it.
struct Seen(Vec<Document>);

impl ifmatch_meta::Present<Error> for Seen {
    type Document = Document;

    fn document(&mut self, id: &ifmatch_meta::DocId) -> ifmatch_meta::Result<Option<Document>> {
        Ok(self.0.iter().find(|document| document.key.id == *id).cloned())
    }
    fn is_unchanged(&mut self, _: &ifmatch_meta::Mark) -> ifmatch_meta::Result<bool> {
        Ok(true)
    }
}

async fn effects(store: &MemoryMetaStore, ops: &[Op]) -> Vec<Effect> {
    let p = partition("p");
    let there = store.scan(&p, ifmatch_meta::ScanOptions::default()).await.unwrap().documents;
    let etags: Vec<_> = ops.iter().map(|_| ifmatch_meta::ETag::mint(0, store.env())).collect();
    let batch = Batch {
        partition: &p,
        ops,
        etags: &etags,
        now: store.env().wall_clock(),
        author: Some("ann".into()),
        return_documents: false,
        largest: 1_000,
    };
    ifmatch_meta::evaluate(&batch, &mut Seen(there)).unwrap().effects
}

fn commit(store: &MemoryMetaStore, staged: u64, effects: Vec<Effect>) -> TxCommit {
    TxCommit { nonce: Nonce::draw(store.env()), staged, author: None, effects }
}

#[tokio::test]
async fn t9_an_open_transaction_locks_out_other_writes_there_and_nothing_else() {
    let store = store();
    store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let open = store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap();
    assert_eq!((open.remaining, open.lifetime, open.staged), (MINUTE, MINUTE, 0));
    let error = store.put(&key("p", "a"), json("2"), Overwrite).await.unwrap_err();
    assert_eq!(error.kind(), "partition_locked");
    // Arguments come before the lock, the lock before preconditions.
    let error = store.delete(&key("p", "a"), IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    let error = store.put(&key("p", "a"), json("2"), IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "partition_locked");
    let error = store.begin(&partition("p"), &tx("two"), MINUTE).await.unwrap_err();
    let Error::PartitionLocked { holder, .. } = error else { panic!("{error}") };
    assert_eq!(holder, tx("one"));
    // Reads and checks go on, and so do other partitions.
    assert!(store.get(&key("p", "a")).await.unwrap().is_some());
    store.batch(&partition("p"), vec![Op::check(id("a"), IfExists)]).await.unwrap();
    let failed = store.batch(&partition("p"), vec![Op::check(id("a"), IfAbsent)]).await;
    assert_eq!(failed.unwrap_err().kind(), "conflict");
    store.put(&key("q", "a"), json("1"), IfAbsent).await.unwrap();
    store.abort(&open.address).await.unwrap();
    store.abort(&open.address).await.unwrap();
    store.put(&key("p", "a"), json("2"), Overwrite).await.unwrap();
    assert_eq!(store.outcome(&tx("one"), None).await.unwrap(), TxOutcome::Aborted);
}

#[tokio::test]
async fn t30_a_commit_is_applied_once_however_often_it_is_asked_for() {
    let store = store();
    let kept = store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap();
    let address = store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap().address;
    let ops = [Op::put(id("b"), json("2"), IfAbsent), Op::delete(id("a"), IfExists)];
    let sent = commit(&store, 0, effects(&store, &ops).await);
    let (position, _) = store.commit(&address, sent.clone()).await.unwrap();
    assert_eq!(position, kept.position + 1);
    assert_eq!(store.commit(&address, sent.clone()).await.unwrap().0, position);
    assert_eq!(store.count(&Scope::All).await.unwrap(), 1);
    let other = TxCommit { nonce: Nonce::draw(store.env()), ..sent.clone() };
    assert_eq!(store.commit(&address, other).await.unwrap_err().kind(), "busy");
    let expected = TxOutcome::Committed { position, nonce: sent.nonce };
    assert_eq!(store.outcome(&tx("one"), None).await.unwrap(), expected);
    assert_eq!(store.abort(&address).await.unwrap_err().kind(), "expired");
    // Feed and record tell it as one commit.
    let page = store.changes(&Scope::All, None, 9).await.unwrap();
    assert!(page.changes.iter().all(|change| change.position() == position));
    let record = store.audit(&partition("p"), None, 9).await.unwrap();
    assert_eq!(record.iter().filter(|r| r.at.position == position).count(), 2);
    store.put(&key("p", "c"), json("1"), IfAbsent).await.unwrap();
}

#[tokio::test]
async fn t11_begin_again_is_the_same_and_a_new_incarnation_after_its_end() {
    let store = store();
    let one = store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap().address;
    assert_eq!(store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap().address, one);
    let error = store.begin(&partition("q"), &tx("one"), MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert_eq!(store.find(&tx("one")).await.unwrap().unwrap().address, one);
    store.abort(&one).await.unwrap();
    assert!(store.find(&tx("one")).await.unwrap().is_none());
    let two = store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap().address;
    assert_ne!(one.incarnation, two.incarnation);
    let sent = commit(&store, 0, effects(&store, &[Op::put(id("a"), json("1"), IfAbsent)]).await);
    assert_eq!(store.commit(&one, sent.clone()).await.unwrap_err().kind(), "expired");
    assert_eq!(store.staged(&one).await.unwrap_err().kind(), "expired");
    assert_eq!(store.outcome(&tx("one"), Some(one.incarnation)).await.unwrap(), TxOutcome::Aborted);
    assert_eq!(store.outcome(&tx("one"), None).await.unwrap(), TxOutcome::Open);
    store.commit(&two, sent).await.unwrap();
    assert_eq!(store.outcome(&tx("none"), None).await.unwrap(), TxOutcome::Forgotten);
    assert_eq!(store.outcome(&tx("one"), Some(99)).await.unwrap(), TxOutcome::Forgotten);
}

#[tokio::test(start_paused = true)]
async fn t10_a_life_that_is_over_holds_nobody_up_and_never_ends_early() {
    let store = store();
    let clock = store.env().clone();
    let life = Duration::from_secs(10);
    let address = store.begin(&partition("p"), &tx("one"), life).await.unwrap().address;
    clock.sleep(Duration::from_millis(9_990)).await;
    let error = store.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap_err();
    let Error::PartitionLocked { remaining: Some(left), .. } = error else { panic!("{error}") };
    assert!(left <= Duration::from_millis(10));
    assert!(store.find(&tx("one")).await.unwrap().is_some());
    clock.sleep(Duration::from_millis(11)).await;
    let sent = commit(&store, 0, effects(&store, &[Op::put(id("a"), json("1"), IfAbsent)]).await);
    assert_eq!(store.commit(&address, sent).await.unwrap_err().kind(), "expired");
    store.put(&key("p", "a"), json("2"), IfAbsent).await.unwrap();
    assert_eq!(store.outcome(&tx("one"), None).await.unwrap(), TxOutcome::Aborted);
    for life in [Duration::ZERO, MINUTE + Duration::from_millis(1)] {
        let error = store.begin(&partition("p"), &tx("two"), life).await.unwrap_err();
        assert_eq!(error.kind(), "invalid");
    }
}

#[tokio::test]
async fn staged_pieces_are_made_once_each_and_bind_the_commit() {
    let store = store();
    let address = store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap().address;
    store.stage(&address, 0, Bytes::from_static(b"x")).await.unwrap();
    let again = store.stage(&address, 0, Bytes::from_static(b"y")).await;
    assert_eq!(again.unwrap_err().kind(), "busy");
    store.stage(&address, 1, Bytes::from_static(b"z")).await.unwrap();
    assert_eq!(store.staged(&address).await.unwrap(), ["x", "z"]);
    assert_eq!(store.find(&tx("one")).await.unwrap().unwrap().staged, 2);
    let made = effects(&store, &[Op::put(id("a"), json("1"), IfAbsent)]).await;
    let stale = commit(&store, 1, made.clone());
    assert_eq!(store.commit(&address, stale).await.unwrap_err().kind(), "busy");
    assert_eq!(store.count(&Scope::All).await.unwrap(), 0);
    store.commit(&address, commit(&store, 2, made)).await.unwrap();
    let late = store.stage(&address, 2, Bytes::new()).await;
    assert_eq!(late.unwrap_err().kind(), "expired");
}

#[tokio::test]
async fn a_commit_that_rests_on_another_state_applies_nothing() {
    let store = store();
    let made = effects(&store, &[Op::put(id("a"), json("1"), IfAbsent)]).await;
    store.put(&key("p", "a"), json("2"), IfAbsent).await.unwrap();
    let address = store.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap().address;
    let error = store.commit(&address, commit(&store, 0, made)).await.unwrap_err();
    assert_eq!(error.kind(), "expired");
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "2");
}

#[tokio::test]
async fn t1_begin_is_off_by_default_and_locks_are_respected_all_the_same() {
    let plain = MemoryMetaStore::shared("t1", options());
    let error = plain.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported");
    let features = Features::none().transactions(true);
    let with = MemoryMetaStore::shared("t1", options().features(features));
    with.begin(&partition("p"), &tx("one"), MINUTE).await.unwrap();
    let error = plain.put(&key("p", "a"), json("1"), IfAbsent).await.unwrap_err();
    assert_eq!(error.kind(), "partition_locked");
    // T8: ids made by the store and transactions exclude each other.
    let made = with.insert(&partition("q"), json("1"), WriteOptions::default()).await;
    assert_eq!(made.unwrap_err().kind(), "unsupported");
    plain.insert(&partition("q"), json("1"), WriteOptions::default()).await.unwrap();
}
