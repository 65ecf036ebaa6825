//! Databases that autocrud itself made (see `tests/data/autocrud`), and bad ones.

mod bad_files;
mod bad_rows;
mod blobs;
mod replaced;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::TryStreamExt as _;
use ifmatch_core::{Env, Timestamp};
use ifmatch_meta::{
    DocKey, DocPrecondition, Json, MemoryMetaStore, MetaStore, OnExisting, Partition, ScanOptions,
};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// What `make.py` made.
const MADE: [&str; 4] = ["0.7.7-json", "0.7.7-msgpack", "0.9.0-json", "0.9.0-msgpack"];
const ROWS: u64 = 19;

/// A folder with a copy of one of them.
fn made(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/autocrud")
        .join(format!("{name}.db.zst"));
    let database = zstd::decode_all(std::fs::File::open(packed).unwrap()).unwrap();
    let path = folder.path().join("autocrud.db");
    std::fs::write(&path, database).unwrap();
    (folder, path)
}

fn store() -> MemoryMetaStore {
    MemoryMetaStore::new(Env::real())
}

fn options() -> AutocrudOptions {
    AutocrudOptions::into_partition(Partition::new("p").unwrap())
}

async fn content(store: &dyn MetaStore, partition: &str) -> BTreeMap<String, Json> {
    let partition = Partition::new(partition).unwrap();
    let documents = store.documents(&partition, ScanOptions::default());
    documents.map_ok(|d| (d.key.id.as_str().to_owned(), d.body)).try_collect().await.unwrap()
}

fn counts(report: &AutocrudReport) -> (u64, u64, u64, u64) {
    (report.rows, report.imported, report.unchanged, report.skipped)
}

/// The rows as they lie in the file.
fn rows(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT resource_id, data FROM resource_meta").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// The document with its times as microseconds: `MessagePack` has no zones.
fn same_times(body: &Json) -> Value {
    let mut value = body.value().unwrap().clone();
    for (name, member) in value.as_object_mut().unwrap() {
        let time = member.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        if let (true, Some(time)) = (name.ends_with("_time"), time) {
            *member = Value::from(time.as_micros());
        }
    }
    value
}

#[tokio::test]
async fn s16_json_rows_arrive_byte_for_byte() {
    for name in ["0.7.7-json", "0.9.0-json"] {
        let ((_folder, path), store) = (made(name), store());
        let report = import_autocrud(&store, &path, &options()).await.unwrap();
        assert_eq!(counts(&report), (ROWS, ROWS, 0, 0), "{name}");
        let expected = rows(&path);
        let found = content(&store, "p").await;
        assert_eq!(found.len(), expected.len());
        for (id, data) in expected {
            assert_eq!(found[&id].as_str().as_bytes(), data, "{name} {id}");
        }
    }
}

#[tokio::test]
async fn s16_both_generations_and_both_encodings_say_the_same() {
    let mut all = Vec::new();
    for name in MADE {
        let ((_folder, path), store) = (made(name), store());
        import_autocrud(&store, &path, &options()).await.unwrap();
        let found = content(&store, "p").await;
        let values: BTreeMap<_, _> =
            found.iter().map(|(id, body)| (id.clone(), same_times(body))).collect();
        all.push((name, values));
    }
    for (name, values) in &all {
        let with_revisions = name.starts_with("0.9");
        for (id, newest) in &all[2].1 {
            let mut expected = newest.clone();
            let members = expected.as_object_mut().unwrap();
            assert_eq!(members.contains_key("rev_status"), id != "package:0013");
            members.retain(|name, _| with_revisions || !name.starts_with("rev_"));
            assert_eq!(values[id], expected, "{name} {id}");
        }
        let (seven, eleven) = (&values["package:0007"], &values["package:0011"]);
        assert!(seven.get("indexed_data").is_none());
        assert_eq!(eleven["updated_time"], "2026-02-01T10:59:58", "no zone stays no zone");
        let indexed = &values["package:0015"]["indexed_data"];
        assert_eq!(indexed["size"], 9_007_199_254_741_008_i64);
        assert_eq!(indexed["big"], 18_446_744_073_709_551_600_u64);
        assert_eq!(indexed["package.name"], "pkg-15");
        assert_eq!(values["package:0017"]["is_deleted"], true);
    }
}

#[tokio::test]
async fn s16_times_of_message_pack_sort_as_text() {
    let ((_folder, path), store) = (made("0.9.0-msgpack"), store());
    import_autocrud(&store, &path, &options()).await.unwrap();
    let found = content(&store, "p").await;
    let body = found["package:0001"].value().unwrap();
    assert_eq!(body["created_time"], "2026-02-01T00:59:58.123456Z");
    let whole = found["package:0002"].value().unwrap();
    assert_eq!(whole["updated_time"], "2026-02-01T01:59:58.000000Z");
}

#[tokio::test]
async fn s16_a_second_run_writes_nothing() {
    for name in MADE {
        let ((_folder, path), store) = (made(name), store());
        import_autocrud(&store, &path, &options()).await.unwrap();
        let key = DocKey::new("p", "package:0003").unwrap();
        let before = store.get(&key).await.unwrap().unwrap();
        for existing in [OnExisting::SkipEqual, OnExisting::Replace] {
            let again = options().existing(existing);
            let report = import_autocrud(&store, &path, &again).await.unwrap();
            assert_eq!(counts(&report), (ROWS, 0, ROWS, 0), "{name}");
        }
        assert_eq!(store.get(&key).await.unwrap().unwrap().etag, before.etag);
    }
}

#[tokio::test]
async fn a_document_that_differs_is_reported_by_its_id_or_replaced() {
    let ((_folder, path), store) = (made("0.9.0-msgpack"), store());
    let key = DocKey::new("p", "package:0003").unwrap();
    let mine = Json::new(r#"{"mine":true}"#).unwrap();
    store.put(&key, mine.clone(), DocPrecondition::IfAbsent).await.unwrap();

    let report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS, ROWS - 1, 0, 1));
    let [row] = &report.rows_skipped[..] else { panic!("{report:?}") };
    assert_eq!((row.id.as_deref(), row.reason.kind()), (Some("package:0003"), "refused"));
    let SkipReason::Refused(error) = &row.reason else { panic!("{row}") };
    assert_eq!(error.kind(), "conflict");
    assert_eq!(store.get(&key).await.unwrap().unwrap().body, mine);

    let replace = options().existing(OnExisting::Replace);
    let report = import_autocrud(&store, &path, &replace).await.unwrap();
    assert_eq!(counts(&report), (ROWS, 1, ROWS - 1, 0));
    assert_ne!(store.get(&key).await.unwrap().unwrap().body, mine);
}

