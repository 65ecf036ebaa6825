//! What the file keeps of local transactions, between handles and processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ifmatch_core::{Background, BoxFuture, Env, Environment, Timestamp};
use ifmatch_meta::{
    DocPrecondition as Pre, Document, ETag, Effect, Error, MetaStore, Nonce, Op, Transaction,
    TxAddress, TxBackend, TxCommit, TxId, TxOptions, TxOutcome,
};
use ifmatch_sql::rusqlite::Connection;
use ifmatch_sql::{Durability, SqliteMetaStore, SqliteOptions};
use tempfile::TempDir;

use crate::support::{body, content, id, key, partition, put};

/// The real environment with a wall clock that can be set.
#[derive(Clone, Debug)]
struct Clock {
    real: Env,
    ahead: Arc<AtomicI64>,
}

impl Clock {
    fn new() -> Self {
        Self { real: Env::real(), ahead: Arc::default() }
    }

    fn set(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Environment for Clock {
    fn now(&self) -> Duration {
        self.real.now()
    }

    fn wall_clock(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp::from_micros(self.real.wall_clock().as_micros() + ahead)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        let real = self.real.clone();
        Box::pin(async move { real.sleep(duration).await })
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.real.fill_random(bytes);
    }

    fn spawn(&self, name: &'static str, task: BoxFuture) -> Background {
        self.real.spawn(name, task)
    }
}

const LIFE: Duration = Duration::from_secs(30);

/// Two handles on one file, the second without the option, and their clock.
struct Two {
    one: SqliteMetaStore,
    other: SqliteMetaStore,
    clock: Clock,
    folder: TempDir,
}

impl Two {
    async fn open() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::new());
        let open = async |options| {
            let path = folder.path().join("meta.db");
            let options: SqliteOptions = options;
            let options = options.durability(Durability::Process);
            SqliteMetaStore::open(path, options, Env::new(clock.clone())).await.unwrap()
        };
        let one = open(SqliteOptions::default().transactions(true)).await;
        let other = open(SqliteOptions::default()).await;
        Self { one, other, clock, folder }
    }

    async fn begin(&self, name: &str) -> TxAddress {
        let record = self.one.begin(&partition("p"), &tx(name), LIFE).await.unwrap();
        assert_eq!((record.remaining, record.staged), (LIFE, 0));
        record.address
    }
}

fn tx(name: &str) -> TxId {
    TxId::new(name).unwrap()
}

/// A commit that creates a document.
fn creating(name: &str) -> TxCommit {
    let env = Env::real();
    let document = Document {
        key: key("p", name),
        etag: ETag::mint(1, &env),
        body: body(1),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        updated_by: None,
    };
    let effects = vec![Effect { id: id(name), before: None, after: Some(document) }];
    TxCommit { nonce: Nonce::draw(&env), staged: 0, author: None, effects }
}

#[tokio::test]
async fn t1_t9_every_handle_respects_a_lock() {
    let two = Two::open().await;
    let (one, other) = (&two.one, &two.other);
    let two = other.begin(&partition("p"), &tx("t"), LIFE).await;
    assert_eq!(two.unwrap_err().kind(), "unsupported");
    let address = one.begin(&partition("p"), &tx("t"), LIFE).await.unwrap().address;
    let locked = |error: Error| {
        assert_eq!(error.kind(), "partition_locked");
        let Error::PartitionLocked { holder, remaining, .. } = error else { panic!() };
        assert_eq!(holder, tx("t"));
        assert!(remaining.is_some_and(|left| left <= LIFE));
    };
    for store in [one, other] {
        locked(store.put(&key("p", "a"), body(1), Pre::IfExists).await.unwrap_err());
        locked(store.delete(&key("p", "a"), Pre::Overwrite).await.unwrap_err());
        // Arguments first; checks and reads are no writes.
        let wrong = store.put(&key("p", "a"), body(1), Pre::field_equals("x", 1)).await;
        assert_eq!(wrong.unwrap_err().kind(), "invalid");
        let check = vec![Op::check(id("a"), Pre::IfExists)];
        assert_eq!(store.batch(&partition("p"), check).await.unwrap_err().kind(), "conflict");
        assert_eq!(store.get(&key("p", "a")).await.unwrap(), None);
        store.put(&key("q", "a"), body(1), Pre::Overwrite).await.unwrap();
    }
    let (position, _) = one.commit(&address, creating("a")).await.unwrap();
    let next = other.put(&key("p", "b"), body(1), Pre::IfAbsent).await.unwrap();
    assert_eq!(next.position, position + 1);
}

