//! Files: created, refused, damaged, closed.

use std::path::Path;

use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition as Pre, Error, MetaStore, Scope};
use ifmatch_sql::rusqlite::Connection;
use ifmatch_sql::{Executor, OnClose, SqliteMetaStore, SqliteOptions};

use crate::support::{Bed, beds, body, key};

async fn open(path: impl AsRef<Path>) -> Result<SqliteMetaStore, Error> {
    SqliteMetaStore::open(path.as_ref(), SqliteOptions::default(), Env::real()).await
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Bed::threaded().await;
    bed.store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    assert_eq!(files(bed.folder.path()), ["meta.db", "meta.db-shm", "meta.db-wal"]);
    for name in files(bed.folder.path()) {
        let mode = std::fs::metadata(bed.folder.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_missing_file_is_not_found_unless_it_is_to_be_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    let options = SqliteOptions::default().create(false);
    let error = SqliteMetaStore::open(&path, options.clone(), Env::real()).await.unwrap_err();
    assert_eq!(error.kind(), "not_found");
    assert!(error.to_string().contains("meta.db"), "{error}");
    assert_eq!(files(folder.path()), [""; 0]);
    let error = open(folder.path().join("none/meta.db")).await.unwrap_err();
    assert_eq!(error.kind(), "not_found");
    assert!(error.to_string().contains("directory"), "{error}");
    // A file without anything in it holds no store either.
    std::fs::write(&path, "").unwrap();
    let error = SqliteMetaStore::open(&path, options, Env::real()).await.unwrap_err();
    assert_eq!(error.kind(), "not_found");
    let store = open(&path).await.unwrap();
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
}

#[tokio::test]
async fn w21_a_path_is_never_sql_and_never_a_uri() {
    let folder = tempfile::tempdir().unwrap();
    for name in
        ["a'b.db", "a\"; DROP TABLE documents; --.db", "x?mode=memory", "a b%20c#d", "ä\n.db"]
    {
        let path = folder.path().join(name);
        let store = open(&path).await.unwrap();
        store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
        store.close().await.unwrap();
        assert!(path.is_file(), "{name:?}");
        assert_eq!(open(&path).await.unwrap().count(&Scope::All).await.unwrap(), 1);
    }
    for path in ["", "a\0b", "/", ".."] {
        assert_eq!(open(path).await.unwrap_err().kind(), "invalid", "{path:?}");
    }
    assert_eq!(open(folder.path()).await.unwrap_err().kind(), "invalid");
}

#[tokio::test]
async fn a_database_of_somebody_else_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE customers (a); CREATE TABLE orders (b);").unwrap();
    connection.close().unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = open(&path).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported");
    let text = error.to_string();
    assert!(text.contains("customers") && text.contains("theirs.db"), "{text}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(files(folder.path()), ["theirs.db"]);
    let connection = Connection::open(&path).unwrap();
    let sql = "CREATE TABLE c (x); CREATE TABLE d (x); CREATE VIEW v AS SELECT 1;";
    connection.execute_batch(sql).unwrap();
    connection.close().unwrap();
    assert!(open(&path).await.unwrap_err().to_string().contains("and 2 more"));
}

#[tokio::test]
async fn a_marked_database_of_somebody_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    Connection::open(&path).unwrap().pragma_update(None, "application_id", 7).unwrap();
    assert_eq!(open(&path).await.unwrap_err().kind(), "unsupported");
}

#[tokio::test]
async fn tables_of_ours_for_other_purposes_do_not_disturb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE _ifmatch (only_row INTEGER PRIMARY KEY)").unwrap();
    connection.close().unwrap();
    let store = open(&path).await.unwrap();
    store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    store.close().await.unwrap();
    // It is a working copy: its changes stay where a sync finds them.
    assert!(std::fs::metadata(folder.path().join("meta.db-wal")).unwrap().len() > 0);
    assert_eq!(open(&path).await.unwrap().count(&Scope::All).await.unwrap(), 1);
}

