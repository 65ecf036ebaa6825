//! Files, folders and foreign connections that do what nobody hoped for.

use std::path::Path;

use ifmatch::Operation;
use ifmatch::sync::{Error, Locking, Outcome, SyncOptions, SyncedDatabase};
use rusqlite::Connection;

use crate::meddler::Meddler;
use crate::support::{Place, URL, insert, listing, options, rows, sql};

#[tokio::test]
async fn w9_without_locking_a_clean_copy_still_publishes_nothing() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    let options = options().locking(Locking::None);
    let two = SyncedDatabase::open(two.path(), place.store.clone(), options).await.unwrap();
    assert_eq!(two.push().await.unwrap().outcome, Outcome::Clean);
    assert_eq!(rows(place.copy("new").await.path()), ["a", "first"], "the reader erased nothing");
    // Nor is a file that was swapped in published by it.
    sql(&place.at("empty"), "CREATE TABLE t (x TEXT)");
    std::fs::rename(place.at("empty"), two.path()).unwrap();
    assert!(matches!(two.push().await.unwrap_err(), Error::Swapped { .. }));
}

#[tokio::test]
async fn a_change_made_while_a_reload_downloads_is_kept() {
    for changed_before in [false, true] {
        let place = Place::new();
        let (one, two) = (place.init("one").await, place.copy("two").await);
        insert(one.path(), "a");
        one.push().await.unwrap();
        if changed_before {
            insert(two.path(), "early");
        }
        let meddler = Meddler::over(&place.store);
        let path = two.path().to_owned();
        meddler.before(Operation::Get, "snapshots", move || async move { insert(&path, "late") });
        let two = SyncedDatabase::open(two.path(), meddler, options()).await.unwrap();
        let reloaded = two.reload().await.unwrap();
        assert_eq!(rows(two.path()), ["a", "first"]);
        let expected: &[_] =
            if changed_before { &["early", "first", "late"] } else { &["first", "late"] };
        assert_eq!(rows(&reloaded.saved.expect("what was dropped is kept")), expected);
    }
}

#[tokio::test]
async fn a_change_made_while_a_pull_downloads_is_a_conflict() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    let meddler = Meddler::over(&place.store);
    let path = two.path().to_owned();
    meddler.before(Operation::Get, "snapshots", move || async move { insert(&path, "late") });
    let two = SyncedDatabase::open(two.path(), meddler, options()).await.unwrap();
    assert!(matches!(two.pull().await.unwrap_err(), Error::Conflict(_)));
    assert_eq!(rows(two.path()), ["first", "late"]);
}

#[tokio::test]
async fn a_file_that_is_swapped_during_a_push_is_not_published() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(two.path(), "a");
    sql(&place.at("strange"), "CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('strange')");
    let meddler = Meddler::over(&place.store);
    let (from, to) = (place.at("strange"), two.path().to_owned());
    meddler.before(Operation::Get, "ifmatch", move || async move {
        std::fs::rename(from, to).unwrap();
    });
    let two = SyncedDatabase::open(two.path(), meddler, options()).await.unwrap();
    assert!(matches!(two.push().await.unwrap_err(), Error::Swapped { .. }));
    assert_eq!(one.pull().await.unwrap().outcome, Outcome::UpToDate);
    assert_eq!(rows(two.path()), ["strange"]);
}

#[tokio::test]
async fn a_reload_that_cannot_replace_the_file_leaves_nothing_behind() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    insert(two.path(), "b");
    let before = listing(place.folder.path());
    let reader = Connection::open(two.path()).unwrap();
    let count = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u32>(0));
    assert_eq!(count().unwrap(), 2);
    for _ in 0..2 {
        assert_eq!(two.reload().await.unwrap_err().kind(), "unavailable");
    }
    assert_eq!(listing(place.folder.path()), before);
    drop(reader);
    assert!(two.reload().await.unwrap().saved.is_some());
}

#[tokio::test]
async fn a_lock_that_is_held_for_long_is_an_answer_after_the_wait() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    for mode in ["DELETE", "WAL"] {
        sql(two.path(), &format!("PRAGMA journal_mode = {mode}"));
        let other = Connection::open(two.path()).unwrap();
        let lock = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO t VALUES ('x')";
        other.execute_batch(lock).unwrap();
        for error in [
            two.pull().await.unwrap_err(),
            two.push().await.unwrap_err(),
            two.reload().await.unwrap_err(),
            two.status().await.unwrap_err(),
            two.has_local_changes().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), "unavailable", "{mode}: {error}");
        }
        other.execute_batch("ROLLBACK").unwrap();
    }
    assert_eq!(two.pull().await.unwrap().outcome, Outcome::Pulled);
}

