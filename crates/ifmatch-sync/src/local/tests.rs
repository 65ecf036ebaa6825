use std::time::Duration;

use super::*;
use crate::commit_id::{CommitId, JournalId};

const WAIT: Duration = Duration::from_millis(50);

fn database(path: &Path, rows: u32) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x INTEGER, pad TEXT)")
        .unwrap();
    insert(&connection, 0, rows);
    connection
}

fn insert(connection: &Connection, from: u32, to: u32) {
    for x in from..to {
        connection.execute("INSERT INTO t VALUES (?1, hex(randomblob(200)))", [x]).unwrap();
    }
}

fn count(connection: &Connection) -> u32 {
    connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[test]
fn equal_content_has_an_equal_hash_however_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let connection = database(&path, 50);
    let first = take_snapshot(&connection, &path).unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(take_snapshot(&connection, &path).unwrap().content, first.content);
    drop(connection);
    assert_eq!(
        take_snapshot(&connect(&path, WAIT).unwrap(), &path).unwrap().content,
        first.content
    );
    let copy = folder.path().join("b.db");
    first.file.persist(&copy).unwrap();
    let other = connect(&copy, WAIT).unwrap();
    assert_eq!(take_snapshot(&other, &copy).unwrap().content, first.content);
    assert_eq!(count(&other), 50);
    insert(&other, 50, 51);
    assert_ne!(take_snapshot(&other, &copy).unwrap().content, first.content);
}

#[test]
fn a_replaced_database_has_the_new_content_and_hash() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    drop(database(&old, 500));
    let image = take_snapshot(&database(&new, 20), &new).unwrap();
    let before = take_snapshot(&connect(&old, WAIT).unwrap(), &old).unwrap().content;
    assert!(!replace(&old, image.file.path(), Some("another content"), WAIT).unwrap());
    assert!(replace(&old, image.file.path(), Some(&before), WAIT).unwrap());
    let connection = connect(&old, WAIT).unwrap();
    assert_eq!(count(&connection), 20);
    assert_eq!(take_snapshot(&connection, &old).unwrap().content, image.content);
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    insert(&connection, 20, 30);
    assert_eq!(count(&connection), 30);
}

#[test]
fn a_database_that_is_open_elsewhere_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let open = database(&old, 10);
    let image = take_snapshot(&database(&new, 20), &new).unwrap();
    let error = replace(&old, image.file.path(), None, WAIT).unwrap_err();
    assert_eq!(error.kind(), "unavailable", "{error}");
    assert_eq!(count(&open), 10);
    insert(&open, 10, 11);
    drop(open);
    assert!(replace(&old, image.file.path(), None, WAIT).unwrap());
}

#[test]
fn the_mark_is_read_back_and_is_missing_in_a_plain_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut connection = database(&path, 1);
    assert_eq!(read_mark(&connection).unwrap(), None);
    let env = ifmatch_core::Simulation::seeded(1).env();
    let (journal, commit) = (JournalId::random(&env), CommitId::new(&env, 7));
    write_mark(&mut connection, journal, commit).unwrap();
    write_mark(&mut connection, journal, commit).unwrap();
    assert_eq!(read_mark(&connection).unwrap(), Some((journal, commit)));
}

#[test]
fn a_damaged_sidecar_is_corrupt_and_never_half_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let env = ifmatch_core::Simulation::seeded(1).env();
    assert!(Sidecar::load(&path).unwrap().is_none());
    Sidecar::new("memory://x", JournalId::random(&env)).save(&path).unwrap();
    assert_eq!(Sidecar::load(&path).unwrap().unwrap().url, "memory://x");
    let name = beside(&path, "-ifmatch");
    let whole = std::fs::read(&name).unwrap();
    for length in 0..whole.len() - 1 {
        std::fs::write(&name, &whole[..length]).unwrap();
        assert_eq!(Sidecar::load(&path).unwrap_err().kind(), "corrupt", "{length}");
    }
    for bit in 0..(whole.len() - 1) * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&name, &flipped).unwrap();
        assert_eq!(Sidecar::load(&path).unwrap_err().kind(), "corrupt", "bit {bit}");
    }
}