#[tokio::test]
async fn a_field_names_the_partition() {
    let ((_folder, path), store) = (made("0.7.7-json"), store());
    let by_field = AutocrudOptions::by_field("/indexed_data/section");
    let report = import_autocrud(&store, &path, &by_field).await.unwrap();
    assert_eq!(counts(&report), (ROWS, ROWS - 1, 0, 1));
    assert_eq!(report.reasons, BTreeMap::from([("unnamed", 1)]));
    assert_eq!(report.rows_skipped[0].id.as_deref(), Some("package:0007"));
    let sizes = [
        content(&store, "admin").await.len(),
        content(&store, "games").await.len(),
        content(&store, "libs").await.len(),
    ];
    assert_eq!(sizes, [7, 5, 6]);

    let by_field = by_field.default_partition(Partition::new("rest").unwrap());
    let report = import_autocrud(&store, &path, &by_field).await.unwrap();
    assert_eq!(counts(&report), (ROWS, 1, ROWS - 1, 0));
    assert!(content(&store, "rest").await.contains_key("package:0007"));

    let by_object = AutocrudOptions::by_field("/indexed_data");
    let report = import_autocrud(&store, &path, &by_object).await.unwrap();
    assert_eq!((report.imported, report.skipped), (0, ROWS));
}

#[tokio::test]
async fn indexed_data_that_only_the_column_has_is_part_of_the_document() {
    let ((_folder, path), store) = (made("0.9.0-json"), store());
    let connection = Connection::open(&path).unwrap();
    let sql = "UPDATE resource_meta SET indexed_data = ?1 WHERE resource_id = 'package:0007'";
    connection.execute(sql, [r#"{"late": 1}"#]).unwrap();
    drop(connection);
    import_autocrud(&store, &path, &options()).await.unwrap();
    let found = content(&store, "p").await;
    assert_eq!(found["package:0007"].value().unwrap()["indexed_data"]["late"], 1);
    assert_eq!(found["package:0007"].value().unwrap()["created_by"], "bob");
    // Where both have it, the document's own counts.
    assert!(found["package:0008"].value().unwrap()["indexed_data"].get("late").is_none());
}

#[tokio::test]
async fn the_file_is_left_as_it_was() {
    let ((folder, path), store) = (made("0.9.0-json"), store());
    let before = std::fs::read(&path).unwrap();
    import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
