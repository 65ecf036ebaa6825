//! `update`, against a store that can be made to fail.

use std::sync::Mutex;
use std::time::Duration;

use futures::FutureExt as _;
use ifmatch_core::RetryPolicy;
use ifmatch_meta::DocPrecondition::{IfAbsent, Overwrite};
use ifmatch_meta::{
    Applied, Document, Edit, Error, Features, Json, MemoryMetaStore, MetaStore, TxBackend as _,
    TxId, UpdateError, Updated, WriteOptions, update,
};

use super::{json, key, options, partition, store};

fn plus_one(current: Option<&Document>) -> Result<Edit, Error> {
    let count = current.map_or(Ok(0), |there| there.body.decode::<u64>())?;
    Ok(Edit::Put(Json::of(&(count + 1))?))
}

/// Somebody gets in first.
fn rival(store: &MemoryMetaStore, value: u32) {
    let key = key("p", "a");
    let put = store.put(&key, Json::of(&value).unwrap(), Overwrite);
    put.now_or_never().unwrap().unwrap();
}

async fn run<E: Send>(
    store: &MemoryMetaStore,
    policy: RetryPolicy,
    edit: impl FnMut(Option<&Document>) -> Result<Edit, E> + Send,
) -> Result<Updated, UpdateError<E>> {
    update(store, &key("p", "a"), policy, WriteOptions::default().author("ann"), edit).await
}

#[tokio::test]
async fn s9_a_document_is_created_changed_kept_and_deleted() {
    let store = store();
    let policy = RetryPolicy::new();
    let made = run(&store, policy, plus_one).await.unwrap();
    let Applied::Written(written) = &made.applied else { panic!("{made:?}") };
    assert!(written.created && made.attempts == 1);
    let two = run(&store, policy, plus_one).await.unwrap();
    let there = store.get(&key("p", "a")).await.unwrap().unwrap();
    assert_eq!((there.body.as_str(), there.updated_by.as_deref()), ("2", Some("ann")));
    let kept = run(&store, policy, |_| Ok::<_, Error>(Edit::Keep)).await.unwrap();
    assert_eq!(kept.applied, Applied::Checked(two.applied.etag()));
    let gone = run(&store, policy, |_| Ok::<_, Error>(Edit::Delete)).await.unwrap();
    assert!(matches!(gone.applied, Applied::Deleted(_)));
    let none = run(&store, policy, |_| Ok::<_, Error>(Edit::Delete)).await.unwrap();
    assert_eq!(none.applied, Applied::Checked(None));
}

#[tokio::test(start_paused = true)]
async fn s9_who_loses_reads_again_and_builds_on_what_is_there() {
    let store = store();
    let mut rivals = 3;
    let updated = run(&store, RetryPolicy::new(), |current| {
        if rivals > 0 {
            rivals -= 1;
            rival(&store, 10 * rivals);
        }
        plus_one(current)
    })
    .await
    .unwrap();
    assert_eq!(updated.attempts, 4);
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "1");
}

#[tokio::test(start_paused = true)]
async fn s9_it_gives_up_after_the_deadline_or_so_many_attempts() {
    let store = store();
    let always_late = |current: Option<&Document>| {
        rival(&store, 0);
        plus_one(current)
    };
    let began = store.env().now();
    let error = run(&store, RetryPolicy::new(), always_late).await.unwrap_err();
    let took = store.env().now().saturating_sub(began);
    assert_eq!(error.store().unwrap().kind(), "conflict");
    assert!(took <= Duration::from_secs(30) && took > Duration::from_secs(20), "{took:?}");
    let policy = RetryPolicy::new().with_max_attempts(3);
    let error = run(&store, policy, always_late).await.unwrap_err();
    let UpdateError::Store { attempts, .. } = &error else { panic!("{error}") };
    assert_eq!(*attempts, 3);
    assert!(error.to_string().ends_with("(after 3 attempts)"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_locked_partition_is_waited_for() {
    let features = Features::none().transactions(true);
    let store = MemoryMetaStore::with(options().features(features));
    let life = Duration::from_secs(5);
    store.begin(&partition("p"), &TxId::new("t").unwrap(), life).await.unwrap();
    let updated = run(&store, RetryPolicy::new(), plus_one).await.unwrap();
    assert!(updated.attempts > 1);
    store.begin(&partition("p"), &TxId::new("t").unwrap(), life).await.unwrap();
    let policy = RetryPolicy::new().with_deadline(Duration::from_secs(1));
    let error = run(&store, policy, plus_one).await.unwrap_err();
    assert_eq!(error.store().unwrap().kind(), "partition_locked");
}

#[tokio::test]
async fn what_the_function_refuses_is_not_written() {
    let store = store();
    store.put(&key("p", "a"), json("\"x\""), IfAbsent).await.unwrap();
    let error = run(&store, RetryPolicy::new(), plus_one).await.unwrap_err();
    assert!(matches!(&error, UpdateError::Refused(error) if error.kind() == "invalid"));
    assert_eq!(Error::from(error).kind(), "invalid");
    assert_eq!(store.get(&key("p", "a")).await.unwrap().unwrap().body.as_str(), "\"x\"");
}

#[tokio::test]
async fn a_write_of_unknown_outcome_is_not_done_again() {
    let store = super::faulty::Faulty::over(store());
    store.lose_answers(1);
    let calls = Mutex::new(0);
    let key = key("p", "a");
    let updated = update(&store, &key, RetryPolicy::new(), WriteOptions::default(), |current| {
        *calls.lock().unwrap() += 1;
        plus_one(current)
    });
    let error = updated.await.unwrap_err();
    assert_eq!(error.store().unwrap().kind(), "outcome_unknown");
    assert_eq!(*calls.lock().unwrap(), 1);
    assert_eq!(store.get(&key).await.unwrap().unwrap().body.as_str(), "1");
}

#[test]
fn the_future_can_be_sent() {
    fn sendable<T: Send>(_: &T) {}
    let store = store();
    let key = key("p", "a");
    sendable(&update(&store, &key, RetryPolicy::new(), WriteOptions::default(), plus_one));
}
