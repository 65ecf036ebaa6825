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
    let clean = |content: &str| Guard::Clean(content.to_owned());
    let not = replace(&old, image.file.path(), clean("another content"), WAIT).unwrap();
    assert_eq!(not, Replaced::Not);
    let done = replace(&old, image.file.path(), clean(&before), WAIT).unwrap();
    assert_eq!(done, Replaced::Done { saved: None });
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
    let name = folder.path().join("kept.db");
    let guard = || Guard::Keep { known: Vec::new(), name: name.clone() };
    let error = replace(&old, image.file.path(), guard(), WAIT).unwrap_err();
    assert_eq!(error.kind(), "unavailable", "{error}");
    assert_eq!(count(&open), 10);
    insert(&open, 10, 11);
    drop(open);
    assert!(!name.exists(), "nothing is kept of what was not replaced");
    let done = replace(&old, image.file.path(), guard(), WAIT).unwrap();
    assert_eq!(done, Replaced::Done { saved: Some(name.clone()) });
    assert_eq!(count(&connect(&name, WAIT).unwrap()), 11);
}

#[test]
fn the_mark_is_read_back_and_is_missing_in_a_plain_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let connection = database(&path, 1);
    assert_eq!(read_mark(&connection).unwrap(), None);
    let env = ifmatch_core::Simulation::seeded(1).env();
    let (journal, commit) = (JournalId::random(&env), CommitId::new(&env, 7));
    let mark = (journal, commit);
    for found in [None, Some(mark)] {
        let check = |there| {
            assert_eq!(there, found);
            Ok(())
        };
        write_mark(&connection, &path, mark, WAIT, check).unwrap();
    }
    assert_eq!(read_mark(&connection).unwrap(), Some(mark));
    let refused = |_| Err(Error::invalid("no"));
    let other = (journal, CommitId::new(&env, 8));
    assert!(write_mark(&connection, &path, other, WAIT, refused).is_err());
    assert_eq!(read_mark(&connection).unwrap(), Some(mark), "nothing was written");
    connection.execute_batch("DROP TABLE _ifmatch; CREATE TABLE _ifmatch (a)").unwrap();
    assert_eq!(read_mark(&connection).unwrap(), None, "somebody else's table");
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

/// A snapshot as it is published, and its mark.
fn published(path: &Path) -> (LocalSnapshot, (JournalId, CommitId)) {
    let env = ifmatch_core::Simulation::seeded(1).env();
    let mark = (JournalId::random(&env), CommitId::new(&env, 7));
    let connection = connect(path, WAIT).unwrap();
    write_mark(&connection, path, mark, WAIT, |_| Ok(())).unwrap();
    (take_snapshot(&connection, path).unwrap(), mark)
}

#[test]
fn an_image_that_is_not_a_whole_database_with_its_mark_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(database(&path, 300));
    let (image, mark) = published(&path);
    let image = image.file.path();
    verify(image, "image", mark).unwrap();
    let env = ifmatch_core::Simulation::seeded(2).env();
    let strangers = [(JournalId::random(&env), mark.1), (mark.0, CommitId::new(&env, 7)), {
        let unmarked = folder.path().join("b.db");
        drop(database(&unmarked, 1));
        let plain = take_snapshot(&connect(&unmarked, WAIT).unwrap(), &unmarked).unwrap();
        let error = verify(plain.file.path(), "image", mark).unwrap_err();
        assert_eq!(error.kind(), "corrupt");
        (mark.0, CommitId::new(&env, 8))
    }];
    for stranger in strangers {
        assert_eq!(verify(image, "image", stranger).unwrap_err().kind(), "corrupt");
    }
    let whole = std::fs::read(image).unwrap();
    let bad = folder.path().join("bad");
    let refused = |what: &str, bytes: &[u8]| {
        std::fs::write(&bad, bytes).unwrap();
        let error = verify(&bad, "image", mark).unwrap_err();
        assert_eq!(error.kind(), "corrupt", "{what}: {error}");
    };
    refused("empty", &[]);
    refused("no database", &[7; 8192]);
    refused("a page less", &whole[..whole.len() - 4096]);
    refused("a page more", &[&whole[..], &[0; 4096]].concat());
    for (what, range) in [
        ("a header of WAL mode", 18..20),
        ("a change counter", 24..28),
        ("a schema cookie", 40..44),
        ("a page size", 16..18),
        ("a page of noise", 8192..12288),
        ("a schema of noise", 100..4096),
    ] {
        let mut bytes = whole.clone();
        bytes[range].fill(2);
        refused(what, &bytes);
    }
}

#[test]
fn what_only_the_application_knows_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let connection = database(&path, 1);
    // Written with what SQLite knows, renamed to what it does not.
    connection
        .execute_batch(
            "CREATE TABLE a (x CHECK (abs(x)), y AS (abs(x)) STORED, z COLLATE nocase);
             INSERT INTO a VALUES (1, 'b'), (2, 'a');
             CREATE INDEX i ON a (z);
             CREATE INDEX j ON a (abs(x));
             CREATE TABLE n (x NOT NULL, y CHECK (y > 0));
             PRAGMA ignore_check_constraints = ON;
             INSERT INTO n VALUES (1, -1);
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(replace(sql, 'abs', 'known'), 'nocase', 'own');",
        )
        .unwrap();
    drop(connection);
    let (image, mark) = published(&path);
    verify(image.file.path(), "image", mark).unwrap();
}
