//! Files that are no database of autocrud: refused, and nothing is imported.

use super::*;

async fn refused(path: &Path, options: &AutocrudOptions) -> String {
    let store = store();
    let failed = import_autocrud(&store, path, options).await.unwrap_err();
    assert_eq!(failed.report.imported, 0);
    assert!(content(&store, "p").await.is_empty());
    format!("{}: {}", failed.kind(), failed.error)
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let (folder, path) = made("0.9.0-json");
    let whole = std::fs::read(&path).unwrap();
    for content in [&b""[..], b"SQLite", b"this is text of some length", &[0; 4_096]] {
        std::fs::write(&path, content).unwrap();
        let refused = refused(&path, &options()).await;
        assert!(refused.starts_with("corrupt: "), "{refused}");
    }
    // W7: a download that broke off.
    for length in [16, 100, 4_096, whole.len() / 2, whole.len() - 4_096] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let refused = refused(&path, &options()).await;
        assert!(refused.starts_with("corrupt: "), "{length}: {refused}");
    }
    assert!(refused(&folder.path().join("none"), &options()).await.starts_with("not_found: "));
    assert!(refused(folder.path(), &options()).await.starts_with("invalid: "));
}

#[tokio::test]
async fn a_damaged_table_is_refused_before_a_row_is_imported() {
    let (_folder, path) = made("0.9.0-json");
    let mut bytes = std::fs::read(&path).unwrap();
    let holds_a_row = |page: &[u8]| page.windows(12).any(|text| text == b"package:0008");
    let is_leaf = |page: &[u8]| page[0] == 13;
    let page = bytes.chunks(4_096).position(|page| is_leaf(page) && holds_a_row(page)).unwrap();
    let at = page * 4_096;
    bytes[at + 8..at + 40].fill(0xff); // The places of its cells.
    std::fs::write(&path, bytes).unwrap();
    let refused = refused(&path, &options()).await;
    assert!(refused.starts_with("corrupt: "), "{refused}");
}

#[tokio::test]
async fn a_database_of_something_else_is_refused() {
    for (schema, what) in [
        ("CREATE TABLE t(a)", "it has no table resource_meta"),
        ("CREATE TABLE resource_meta(resource_id TEXT)", "has no column data"),
        ("CREATE TABLE resource_meta(data)", "has no column resource_id"),
        (
            "CREATE TABLE t(resource_id, data);
             CREATE VIEW resource_meta AS SELECT * FROM t",
            "is no ordinary table",
        ),
        (
            "CREATE TABLE resource_meta(resource_id TEXT PRIMARY KEY, data) WITHOUT ROWID",
            "is no ordinary table",
        ),
        (
            "CREATE VIRTUAL TABLE resource_meta USING fts5(resource_id, data)",
            "is no ordinary table",
        ),
        ("CREATE TABLE resource_meta(resource_id, data, rowid)", "computed columns"),
        ("CREATE TABLE resource_meta(resource_id, d, data AS (hex(d)))", "computed columns"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path).unwrap().execute_batch(schema).unwrap();
        let refused = refused(&path, &options()).await;
        assert!(refused.starts_with("invalid: ") && refused.contains(what), "{schema}: {refused}");
    }
}

#[tokio::test]
async fn a_database_beyond_the_limit_is_refused() {
    let (_folder, path) = made("0.9.0-json");
    let refused = refused(&path, &options().max_file_bytes(1 << 16)).await;
    assert!(refused.starts_with("too_large: "), "{refused}");
}

#[tokio::test]
async fn a_database_with_a_log_is_read() {
    let ((_folder, path), store) = (made("0.9.0-json"), store());
    let writer = Connection::open(&path).unwrap();
    writer.pragma_update(None, "journal_mode", "wal").unwrap();
    writer.execute("DELETE FROM resource_meta WHERE resource_id = 'package:0001'", []).unwrap();
    let report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS - 1, ROWS - 1, 0, 0));
}

#[tokio::test]
async fn a_transaction_that_was_cut_off_is_not_read_over() {
    let (folder, path) = made("0.9.0-json");
    let writer = Connection::open(&path).unwrap();
    // As little memory as possible, so that pages are in the file before the end.
    writer
        .execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE resource_meta SET data = '{}'")
        .unwrap();
    let crashed = tempfile::tempdir().unwrap();
    for name in ["autocrud.db", "autocrud.db-journal"] {
        std::fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let refused = refused(&crashed.path().join("autocrud.db"), &options()).await;
    assert!(refused.starts_with("unavailable: "), "{refused}");
}

#[tokio::test]
async fn an_expression_of_the_schema_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checks.db");
    let sql = "PRAGMA ignore_check_constraints = 1;
               CREATE TABLE resource_meta (
                   resource_id TEXT PRIMARY KEY, data CHECK (length(zeroblob(900000000)) = 0));
               INSERT INTO resource_meta VALUES ('a', '{}')";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let report = import_autocrud(&store(), &path, &options()).await.unwrap();
    assert_eq!(counts(&report), (1, 1, 0, 0));
}
