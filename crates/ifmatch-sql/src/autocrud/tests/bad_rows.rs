//! Rows that are no documents: each is skipped for its reason, the rest arrives.

use ifmatch_meta::MAX_DEPTH;
use rusqlite::types::Value as Sql;

use super::*;

/// `os.mkdir("ifmatch-pickle-was-run")`, as Python pickles it in its protocols 0
/// to 4; 5 differs from 4 in one byte.
const PICKLES: [&[u8]; 5] = [
    b"cposix\nmkdir\np0\n(Vifmatch-pickle-was-run\np1\ntp2\nRp3\n.",
    b"cposix\nmkdir\nq\x00(X\x16\x00\x00\x00ifmatch-pickle-was-runq\x01tq\x02Rq\x03.",
    b"\x80\x02cposix\nmkdir\nq\x00X\x16\x00\x00\x00ifmatch-pickle-was-runq\x01\x85q\x02Rq\x03.",
    b"\x80\x03cposix\nmkdir\nq\x00X\x16\x00\x00\x00ifmatch-pickle-was-runq\x01\x85q\x02Rq\x03.",
    b"\x80\x04\x950\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x05mkdir\x94\x93\x94\
      \x8c\x16ifmatch-pickle-was-run\x94\x85\x94R\x94.",
];

fn insert(path: &Path, row: Option<i64>, id: impl Into<Sql>, data: impl Into<Sql>) {
    let connection = Connection::open(path).unwrap();
    let sql = "INSERT INTO resource_meta (rowid, resource_id, data, created_time, updated_time, \
               created_by, updated_by, is_deleted) VALUES (?1, ?2, ?3, 0, 0, 'a', 'a', 0)";
    connection.execute(sql, rusqlite::params![row, id.into(), data.into()]).unwrap();
}

/// The reason for which a row with this data is skipped; `None`: it arrives.
async fn reason(data: impl Into<Sql>) -> Option<SkipReason> {
    let ((_folder, path), store) = (made("0.9.0-json"), store());
    insert(&path, None, "x".to_owned(), data);
    let mut report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(report.rows, ROWS + 1);
    assert_eq!(report.imported + report.skipped, ROWS + 1);
    assert!(report.imported >= ROWS);
    let row = report.rows_skipped.pop();
    assert_eq!(row.is_none(), content(&store, "p").await.contains_key("x"));
    row.map(|row| {
        assert_eq!(row.id.as_deref(), Some("x"));
        assert_eq!(report.reasons, BTreeMap::from([(row.reason.kind(), 1)]));
        row.reason
    })
}

fn map(member: &[u8]) -> Vec<u8> {
    [b"\x81\xa1a", member].concat()
}

#[tokio::test]
async fn w24_a_pickle_is_reported_and_nothing_runs() {
    let mut pickles: Vec<Vec<u8>> = PICKLES.map(<[u8]>::to_vec).into();
    pickles.push([b"\x80\x05", &PICKLES[4][2..]].concat());
    pickles.push(b"\x80\x04\x95\n\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94K\x01s.".into());
    pickles.push(b"(dp0\nVa\np1\nI1\ns.".into());
    pickles.push(b"}q\x00X\x01\x00\x00\x00aq\x01K\x01s.".into());
    for pickle in pickles {
        let reason = reason(pickle.clone()).await;
        assert!(matches!(reason, Some(SkipReason::Pickled)), "{pickle:?}: {reason:?}");
    }
    assert!(!Path::new("ifmatch-pickle-was-run").exists());
}

