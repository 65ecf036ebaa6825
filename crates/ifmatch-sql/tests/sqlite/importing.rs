//! JSON lines into a store: real data, bad lines, again and again.

use std::io::BufReader;
use std::path::Path;

use ifmatch_meta::{
    DocPrecondition as Pre, ImportOptions, Json, MetaStore, OnBadLine, OnExisting, Scope, import,
};
use ifmatch_sql::SqliteOptions;

use crate::support::{Bed, beds, content, key, partition};

fn options() -> ImportOptions {
    ImportOptions::new("p", "id")
}

fn packages() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/debian-packages-10k.jsonl.zst");
    zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_real_documents_arrive_byte_for_byte_and_once() {
    let bed = Bed::threaded().await;
    let lines = packages();
    let options = ImportOptions::new("section", "package");
    let report = import(&bed.store, BufReader::new(&lines[..]), &options).await.unwrap();
    assert_eq!((report.imported, report.skipped, report.failed), (10_000, 0, 0));
    assert_eq!(bed.store.count(&Scope::All).await.unwrap(), 10_000);
    assert_eq!(bed.store.partitions(None, 100).await.unwrap().len(), 56);
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let body = Json::new(line).unwrap();
        let value = body.value().unwrap();
        let text = |field: &str| value[field].as_str().unwrap().to_owned();
        let found = bed.store.get(&key(&text("section"), &text("package"))).await.unwrap();
        assert_eq!(found.unwrap().body, body);
    }
    // Again: nothing is written.
    let before = bed.store.get(&key("games", "2048-qt")).await.unwrap();
    let report = import(&bed.store, BufReader::new(&lines[..]), &options).await.unwrap();
    assert_eq!((report.imported, report.skipped, report.failed), (0, 10_000, 0));
    assert_eq!(bed.store.get(&key("games", "2048-qt")).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_stopped_half_way_is_completed_by_the_next() {
    let bed = Bed::open("thread", SqliteOptions::default()).await;
    let lines = packages();
    let half = lines.len() / 2; // In the middle of a line.
    let options = ImportOptions::new("section", "package");
    let first = import(&bed.store, &lines[..half], &options).await.unwrap();
    assert_eq!(first.failed, 1);
    let second = import(&bed.store, &lines[..], &options).await.unwrap();
    assert_eq!(second.skipped, first.imported);
    assert_eq!(second.imported, 10_000 - first.imported);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_line_is_reported_by_its_number_and_stops_nothing() {
    let lines = concat!(
        "{\"p\":\"a\",\"id\":\"1\"}\n",
        "{\n",
        "\n",
        "{\"p\":\"a\"}\n",
        "{\"p\":\"a\",\"id\":true}\n",
        "{\"p\":\"ifmatch.x\",\"id\":\"1\"}\n",
        "{\"p\":\"a\",\"id\":\"2\",\"id\":\"3\"}\n",
        "[1]\n",
        "{\"p\":\"a\",\"id\":4}\r\n",
        "{\"id\":\"5\"}\n",
        "{\"p\":\"a\",\"id\":\"1\"}\n",
        "{\"p\":\"a\",\"id\":\"1\",\"x\":1}",
    );
    for Bed { store, .. } in beds().await {
        let report = import(&store, lines.as_bytes(), &options()).await.unwrap();
        assert_eq!((report.imported, report.skipped, report.failed), (2, 1, 8));
        let lines: Vec<_> = report.errors.iter().map(|error| error.line).collect();
        assert_eq!(lines, [2, 4, 5, 6, 7, 8, 10, 12]);
        let kinds: Vec<_> = report.errors.iter().map(|error| error.error.kind()).collect();
        assert_eq!(kinds[..7], ["invalid"; 7]);
        assert_eq!(kinds[7], "conflict");
        assert!(report.errors[0].to_string().starts_with("line 2: invalid: "));
        let expected = [("1", "{\"p\":\"a\",\"id\":\"1\"}"), ("4", "{\"p\":\"a\",\"id\":4}")];
        let expected = expected.map(|(id, body)| (id.to_owned(), body.to_owned()));
        assert_eq!(content(&store, "a").await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_it_stops_at_the_first_bad_line() {
    for Bed { store, .. } in beds().await {
        let lines = "{\"p\":\"a\",\"id\":\"1\"}\n{\n{\"p\":\"a\",\"id\":\"2\"}\n";
        let stop = options().bad_line(OnBadLine::Stop);
        let stopped = import(&store, lines.as_bytes(), &stop).await.unwrap_err();
        assert_eq!((stopped.kind(), stopped.line), ("invalid", Some(2)));
        assert_eq!((stopped.report.imported, stopped.report.failed), (1, 1));
        assert_eq!(content(&store, "a").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_is_skipped_replaced_or_reported() {
    for Bed { store, .. } in beds().await {
        let old = "{\"p\":\"a\",\"id\":\"1\",\"v\":1}\n{\"p\":\"a\",\"id\":\"2\",\"v\":1}\n";
        // The same value in other words, a new value, a new document.
        let new = "{\"id\":\"1\", \"p\":\"a\", \"v\":1.0}\n{\"p\":\"a\",\"id\":\"2\",\"v\":2}\n\
                   {\"p\":\"a\",\"id\":\"3\",\"v\":2}\n";
        import(&store, old.as_bytes(), &options()).await.unwrap();
        let counts =
            |report: ifmatch_meta::ImportReport| (report.imported, report.skipped, report.failed);
        let fail = options().existing(OnExisting::Fail);
        assert_eq!(counts(import(&store, new.as_bytes(), &fail).await.unwrap()), (1, 0, 2));
        store.delete(&key("a", "3"), Pre::IfExists).await.unwrap();
        let skip = options();
        assert_eq!(counts(import(&store, new.as_bytes(), &skip).await.unwrap()), (1, 1, 1));
        let replace = options().existing(OnExisting::Replace);
        assert_eq!(counts(import(&store, new.as_bytes(), &replace).await.unwrap()), (1, 2, 0));
        let found = store.get(&key("a", "2")).await.unwrap().unwrap();
        assert_eq!(found.body.value().unwrap()["v"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_buffers_and_batches_change_nothing_but_their_number() {
    use std::fmt::Write as _;
    let mut lines = String::new();
    for i in 0..300 {
        writeln!(lines, "{{\"p\":\"p{}\",\"id\":\"{}\",\"i\":{i}}}", i % 7, i / 2).unwrap();
    }
    let bed = Bed::threaded().await;
    let mut replace = options().existing(OnExisting::Replace);
    replace.batch_operations = 3;
    replace.buffer_bytes = 200;
    let report = import(&bed.store, lines.as_bytes(), &replace).await.unwrap();
    assert_eq!((report.imported, report.failed), (300, 0));
    let other = Bed::threaded().await;
    let replace = options().existing(OnExisting::Replace);
    import(&other.store, lines.as_bytes(), &replace).await.unwrap();
    for p in 0..7 {
        let p = format!("p{p}");
        assert_eq!(content(&bed.store, &p).await, content(&other.store, &p).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_over_the_limit_is_passed_over_without_being_held() {
    let limits = ifmatch_meta::Limits::default().document(100);
    let bed = Bed::open("thread", SqliteOptions::default().limits(limits)).await;
    let long = format!("{{\"p\":\"a\",\"id\":\"long\",\"x\":\"{}\"}}", "x".repeat(1_000_000));
    let lines = format!("{long}\n{{\"p\":\"a\",\"id\":\"1\"}}\n");
    let report = import(&bed.store, lines.as_bytes(), &options()).await.unwrap();
    assert_eq!((report.imported, report.failed), (1, 1));
    assert_eq!(report.errors[0].error.kind(), "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_ends_the_import_with_what_was_done() {
    let bed = Bed::threaded().await;
    let mut options = options().default_partition(partition("d"));
    options.batch_operations = 1;
    bed.store.close().await.unwrap();
    let lines = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n";
    let failed = import(&bed.store, lines.as_bytes(), &options).await.unwrap_err();
    assert_eq!((failed.kind(), failed.line, failed.report.imported), ("closed", None, 0));
}