#[tokio::test]
async fn t11_a_begin_asked_again_is_the_same_until_its_end() {
    let two = Two::open().await;
    let address = two.begin("t").await;
    two.clock.set(10);
    let again = two.one.begin(&partition("p"), &tx("t"), LIFE).await.unwrap();
    assert_eq!(again.address, address);
    assert!(again.remaining + Duration::from_secs(10) <= LIFE);
    let elsewhere = two.one.begin(&partition("q"), &tx("t"), LIFE).await;
    assert_eq!(elsewhere.unwrap_err().kind(), "invalid");
    let rival = two.one.begin(&partition("p"), &tx("u"), LIFE).await;
    assert_eq!(rival.unwrap_err().kind(), "partition_locked");
    two.one.abort(&address).await.unwrap();
    two.one.abort(&address).await.unwrap();
    let anew = two.begin("t").await;
    assert!(anew.incarnation > address.incarnation);
    let late = two.one.commit(&address, creating("a")).await;
    assert_eq!(late.unwrap_err().kind(), "expired");
    let committed = creating("a");
    let (position, _) = two.one.commit(&anew, committed.clone()).await.unwrap();
    let outcome = two.other.outcome(&tx("t"), None).await.unwrap();
    assert_eq!(outcome, TxOutcome::Committed { position, nonce: committed.nonce });
    let first = two.other.outcome(&tx("t"), Some(address.incarnation)).await.unwrap();
    assert_eq!(first, TxOutcome::Aborted);
    // T30: the same handle hears the same answer, another one that it was late.
    assert_eq!(two.one.commit(&anew, committed).await.unwrap().0, position);
    let other = two.one.commit(&anew, creating("a")).await;
    assert_eq!(other.unwrap_err().kind(), "busy");
    assert_eq!(two.one.abort(&anew).await.unwrap_err().kind(), "expired");
    assert_eq!(two.one.outcome(&tx("none"), None).await.unwrap(), TxOutcome::Forgotten);
}

#[tokio::test]
async fn t10_whose_life_is_over_holds_nobody_up_and_commits_nothing() {
    for ended_by in ["a write", "a begin", "an outcome", "a find", "itself"] {
        let two = Two::open().await;
        let address = two.begin("t").await;
        two.clock.set(29);
        let early = two.other.put(&key("p", "x"), body(1), Pre::Overwrite).await;
        assert_eq!(early.unwrap_err().kind(), "partition_locked");
        two.clock.set(2);
        match ended_by {
            "a write" => {
                two.other.put(&key("p", "x"), body(1), Pre::Overwrite).await.unwrap();
            }
            "a begin" => {
                let next = two.one.begin(&partition("p"), &tx("u"), LIFE).await.unwrap();
                two.one.abort(&next.address).await.unwrap();
            }
            "an outcome" => {
                let outcome = two.other.outcome(&tx("t"), None).await.unwrap();
                assert_eq!(outcome, TxOutcome::Aborted);
            }
            "a find" => assert_eq!(two.other.find(&tx("t")).await.unwrap(), None),
            _ => {}
        }
        // Once that was said it stays so, whatever the clock does.
        if ended_by != "itself" {
            two.clock.set(-20);
        }
        let late = two.one.commit(&address, creating("a")).await;
        assert_eq!(late.unwrap_err().kind(), "expired", "{ended_by}");
        assert_eq!(two.one.get(&key("p", "a")).await.unwrap(), None);
        assert_eq!(two.one.outcome(&tx("t"), None).await.unwrap(), TxOutcome::Aborted);
        two.other.put(&key("p", "y"), body(1), Pre::Overwrite).await.unwrap();
    }
}

