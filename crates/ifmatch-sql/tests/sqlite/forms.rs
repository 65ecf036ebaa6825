//! Files of older forms.

use std::path::Path;

use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition as Pre, MetaStore, Scope};
use ifmatch_sql::rusqlite::Connection;
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};

use crate::support::{body, content, key};

/// Form 1, as it was made.
const FORM_1: &str = "
CREATE TABLE documents (
    partition TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,          -- without quotes
    position INTEGER NOT NULL,   -- the commit that wrote this state
    created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
    updated_at INTEGER NOT NULL,
    updated_by TEXT,
    body TEXT NOT NULL,          -- JSON, byte for byte as put
    UNIQUE (partition, id)
) STRICT;
-- One row: what is counted in this store.
CREATE TABLE _ifmatch_store (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    store_id BLOB NOT NULL,      -- 128 random bits
    commits INTEGER NOT NULL,    -- position of the newest commit
    etags INTEGER NOT NULL       -- ETags ever minted
) STRICT;
INSERT INTO _ifmatch_store VALUES (1, x'00112233445566778899aabbccddeeff', 7, 9);
INSERT INTO documents VALUES
    ('p', 'a', '1-00112233445566778899aabb', 3, 10, 20, 'me', '{\"n\": 1}'),
    ('p', 'b', '2-00112233445566778899aabc', 7, 10, 20, NULL, '{\"n\":2}'),
    ('q', 'a', '3-00112233445566778899aabd', 7, 10, 20, NULL, '{\"n\":3}'),
    ('q', 'b', '4-00112233445566778899aabe', 7, 10, 20, NULL, '{\"n\":4}');
CREATE INDEX mine ON documents (updated_at);
PRAGMA application_id = 1229344068;
PRAGMA user_version = 1;
";

fn make(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(FORM_1).unwrap();
    connection.close().unwrap();
}

async fn open(path: &Path) -> SqliteMetaStore {
    let options = SqliteOptions::default().create(false).audit(true);
    SqliteMetaStore::open(path, options, Env::real()).await.unwrap()
}

#[tokio::test]
async fn a_file_of_form_1_keeps_its_documents_and_has_a_feed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    make(&path);
    let store = open(&path).await;
    let found = store.get(&key("p", "a")).await.unwrap().unwrap();
    assert_eq!(found.etag.to_string(), "\"1-00112233445566778899aabb\"");
    assert_eq!((found.body.as_str(), found.updated_by.as_deref()), ("{\"n\": 1}", Some("me")));
    // Page by page: what one commit wrote has an order now.
    let (mut token, mut seen) = (None, Vec::new());
    loop {
        let page = store.changes(&Scope::All, token.as_ref(), 1).await.unwrap();
        seen.extend(
            page.changes.iter().map(|change| (change.position(), change.key().to_string())),
        );
        token = Some(page.next);
        if !page.more {
            break;
        }
    }
    let expected = [(3, "p/a"), (7, "p/b"), (7, "q/a"), (7, "q/b")];
    assert_eq!(seen, expected.map(|(position, name)| (position, name.to_owned())));
    let written = store.put(&key("p", "a"), body(5), Pre::IfMatch(found.etag)).await.unwrap();
    assert_eq!(written.position, 8);
    assert!(written.etag.to_string().starts_with("\"a-"), "{}", written.etag);
    store.delete(&key("q", "b"), Pre::IfExists).await.unwrap();
    let page = store.changes(&Scope::All, token.as_ref(), 10).await.unwrap();
    assert_eq!(page.changes.len(), 2);
    store.close().await.unwrap();
    let store = open(&path).await;
    assert_eq!(content(&store, "p").await.len(), 2);
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE name = 'mine'";
    let count = |connection: &Connection| {
        Ok(connection.query_row(indexes, [], |row| row.get::<_, i64>(0))?)
    };
    assert_eq!(store.local().read(count).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_openers_of_a_file_of_form_1_bring_it_up_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    make(&path);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { open(&path).await.count(&Scope::All).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 4);
    }
}
