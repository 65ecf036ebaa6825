//! The seam: groups, panics, a full disk, locks of others.

use std::time::Duration;

use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition as Pre, Error, Json, MetaStore, Scope};
use ifmatch_sql::rusqlite::Connection;
use ifmatch_sql::{Failure, SqliteMetaStore, SqliteOptions};

use crate::support::{Bed, beds, body, key};

#[tokio::test(flavor = "multi_thread")]
async fn work_that_panics_is_undone_and_ends_nothing() {
    for Bed { store, .. } in beds().await {
        store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
        let write = store.local().write(|connection| -> Result<(), Failure> {
            connection.execute("DELETE FROM documents", [])?;
            panic!("on purpose")
        });
        assert_eq!(write.await.unwrap_err().kind(), "other");
        let alone = store.local().call(|_| -> Result<(), Failure> { panic!("on purpose") });
        assert_eq!(alone.await.unwrap_err().kind(), "other");
        assert_eq!(store.count(&Scope::All).await.unwrap(), 1);
        store.put(&key("p", "b"), body(1), Pre::IfAbsent).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_alone_takes_nothing_with_it_that_waits_behind() {
    let bed = Bed::threaded().await;
    let store = &bed.store;
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let local = store.local().clone();
    let failing = tokio::spawn(async move {
        let work = move |connection: &Connection| -> Result<(), Failure> {
            connection.execute("DELETE FROM documents", [])?;
            let _ = wait.recv();
            Err(Error::invalid("on purpose").into())
        };
        local.write(work).await
    });
    let behind: Vec<_> = ["b", "c", "d"]
        .map(|name| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&key("p", name), body(1), Pre::IfAbsent).await })
        })
        .into();
    for _ in 0..100 {
        tokio::task::yield_now().await; // They queue meanwhile.
    }
    go.send(()).unwrap();
    assert_eq!(failing.await.unwrap().unwrap_err().kind(), "invalid");
    for put in behind {
        put.await.unwrap().unwrap();
    }
    assert_eq!(store.count(&Scope::All).await.unwrap(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_work_leaves_open_is_undone() {
    for Bed { store, .. } in beds().await {
        let begun = store.local().call(|connection| {
            connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM _ifmatch_store")?;
            Ok(())
        });
        begun.await.unwrap();
        store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
        assert_eq!(store.count(&Scope::All).await.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w6_on_a_full_disk_nothing_that_failed_is_visible_and_all_that_is_answered_is_there() {
    let bed = Bed::threaded().await;
    let limit = |pages: u32| {
        bed.store.local().call(move |connection| {
            connection.pragma_update(None, "max_page_count", pages)?;
            Ok(())
        })
    };
    limit(60).await.unwrap();
    let filling = Json::new(format!("\"{}\"", "x".repeat(8_000))).unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|i| {
            let (store, body) = (bed.store.clone(), filling.clone());
            tokio::spawn(async move {
                let name = i.to_string();
                let result = store.put(&key("p", &name), body, Pre::IfAbsent).await;
                (name, result)
            })
        })
        .collect();
    let (mut stored, mut failed) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.unwrap() {
            (name, Ok(_)) => stored.push(name),
            (name, Err(error)) => {
                assert_eq!(error.kind(), "unavailable");
                assert!(error.to_string().contains("meta.db"), "{error}");
                failed.push(name);
            }
        }
    }
    assert!(!failed.is_empty());
    for name in &stored {
        assert!(bed.store.get(&key("p", name)).await.unwrap().is_some());
    }
    for name in &failed {
        assert_eq!(bed.store.get(&key("p", name)).await.unwrap(), None);
    }
    limit(1_000_000).await.unwrap();
    for name in &failed {
        bed.store.put(&key("p", name), filling.clone(), Pre::IfAbsent).await.unwrap();
    }
    assert_eq!(bed.store.count(&Scope::All).await.unwrap(), 100);
}

async fn impatient() -> Bed {
    let mut options = SqliteOptions::default();
    options.local.busy_timeout = Duration::from_millis(50);
    Bed::open("thread", options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_another_process_is_unavailable_for_writes_only() {
    let bed = impatient().await;
    bed.store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    let other = Connection::open(bed.folder.path().join("meta.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|i| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                store.put(&key("p", &i.to_string()), body(i), Pre::IfAbsent).await
            })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.retry()), ("unavailable", ifmatch_core::Retry::Same));
    }
    assert_eq!(bed.store.count(&Scope::All).await.unwrap(), 1);
    other.execute_batch("COMMIT").unwrap();
    bed.store.put(&key("p", "b"), body(1), Pre::IfAbsent).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stores_wait_for_each_other() {
    let bed = Bed::threaded().await;
    let path = bed.folder.path().join("meta.db");
    let other = SqliteMetaStore::open(path, SqliteOptions::default(), Env::real()).await.unwrap();
    let slow = other.local().write(|connection| {
        connection.execute("UPDATE _ifmatch_store SET commits = commits", [])?;
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    });
    let k = key("p", "a");
    let (slow, put) = tokio::join!(slow, bed.store.put(&k, body(1), Pre::IfAbsent));
    slow.unwrap();
    put.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_work_answers_comes_through() {
    for Bed { store, .. } in beds().await {
        let error =
            store.local().write(|_| -> Result<(), _> { Err(Error::invalid("mine").into()) });
        assert_eq!(error.await.unwrap_err().to_string(), "invalid: mine");
        let error =
            store.local().read(|connection| Ok(connection.execute("DELETE FROM nothing", [])?));
        assert_eq!(error.await.unwrap_err().kind(), "other");
        let answer = store.local().read_long(|_| Ok(7)).await.unwrap();
        assert_eq!(answer, 7);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_cannot_write_and_code_in_a_file_does_not_run() {
    let bed = Bed::threaded().await;
    let write = bed.store.local().read(|c| Ok(c.execute("DELETE FROM documents", [])?));
    assert_eq!(write.await.unwrap_err().kind(), "denied");
    let settings = bed.store.local().call(|connection| {
        let value = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok([value("trusted_schema")?, value("foreign_keys")?, value("synchronous")?])
    });
    assert_eq!(settings.await.unwrap(), [0, 1, 2]);
    let schema = bed.store.local().call(|connection| {
        connection.execute_batch("PRAGMA writable_schema = 1; DELETE FROM sqlite_schema")?;
        Ok(())
    });
    assert!(schema.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn inline_work_takes_no_virtual_time_and_needs_no_thread() {
    let options = SqliteOptions::default().executor(ifmatch_sql::Executor::Inline);
    let bed = Bed::open("inline", options).await;
    let k = key("p", "a");
    let before = tokio::time::Instant::now();
    for i in 0..100 {
        let put = bed.store.put(&k, body(i), Pre::Overwrite);
        tokio::time::timeout(Duration::from_micros(1), put).await.unwrap().unwrap();
        bed.store.count(&Scope::All).await.unwrap();
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
}