#[tokio::test]
async fn t10_a_clock_that_was_set_back_locks_nobody_out() {
    let two = Two::open().await;
    two.begin("t").await;
    two.clock.set(-20);
    let write = two.other.put(&key("p", "x"), body(1), Pre::Overwrite).await;
    assert_eq!(write.unwrap_err().kind(), "partition_locked");
    two.clock.set(-3_600);
    two.other.put(&key("p", "x"), body(1), Pre::Overwrite).await.unwrap();
}

#[tokio::test]
async fn t5_another_process_goes_on_with_what_was_staged() {
    let two = Two::open().await;
    let address = two.begin("t").await;
    two.one.stage(&address, 0, Bytes::from_static(b"one")).await.unwrap();
    let found = two.other.find(&tx("t")).await.unwrap().unwrap();
    assert_eq!((found.address, found.staged), (address.clone(), 1));
    two.other.stage(&address, 1, Bytes::from_static(b"two")).await.unwrap();
    let twice = two.one.stage(&address, 1, Bytes::from_static(b"mine")).await;
    assert_eq!(twice.unwrap_err().kind(), "busy");
    assert_eq!(two.one.staged(&address).await.unwrap(), ["one", "two"]);
    let behind = two.one.commit(&address, TxCommit { staged: 1, ..creating("a") }).await;
    assert_eq!(behind.unwrap_err().kind(), "busy");
    two.one.commit(&address, TxCommit { staged: 2, ..creating("a") }).await.unwrap();
    let over = two.one.stage(&address, 2, Bytes::from_static(b"late")).await;
    assert_eq!(over.unwrap_err().kind(), "expired");
    assert_eq!(two.one.staged(&address).await.unwrap_err().kind(), "expired");
    let connection = Connection::open(two.folder.path().join("meta.db")).unwrap();
    let left = |table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!((left("_ifmatch_staged"), left("_ifmatch_locks")), (0, 0));
}

#[tokio::test]
async fn t12_what_a_commit_rests_on_must_still_be_there() {
    let two = Two::open().await;
    let address = two.begin("t").await;
    // Somebody writes the file without asking for the lock.
    let connection = Connection::open(two.folder.path().join("meta.db")).unwrap();
    let sql = "INSERT INTO documents (partition, id, etag, position, ordinal, created_at,
        updated_at, body) VALUES ('p', 'a', '1-00112233445566778899aabb', 1, 0, 0, 0, '{}')";
    connection.execute(sql, []).unwrap();
    let changed = two.one.commit(&address, creating("a")).await;
    assert_eq!(changed.unwrap_err().kind(), "expired");
    assert_eq!(content(&two.one, "p").await, [("a".to_owned(), "{}".to_owned())]);
    two.one.batch(&partition("p"), vec![put("b", 1, Pre::IfAbsent)]).await.unwrap();
}

#[tokio::test]
async fn a_synced_copy_has_no_local_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    let options = SqliteOptions::default().transactions(true);
    let store = SqliteMetaStore::open(&path, options.clone(), Env::real()).await.unwrap();
    assert!(store.features().transactions);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE _ifmatch (one INTEGER PRIMARY KEY)").unwrap();
    let refused = store.begin(&partition("p"), &tx("t"), LIFE).await;
    assert_eq!(refused.unwrap_err().kind(), "unsupported");
    let anew = SqliteMetaStore::open(&path, options, Env::real()).await.unwrap();
    assert!(!anew.features().transactions);
}

