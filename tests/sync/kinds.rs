//! Every kind of SQLite file can be shared.

use std::path::Path;

use ifmatch::sync::{Error, SyncedDatabase};
use rusqlite::Connection;

use crate::support::{Place, URL, insert, options, rows, sql};

fn text(path: &Path, query: &str) -> String {
    Connection::open(path).unwrap().query_row(query, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn every_kind_of_database_comes_back_as_it_was() {
    let page_sizes = [512, 1024, 65536];
    let headers = page_sizes.map(|size| format!("PRAGMA page_size = {size}"));
    let others = [
        "PRAGMA auto_vacuum = FULL",
        "PRAGMA auto_vacuum = INCREMENTAL",
        "PRAGMA encoding = 'UTF-16le'",
        "PRAGMA encoding = 'UTF-16be'",
        "PRAGMA journal_mode = WAL",
        "PRAGMA application_id = 7; PRAGMA user_version = 9",
    ];
    for header in headers.iter().map(String::as_str).chain(others) {
        let place = Place::new();
        let path = place.at("one");
        sql(
            &path,
            &format!(
                "{header};
                 CREATE TABLE t (x TEXT);
                 INSERT INTO t VALUES ('first');
                 CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
                 INSERT INTO pairs VALUES (1, zeroblob(100000)), (2, 'äöü');
                 CREATE TABLE made (a, b AS (a + 1) STORED, c AS (a + 2), CHECK (a > 0));
                 INSERT INTO made VALUES (1);
                 CREATE INDEX part ON pairs (b) WHERE a > 1;
                 CREATE VIEW v AS SELECT * FROM t;
                 CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO made VALUES (9); END;
                 DELETE FROM pairs WHERE a = 1;"
            ),
        );
        let one = SyncedDatabase::init(&path, place.store.clone(), URL, options()).await.unwrap().0;
        let two = place.copy("two").await;
        let facts = |path: &Path| {
            ["page_size", "auto_vacuum", "encoding", "application_id", "user_version", "page_count"]
                .map(|name| text(path, &format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}")))
        };
        assert_eq!(facts(two.path()), facts(one.path()), "{header}");
        insert(two.path(), "a");
        // Another page size, in the middle of its life.
        let to = if header.contains("512") { 65536 } else { 512 };
        sql(two.path(), &format!("PRAGMA journal_mode = DELETE; PRAGMA page_size = {to}; VACUUM"));
        two.push().await.unwrap();
        one.pull().await.unwrap();
        assert_eq!(facts(two.path()), facts(one.path()), "{header}");
        for copy in [&one, &two, &place.copy("three").await] {
            assert_eq!(text(copy.path(), "PRAGMA integrity_check"), "ok", "{header}");
            assert_eq!(rows(copy.path()), ["a", "first"], "{header}");
            assert!(!copy.has_local_changes().await.unwrap(), "{header}");
        }
    }
}

#[tokio::test]
async fn an_empty_file_is_an_empty_database() {
    let place = Place::new();
    std::fs::write(place.at("one"), "").unwrap();
    let one = SyncedDatabase::init(&place.at("one"), place.store.clone(), URL, options()).await;
    let one = one.unwrap().0;
    sql(one.path(), "CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('a')");
    one.push().await.unwrap();
    assert_eq!(rows(place.copy("two").await.path()), ["a"]);
    // What is emptied behind our back is not published.
    let two = place.reopen("two").await;
    std::fs::write(two.path(), "").unwrap();
    assert!(matches!(two.push().await.unwrap_err(), Error::Swapped { .. }));
    two.reload().await.unwrap();
    assert_eq!(rows(two.path()), ["a"]);
}