#[tokio::test]
async fn a_form_of_a_newer_version_is_refused() {
    let mut bed = Bed::threaded().await;
    bed.reopen().await;
    bed.store.close().await.unwrap();
    let path = bed.folder.path().join("meta.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = open(&path).await.unwrap_err();
    assert_eq!(error.kind(), "unsupported");
    assert!(error.to_string().contains("99"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_corrupt_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    std::fs::write(&path, "this is no database, ".repeat(1_000)).unwrap();
    let error = open(&path).await.unwrap_err();
    assert_eq!(error.kind(), "corrupt");
    assert!(error.to_string().contains("meta.db"), "{error}");

    let bed = Bed::threaded().await;
    for i in 0..500 {
        bed.store.put(&key("p", &i.to_string()), body(i), Pre::IfAbsent).await.unwrap();
    }
    bed.store.close().await.unwrap();
    let path = bed.folder.path().join("meta.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let error = match open(&path).await {
        Err(error) => error,
        Ok(store) => store.get(&key("p", "1")).await.unwrap_err(),
    };
    assert_eq!(error.kind(), "corrupt", "{error}");
    assert!(error.to_string().contains("meta.db") && error.to_string().contains("restore"));
}

#[tokio::test]
async fn a_row_that_others_changed_is_corrupt_not_a_panic() {
    let bed = Bed::threaded().await;
    bed.store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
    bed.store.put(&key("p", "b"), body(1), Pre::IfAbsent).await.unwrap();
    let path = bed.folder.path().join("meta.db");
    let other = Connection::open(path).unwrap();
    other.execute("UPDATE documents SET etag = 'x' WHERE id = 'a'", []).unwrap();
    other.execute("UPDATE documents SET body = '{' WHERE id = 'b'", []).unwrap();
    assert_eq!(bed.store.get(&key("p", "a")).await.unwrap_err().kind(), "corrupt");
    let pre = Pre::field_equals("/n", 1);
    assert_eq!(bed.store.put(&key("p", "b"), body(2), pre).await.unwrap_err().kind(), "corrupt");
    bed.store.put(&key("p", "b"), body(2), Pre::Overwrite).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_close_every_clone_answers_closed() {
    for Bed { store, .. } in beds().await {
        let clone = store.clone();
        let k = key("p", "a");
        store.put(&k, body(1), Pre::IfAbsent).await.unwrap();
        store.close().await.unwrap();
        store.close().await.unwrap();
        assert_eq!(clone.get(&k).await.unwrap_err().kind(), "closed");
        assert_eq!(clone.put(&k, body(1), Pre::Overwrite).await.unwrap_err().kind(), "closed");
        assert_eq!(clone.count(&Scope::All).await.unwrap_err().kind(), "closed");
        assert_eq!(clone.local().call(|_| Ok(())).await.unwrap_err().kind(), "closed");
        clone.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_finishes_what_was_accepted() {
    let bed = Bed::threaded().await;
    let tasks: Vec<_> = (0..200)
        .map(|i| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                store.put(&key("p", &i.to_string()), body(i), Pre::IfAbsent).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    bed.store.close().await.unwrap();
    let mut done = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert_eq!(error.kind(), "closed"),
        }
    }
    let store = open(bed.folder.path().join("meta.db")).await.unwrap();
    assert_eq!(store.count(&Scope::All).await.unwrap(), done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_file_is_whole_by_itself_unless_its_log_is_kept() {
    for executor in [Executor::Thread, Executor::Inline] {
        for (on_close, expected) in [(OnClose::Checkpoint, 1), (OnClose::KeepLog, 3)] {
            let options = SqliteOptions::default().executor(executor).on_close(on_close);
            let bed = Bed::open("file", options).await;
            bed.store.put(&key("p", "a"), body(1), Pre::IfAbsent).await.unwrap();
            bed.store.get(&key("p", "a")).await.unwrap();
            bed.store.count(&Scope::All).await.unwrap();
            bed.store.close().await.unwrap();
            let files = files(bed.folder.path());
            assert_eq!(files.len(), expected, "{executor:?} {on_close:?}: {files:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_openers_of_a_missing_file_share_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    for content in [None, Some("")] {
        let _ = std::fs::remove_file(&path);
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let tasks: Vec<_> = (0..16)
            .map(|i| {
                let path = path.clone();
                tokio::spawn(async move {
                    let store = open(&path).await.unwrap();
                    store.put(&key("p", &i.to_string()), body(i), Pre::IfAbsent).await.unwrap();
                    store
                })
            })
            .collect();
        let mut stores = Vec::new();
        for task in tasks {
            stores.push(task.await.unwrap());
        }
        for store in &stores {
            assert_eq!(store.count(&Scope::All).await.unwrap(), 16);
        }
        for store in stores {
            store.close().await.unwrap();
        }
        assert_eq!(files(folder.path()), ["meta.db"]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let set =
        |mode| std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
    set(0o500);
    // Root may write everywhere; then there is nothing to see.
    if std::fs::write(folder.path().join("probe"), "").is_err() {
        let error = open(folder.path().join("meta.db")).await.unwrap_err();
        assert_eq!(error.kind(), "denied");
        assert!(error.to_string().contains("meta.db"), "{error}");
    }
    set(0o700);
}
