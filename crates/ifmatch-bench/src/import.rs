//! Imports: how fast, and in how much memory.

use std::path::Path;

use anyhow::{Result, ensure};
use ifmatch_core::Env;
use ifmatch_meta::{ImportOptions, MetaStore, Partition, import};
use ifmatch_sql::rusqlite::{Connection, params};
use ifmatch_sql::{AutocrudOptions, SqliteMetaStore, SqliteOptions, import_autocrud};
use serde_json::Value;

use crate::corpus::{Sample, lines, samples};
use crate::harness::Bench;
use crate::raw::Raw;
use crate::rss;

pub(crate) async fn run(bench: &mut Bench) -> Result<()> {
    let count = bench.size(100_000);
    let note = format!(
        "{count} documents into SQLite, synchronous=FULL; raw parses each and inserts 1,000 in a \
         transaction"
    );
    bench.group("import", &note);
    let folder = tempfile::tempdir()?;
    let documents = samples(count, Some("packages"))?;
    let text = lines(&documents);
    let database = folder.path().join("autocrud.db");
    autocrud(&database, &documents)?;
    let path = |kind: &str, round: usize| folder.path().join(format!("{kind}-{round}.db"));

    let mut grew = 0;
    let ours = async |round: usize| {
        let store = open(&path("lines", round)).await?;
        let options =
            ImportOptions::new("section", "package").default_partition(Partition::new("none")?);
        let report = peaks(&mut grew, import(&store, &text[..], &options)).await?;
        ensure!(report.imported == count as u64, "{report:?}");
        Ok(store.close().await?)
    };
    let theirs = async |round: usize| hand_written(&path("raw-lines", round), &text);
    bench.contest("JSON lines (documents)", count, 3, ours, theirs).await?;
    tell(grew);

    let mut grew = 0;
    let ours = async |round: usize| {
        let store = open(&path("autocrud", round)).await?;
        let options = AutocrudOptions::into_partition(Partition::new("packages")?);
        let report = peaks(&mut grew, import_autocrud(&store, &database, &options)).await?;
        ensure!(report.imported == count as u64, "{report:?}");
        Ok(store.close().await?)
    };
    let theirs = async |round: usize| hand_written(&path("raw-autocrud", round), &text);
    bench.contest("autocrud's database (raw: JSON lines)", count, 3, ours, theirs).await?;
    tell(grew);
    Ok(())
}

async fn open(path: &Path) -> Result<SqliteMetaStore> {
    Ok(SqliteMetaStore::open(path, SqliteOptions::default(), Env::real()).await?)
}

/// Runs an import and remembers by how much it let the process grow at most.
async fn peaks<T, E>(grew: &mut u64, import: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    rss::reset();
    let before = rss::now();
    let report = import.await;
    if let (Some(before), Some(peak)) = (before, rss::peak()) {
        *grew = (*grew).max(peak.saturating_sub(before));
    }
    report
}

fn tell(grew: u64) {
    println!("  {:<44} {grew} MiB more at most while it ran", "");
}

fn hand_written(path: &Path, text: &[u8]) -> Result<()> {
    let mut raw = Raw::create(path)?;
    let mut waiting = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let value: Value = serde_json::from_slice(line)?;
        let name = |field: &str| value[field].as_str().unwrap_or("none").to_owned();
        let key = ifmatch_meta::DocKey::new(name("section"), name("package"))?;
        waiting.push(Sample {
            key,
            body: ifmatch_meta::Json::stored(String::from_utf8(line.into())?),
        });
        if waiting.len() == 1_000 {
            raw.put_all(&waiting)?;
            waiting.clear();
        }
    }
    raw.put_all(&waiting)
}

/// A database as autocrud writes it.
fn autocrud(path: &Path, documents: &[Sample]) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "CREATE TABLE resource_meta (
            resource_id TEXT PRIMARY KEY, data BLOB NOT NULL, created_time REAL NOT NULL,
            updated_time REAL NOT NULL, created_by TEXT NOT NULL, updated_by TEXT NOT NULL,
            is_deleted INTEGER NOT NULL, schema_version TEXT, indexed_data TEXT)",
    )?;
    let transaction = connection.transaction()?;
    for Sample { key, body } in documents {
        let (id, indexed) = (key.id.as_str(), body.as_str());
        let data = format!(
            "{{\"current_revision_id\":\"{id}:1\",\"resource_id\":\"{id}\",\"total_revision_count\":1,\
             \"created_time\":\"2026-01-02T03:04:05.678901Z\",\
             \"updated_time\":\"2026-01-02T03:04:05.678901Z\",\"created_by\":\"a\",\
             \"updated_by\":\"a\",\"is_deleted\":false,\"indexed_data\":{indexed}}}"
        );
        transaction
            .prepare_cached(
                "INSERT INTO resource_meta VALUES (?1, ?2, 0, 0, 'a', 'a', 0, NULL, ?3)",
            )?
            .execute(params![id, data.as_bytes(), indexed])?;
    }
    transaction.commit()?;
    Ok(())
}