#[tokio::test]
async fn what_json_has_no_word_for_is_skipped_with_its_reason() {
    for (data, expected) in [
        (map(b"\xc4\x02\x00\x01"), "a binary of 2 bytes"),
        (map(b"\xd4\x05\x00"), "an extension of type 5"),
        (map(b"\xd4\xff\x00"), "a time out of range"),
        (map(b"\xc7\x0c\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"), "a time out of"),
        (map(b"\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), "a time out of"),
        (map(b"\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff"), "a time out of"),
        (map(b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), "the number NaN"),
        (map(b"\xca\xff\x80\x00\x00"), "the number -inf"),
        (map(b"\xa1\xff"), "a text that is not UTF-8"),
        (b"\x81\x01\x02".to_vec(), "a member whose name is no text"),
        (map(b"\x81\xc0\xc0"), "a member whose name is no text"),
    ] {
        let reason = reason(data.clone()).await.unwrap();
        assert_eq!(reason.kind(), "untranslatable", "{data:?}: {reason}");
        assert!(reason.to_string().contains(expected), "{reason} is not {expected}");
    }
}

#[tokio::test]
async fn what_is_neither_json_nor_message_pack_is_skipped() {
    for data in [
        Sql::Blob(Vec::new()),
        Sql::Blob(b"[1]".into()),
        Sql::Blob(b"nonsense".into()),
        Sql::Blob(b"\x82\xa1a\x01".into()),        // Cut off.
        Sql::Blob(b"\x81\xa1a\x01\x00".into()),    // Something behind it.
        Sql::Blob(b"\xdf\xff\xff\xff\xff".into()), // Four billion members.
        Sql::Blob(map(b"\xdb\xff\xff\xff\xff")),   // A text of four gigabytes.
        Sql::Blob(map(&vec![0x91; 100_000])),      // Deeper than any stack.
        Sql::Integer(7),
        Sql::Real(1.5),
    ] {
        let reason = reason(data.clone()).await.unwrap();
        assert_eq!(reason.kind(), "unreadable", "{reason}");
    }
}

#[tokio::test]
async fn what_is_no_document_is_skipped() {
    let nested = |depth: usize| map(&[vec![0x91; depth - 1], vec![0xc0]].concat());
    assert!(reason(nested(MAX_DEPTH)).await.is_none());
    for data in [
        br#"{"a":1,"a":2}"#.to_vec(),
        br#"{"a":"\u0000"}"#.to_vec(),
        br#"{"a":1"#.to_vec(),
        b"{\"a\":\"\xff\"}".to_vec(),
        b"\x82\xa1a\x01\xa1a\x02".to_vec(),
        map(b"\xa1\x00"),
        nested(MAX_DEPTH + 1),
        format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20)).into_bytes(),
        vec![b' '; 5 << 20],
        map(&[b"\xdb\x00\x10\x00\x00".to_vec(), vec![b'"'; 1 << 20]].concat()),
    ] {
        let reason = reason(data).await.unwrap();
        assert_eq!(reason.kind(), "not_a_document", "{reason}");
    }
    // Data that was bound as text is as good.
    assert!(reason("{\"a\":1}".to_owned()).await.is_none());
}

#[tokio::test]
async fn a_row_without_a_good_id_is_skipped() {
    let ((_folder, path), store) = (made("0.9.0-msgpack"), store());
    let json = || Sql::Blob(b"{}".into());
    insert(&path, None, Sql::Null, json());
    insert(&path, None, Sql::Blob(b"blob".into()), json());
    insert(&path, None, String::new(), json());
    insert(&path, None, "x".repeat(1_025), json());
    insert(&path, None, "ifmatch.mine".to_owned(), json());
    insert(&path, None, "nul\0".to_owned(), json());
    let report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS + 6, ROWS, 0, 6));
    assert_eq!(report.reasons, BTreeMap::from([("unnamed", 6)]));
}

#[tokio::test]
async fn rows_of_every_number_are_read_once() {
    let ((_folder, path), store) = (made("0.9.0-json"), store());
    for (row, id) in [(i64::MIN, "first"), (-1, "minus"), (0, "zero"), (i64::MAX, "last")] {
        insert(&path, Some(row), id.to_owned(), Sql::Blob(b"{}".into()));
    }
    let report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS + 4, ROWS + 4, 0, 0));
    // The report names a row by its number, whatever it is.
    let key = DocKey::new("p", "first").unwrap();
    store.put(&key, Json::new("1").unwrap(), DocPrecondition::Overwrite).await.unwrap();
    let report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(report.rows_skipped[0].row, i64::MIN);
    assert_eq!(report.rows_skipped[0].id.as_deref(), Some("first"));
}

#[tokio::test]
async fn the_report_counts_all_and_names_the_first() {
    let ((_folder, path), store) = (made("0.9.0-json"), store());
    for number in 0..300 {
        insert(&path, None, format!("bad {number}"), Sql::Blob(b"?".into()));
    }
    let report = import_autocrud(&store, &path, &options()).await.unwrap();
    assert_eq!(counts(&report), (ROWS + 300, ROWS, 0, 300));
    assert_eq!(report.rows_skipped.len(), 100);
    assert_eq!(report.rows_skipped[99].id.as_deref(), Some("bad 99"));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["reasons"]["unreadable"], 300);
}