#[tokio::test]
async fn an_idle_connection_in_delete_mode_reads_what_was_pulled() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    insert(one.path(), "a");
    one.push().await.unwrap();
    sql(two.path(), "PRAGMA journal_mode = DELETE");
    let idle = Connection::open(two.path()).unwrap();
    let count = || idle.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u32>(0));
    assert_eq!(count().unwrap(), 1);
    assert_eq!(two.pull().await.unwrap().outcome, Outcome::Pulled);
    assert_eq!(count().unwrap(), 2);
    idle.execute("INSERT INTO t VALUES ('idle')", []).unwrap();
    two.push().await.unwrap();
    drop(idle);
    one.pull().await.unwrap();
    assert_eq!(rows(one.path()), ["a", "first", "idle"]);
}

#[tokio::test]
async fn a_clone_is_not_mixed_with_what_another_database_left() {
    let place = Place::new();
    place.init("one").await;
    let path = place.at("two");
    // A process that died with frames in its log, and one half-way in a
    // transaction: the databases were removed, what belongs to them was not.
    for suffix in ["-wal", "-journal"] {
        let (old, debris) = (place.at("old"), place.at(&format!("two{suffix}")));
        let other = Connection::open(&old).unwrap();
        let mode = if suffix == "-wal" { "WAL" } else { "PERSIST" };
        let sql =
            format!("PRAGMA journal_mode = {mode}; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
        other.execute_batch(&sql).unwrap();
        std::fs::copy(place.at(&format!("old{suffix}")), &debris).unwrap();
        drop(other);
        std::fs::remove_file(&old).unwrap();
        let refused = SyncedDatabase::clone_to(&path, place.store.clone(), URL, options()).await;
        assert_eq!(refused.unwrap_err().kind(), "invalid");
        assert!(!path.exists() && debris.exists());
        std::fs::remove_file(&debris).unwrap();
    }
    assert_eq!(rows(place.copy("two").await.path()), ["first"]);
}

#[cfg(unix)]
#[tokio::test]
async fn two_names_of_a_file_are_one_copy_and_a_link_to_nowhere_is_no_place() {
    let place = Place::new();
    let one = place.init("one").await;
    std::os::unix::fs::symlink(place.at("one"), place.at("link")).unwrap();
    std::os::unix::fs::symlink(place.at("nowhere"), place.at("dangling")).unwrap();
    let link = place.reopen("link").await;
    assert_eq!(link.path().file_name(), one.path().file_name());
    insert(&place.at("link"), "a");
    let (first, second) = tokio::join!(one.push(), link.push());
    let outcomes = [first.unwrap().outcome, second.unwrap().outcome];
    assert!(outcomes.contains(&Outcome::Committed) && outcomes.contains(&Outcome::Clean));
    let before = listing(place.folder.path());
    let dangling = place.at("dangling");
    let refused = SyncedDatabase::clone_to(&dangling, place.store.clone(), URL, options()).await;
    assert_eq!(refused.unwrap_err().kind(), "invalid");
    assert_eq!(listing(place.folder.path()), before);
}

#[tokio::test]
async fn a_sidecar_that_is_damaged_or_of_another_file_publishes_and_changes_nothing() {
    let place = Place::new();
    let one = place.init("one").await;
    place.copy("two").await;
    let elsewhere = Place::new();
    let strange = elsewhere.init("strange").await;
    insert(strange.path(), "b");
    strange.push().await.unwrap();
    insert(one.path(), "a");
    let (sidecar, head) = (place.at("one-ifmatch"), place.body("head").await);
    let own = std::fs::read(&sidecar).unwrap();
    std::fs::copy(elsewhere.at("strange-ifmatch"), &sidecar).unwrap();
    let errors = [one.push().await.unwrap_err(), one.pull().await.unwrap_err()];
    assert!(matches!(errors[0], Error::Swapped { .. }), "{:?}", errors[0]);
    assert!(matches!(errors[1], Error::RemoteReplaced { .. }), "{:?}", errors[1]);
    std::fs::write(&sidecar, &own[..own.len() / 2]).unwrap();
    for error in [one.push().await.unwrap_err(), one.reload().await.unwrap_err()] {
        assert_eq!(error.kind(), "corrupt");
    }
    assert_eq!(
        (rows(one.path()), place.body("head").await),
        (vec!["a".into(), "first".into()], head)
    );
    std::fs::write(&sidecar, &own).unwrap();
    assert_eq!(one.push().await.unwrap().outcome, Outcome::Committed);
}

#[tokio::test]
async fn a_trigger_on_the_mark_does_not_run_and_a_damaged_database_is_not_published() {
    let place = Place::new();
    let (one, two) = (place.init("one").await, place.copy("two").await);
    sql(
        one.path(),
        "CREATE TRIGGER a AFTER UPDATE ON _ifmatch BEGIN DELETE FROM t; END;
         CREATE TRIGGER b AFTER INSERT ON _ifmatch BEGIN DELETE FROM t; END;",
    );
    one.push().await.unwrap();
    two.pull().await.unwrap();
    insert(two.path(), "a");
    two.push().await.unwrap();
    assert_eq!(rows(two.path()), ["a", "first"]);
    let head = place.body("head").await;
    sql(
        two.path(),
        "CREATE TABLE big AS WITH RECURSIVE n(i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i, hex(zeroblob(100)) FROM n",
    );
    sql(two.path(), "PRAGMA journal_mode = DELETE");
    let mut bytes = std::fs::read(two.path()).unwrap();
    let page = bytes.len() - 2 * 4096;
    bytes[page..page + 4096].fill(0xff);
    std::fs::write(two.path(), bytes).unwrap();
    let error = two.push().await.unwrap_err();
    assert_eq!(error.kind(), "corrupt", "{error}");
    assert_eq!(place.body("head").await, head);
}

#[tokio::test]
async fn many_tasks_on_one_copy_lose_nothing() {
    let place = Place::new();
    place.init("one").await;
    let tasks = (0..8).map(|task| {
        let (path, store) = (place.at("one"), place.store.clone());
        tokio::spawn(async move {
            let copy = SyncedDatabase::open(&path, store, SyncOptions::new()).await.unwrap();
            for round in 0..3 {
                let connection = Connection::open(&path).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
                let row = format!("{task}-{round}");
                connection.execute("INSERT INTO t VALUES (?1)", [row]).unwrap();
                drop(connection);
                copy.push().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let copy = place.copy("two").await;
    assert_eq!(rows(copy.path()).len(), 25);
    assert_eq!(rows(copy.path()), rows(&place.at("one")));
}

/// A small disk; unmounted when dropped.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(at).output();
        done.is_ok_and(|done| done.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).output();
    }
}

#[tokio::test]
async fn a_full_disk_leaves_the_copy_and_the_remote_as_they_were() {
    let place = Place::new();
    let one = place.init("one").await;
    let Some(disk) = Disk::mount(&place.at("disk")) else {
        println!("skipped: no tmpfs can be mounted here");
        return;
    };
    let path = disk.0.join("two");
    let two = SyncedDatabase::clone_to(&path, place.store.clone(), URL, options()).await.unwrap().0;
    // More than fits beside the copy, and then more than fits at all.
    for bytes in [300_000, 2_000_000] {
        let more = format!("INSERT INTO t VALUES (hex(randomblob({})))", bytes / 2);
        sql(one.path(), &more);
        one.push().await.unwrap();
        let before = listing(&disk.0);
        let error = two.pull().await.unwrap_err();
        assert_eq!(error.kind(), "other", "{error:?}");
        assert_eq!((rows(&path), listing(&disk.0)), (vec!["first".to_owned()], before));
        let other = disk.0.join("three");
        let cloned = SyncedDatabase::clone_to(&other, place.store.clone(), URL, options()).await;
        if bytes > 500_000 {
            cloned.unwrap_err();
            assert!(!other.exists());
        } else if cloned.is_ok() {
            for suffix in ["", "-ifmatch", "-ifmatch-lock"] {
                std::fs::remove_file(disk.0.join(format!("three{suffix}"))).unwrap();
            }
        }
    }
    // A push without room for its snapshot.
    let head = place.body("head").await;
    std::fs::write(disk.0.join("filler"), vec![0; 600_000]).unwrap_err();
    two.push_force().await.unwrap_err();
    assert_eq!(place.body("head").await, head);
    std::fs::remove_file(disk.0.join("filler")).unwrap();
    assert_eq!(rows(&path), ["first"]);
    sql(one.path(), "DELETE FROM t WHERE x <> 'first'; VACUUM");
    one.push().await.unwrap();
    assert_eq!(two.pull().await.unwrap().outcome, Outcome::Pulled);
}
