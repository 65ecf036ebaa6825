//! The pool of sqlx connections that applications get.

use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition as Pre, MetaStore};
use ifmatch_sql::sqlx::{self, Row as _};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};

use crate::support::{Bed, body, key};

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_sees_the_documents_and_has_tables_of_its_own() {
    let bed = Bed::threaded().await;
    let pool = bed.store.pool().unwrap();
    sqlx::query("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        .execute(&pool)
        .await
        .unwrap();
    for i in 0..20 {
        bed.store.put(&key("p", &i.to_string()), body(i), Pre::IfAbsent).await.unwrap();
        sqlx::query("INSERT INTO notes (text) VALUES (?)").bind(i).execute(&pool).await.unwrap();
    }
    let sql = "SELECT count(*), sum(body ->> 'n') FROM documents WHERE partition = ?";
    let row = sqlx::query(sql).bind("p").fetch_one(&pool).await.unwrap();
    assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (20, 190));
    pool.close().await;
    bed.store.put(&key("p", "after"), body(1), Pre::IfAbsent).await.unwrap();
    bed.store.close().await.unwrap();
    // Tables of the application beside ours are fine.
    let path = bed.folder.path().join("meta.db");
    SqliteMetaStore::open(path, SqliteOptions::default(), Env::real()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn w12_all_callers_share_one_bounded_pool() {
    let bed = Bed::threaded().await;
    let pool = bed.store.pool().unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                let pool = store.pool().unwrap();
                sqlx::query("SELECT 1").execute(&pool).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(pool.size() <= 4);
    let settings = sqlx::query("PRAGMA trusted_schema").fetch_one(&pool).await.unwrap();
    assert_eq!(settings.get::<i64, _>(0), 0);
}

#[test]
fn a_pool_needs_no_runtime_to_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("meta.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let open = SqliteMetaStore::open(path, SqliteOptions::default(), Env::real());
    let store = runtime.block_on(open).unwrap();
    assert_eq!(store.pool().unwrap().size(), 0);
    let memory = SqliteMetaStore::open_in_memory(SqliteOptions::default(), Env::real()).unwrap();
    assert_eq!(memory.pool().unwrap_err().kind(), "unsupported");
}