#[tokio::test]
async fn outcomes_are_remembered_for_7_days_and_1000_of_a_partition() {
    let two = Two::open().await;
    let first = two.begin("first").await;
    two.one.abort(&first).await.unwrap();
    two.clock.set(8 * 24 * 3_600);
    let quiet = two.one.begin(&partition("q"), &tx("quiet"), LIFE).await.unwrap().address;
    two.one.abort(&quiet).await.unwrap();
    for i in 0..1_000 {
        let outcome = two.other.outcome(&tx("first"), None).await.unwrap();
        assert_eq!(outcome, TxOutcome::Aborted, "{i}");
        let address = two.begin("next").await;
        two.one.abort(&address).await.unwrap();
    }
    two.clock.set(8 * 24 * 3_600);
    for _ in 0..2 {
        let address = two.begin("next").await;
        two.one.abort(&address).await.unwrap();
    }
    assert_eq!(two.one.outcome(&tx("first"), None).await.unwrap(), TxOutcome::Forgotten);
    assert_eq!(two.one.outcome(&tx("quiet"), None).await.unwrap(), TxOutcome::Aborted);
}

/// A write was judged by the time of its call: one that waited in the queue for
/// longer than a life took a transaction that had begun meanwhile for one from
/// the future, ended it and wrote past its lock.
#[tokio::test(flavor = "multi_thread")]
async fn t9_a_write_that_waited_does_not_end_what_began_meanwhile() {
    let two = Two::open().await;
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (busy, is_busy) = tokio::sync::oneshot::channel();
    let local = two.other.local().clone();
    let held = tokio::spawn(async move {
        let hold = move |_: &mut Connection| {
            let _ = busy.send(());
            let _ = wait.recv();
            Ok(())
        };
        local.call(hold).await
    });
    is_busy.await.unwrap();
    let other = two.other.clone();
    let mut writing =
        Box::pin(async move { other.put(&key("p", "a"), body(1), Pre::Overwrite).await });
    // Queued behind what holds the writer up.
    assert!(futures::poll!(writing.as_mut()).is_pending());
    two.clock.set(120);
    let address = two.begin("t").await;
    release.send(()).unwrap();
    let error = writing.await.unwrap_err();
    assert_eq!(error.kind(), "partition_locked", "{error}");
    held.await.unwrap().unwrap();
    two.one.commit(&address, creating("b")).await.unwrap();
}

/// Broken once: the record of a document had the time of the commit.
#[tokio::test]
async fn c14_a_record_has_the_time_at_which_its_document_was_written() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::new());
    let options = SqliteOptions::default().transactions(true).audit(true);
    let options = options.durability(Durability::Process);
    let path = folder.path().join("meta.db");
    let store = SqliteMetaStore::open(path, options, Env::new(clock.clone())).await.unwrap();
    store.put(&key("p", "gone"), body(1), Pre::IfAbsent).await.unwrap();
    let store = Arc::new(store);
    let (p, options) = (partition("p"), TxOptions::default());
    let transaction = Transaction::begin(store.clone(), &p, options).await.unwrap();
    for name in ["a", "b"] {
        transaction.put(&key("p", name), body(1), Pre::IfAbsent).await.unwrap();
        clock.set(10);
    }
    transaction.delete(&key("p", "gone"), Pre::IfExists).await.unwrap();
    let before = clock.wall_clock();
    transaction.commit().await.unwrap();
    let records = store.audit(&partition("p"), None, 10).await.unwrap();
    let record = |name: &str| records.iter().rev().find(|r| r.id.as_str() == name).unwrap();
    for name in ["a", "b"] {
        let document = store.get(&key("p", name)).await.unwrap().unwrap();
        assert_eq!(record(name).time, document.updated_at, "{name}");
    }
    let ten = Duration::from_secs(10);
    assert!(record("b").time.since(record("a").time) >= ten && record("b").time < before);
    // A deletion is stamped nowhere else: it is done at the commit.
    assert!(record("gone").time >= before);
}
