//! Indexed queries at 100,000 documents beside hand-written SQL.

use anyhow::{Result, ensure};
use ifmatch_core::Env;
use ifmatch_meta::query::field;
use ifmatch_meta::{
    DocPrecondition, Field, Index, IndexName, MetaStore, Op, Partition, Query, Scope,
};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};

use crate::corpus::{Sample, samples};
use crate::harness::Bench;
use crate::raw::Raw;

const PARTITION: &str = "packages";
const LIMIT: usize = 20;

pub(crate) async fn run(bench: &mut Bench) -> Result<()> {
    let count = bench.size(100_000);
    let note = format!("limit 20 of {count} documents; raw is an index on json_extract");
    bench.group("query", &note);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ours.db");
    let store = SqliteMetaStore::open(path, SqliteOptions::default(), Env::real()).await?;
    let mut raw = Raw::create(&folder.path().join("raw.db"))?;
    let documents = samples(count, Some(PARTITION))?;
    let partition = Partition::new(PARTITION)?;
    for chunk in documents.chunks(1_000) {
        let put = |sample: &Sample| {
            Op::put(sample.key.id.clone(), sample.body.clone(), DocPrecondition::Overwrite)
        };
        store.batch(&partition, chunk.iter().map(put).collect()).await?;
        raw.put_all(chunk)?;
    }
    for (name, pointer) in [("section", "/section"), ("version", "/version")] {
        let field = Field::Body(pointer.into());
        store.create_index(&Index { name: IndexName::new(name)?, field }).await?;
        raw.connection.execute_batch(&format!(
            "CREATE INDEX {name} ON documents (partition, json_extract(body, '$.{name}'), id)"
        ))?;
    }
    let scope = Scope::Partition(partition);
    let queries = bench.size(500);
    let section = |_: usize| "devel".to_owned();
    let version = |number: usize| {
        let sample = &documents[number.wrapping_mul(7_919) % documents.len()];
        sample.body.value().map(|body| body["version"].as_str().unwrap_or_default().to_owned())
    };
    let versions = (0..queries).map(version).collect::<Result<Vec<_>, _>>()?;
    for (name, wanted) in
        [("section", (0..queries).map(section).collect::<Vec<_>>()), ("version", versions)]
    {
        let sql = format!(
            "SELECT id, etag, created_at, updated_at, updated_by, body FROM documents \
             WHERE partition = ?1 AND json_extract(body, '$.{name}') = ?2 ORDER BY id LIMIT 20"
        );
        let ours = async |_: usize| {
            for value in &wanted {
                let filter = field(format!("/{name}")).eq(value.as_str());
                let page = store.query(&scope, &Query::filter(filter).limit(LIMIT)).await?;
                ensure!(!page.documents.is_empty(), "nothing found");
            }
            Ok(())
        };
        let theirs = async |_: usize| {
            for value in &wanted {
                let mut statement = raw.connection.prepare_cached(&sql)?;
                let found = statement.query_map([PARTITION, value], |row| {
                    let times: (i64, i64) = (row.get(2)?, row.get(3)?);
                    let by: Option<String> = row.get(4)?;
                    let texts: (String, String, String) = (row.get(0)?, row.get(1)?, row.get(5)?);
                    Ok((texts, times, by))
                })?;
                let found = found.collect::<Result<Vec<_>, _>>()?;
                ensure!(!found.is_empty(), "nothing found");
            }
            Ok(())
        };
        let matches = if name == "section" { "many match" } else { "few match" };
        let title = format!("equality, {matches}");
        let rates = bench.contest(&title, queries, 9, ours, theirs).await?;
        println!("  {:<44} {:.3} ms each", "", 1_000.0 / rates.ours);
    }
    store.close().await?;
    Ok(())
}
