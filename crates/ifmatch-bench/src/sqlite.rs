//! Documents on SQLite beside hand-written rusqlite.

use anyhow::{Result, ensure};
use futures::TryStreamExt as _;
use futures::future::try_join_all;
use ifmatch_core::Env;
use ifmatch_meta::{DocPrecondition, ETag, MetaStore, Op, Partition, ScanOptions};
use ifmatch_sql::{SqliteMetaStore, SqliteOptions};

use crate::corpus::{Sample, samples};
use crate::harness::Bench;
use crate::raw::Raw;

const PARTITION: &str = "packages";
const BATCH: usize = 1_000;

pub(crate) async fn run(bench: &mut Bench) -> Result<()> {
    bench.group("sqlite", "WAL, synchronous=FULL on both sides; raw is rusqlite, one table");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ours.db");
    let store = SqliteMetaStore::open(path, SqliteOptions::default(), Env::real()).await?;
    let mut raw = Raw::create(&folder.path().join("raw.db"))?;
    let documents = samples(10_000, Some(PARTITION))?;
    let partition = Partition::new(PARTITION)?;

    batches(bench, &store, &mut raw, &partition, &documents).await?;
    gets(bench, &store, &raw, &documents).await?;
    scans(bench, &store, &raw, &partition, documents.len()).await?;
    puts(bench, &store, &mut raw, &documents).await?;
    store.close().await?;
    Ok(())
}

async fn batches(
    bench: &Bench,
    store: &SqliteMetaStore,
    raw: &mut Raw,
    partition: &Partition,
    documents: &[Sample],
) -> Result<()> {
    let ours = async |_: usize| {
        for documents in documents.chunks(BATCH) {
            let put = |sample: &Sample| {
                let Sample { key, body } = sample;
                Op::put(key.id.clone(), body.clone(), DocPrecondition::Overwrite)
            };
            store.batch(partition, documents.iter().map(put).collect()).await?;
        }
        Ok(())
    };
    let theirs = async |_: usize| documents.chunks(BATCH).try_for_each(|chunk| raw.put_all(chunk));
    bench.contest("put in batches of 1,000 (documents)", documents.len(), 9, ours, theirs).await?;
    Ok(())
}

async fn gets(
    bench: &Bench,
    store: &SqliteMetaStore,
    raw: &Raw,
    documents: &[Sample],
) -> Result<()> {
    let count = bench.size(20_000);
    let at = |round: usize, number: usize| {
        &documents[(round * 31 + number).wrapping_mul(7_919) % documents.len()].key
    };
    let ours = async |round| {
        for number in 0..count {
            ensure!(store.get(at(round, number)).await?.is_some(), "not found");
        }
        Ok(())
    };
    let theirs =
        async |round| (0..count).try_for_each(|number| raw.get(at(round, number)).map(|_| ()));
    bench.contest("get, one after the other", count, 9, ours, theirs).await?;
    Ok(())
}

async fn scans(
    bench: &Bench,
    store: &SqliteMetaStore,
    raw: &Raw,
    partition: &Partition,
    count: usize,
) -> Result<()> {
    let ours = async |_: usize| {
        let mut documents = store.documents(partition, ScanOptions::default());
        let mut found = 0;
        while documents.try_next().await?.is_some() {
            found += 1;
        }
        ensure!(found == count, "{found} documents");
        Ok(())
    };
    let theirs = async |_: usize| {
        let found = raw.scan(PARTITION)?;
        ensure!(found == count, "{found} documents");
        Ok(())
    };
    bench.contest("scan of 10,000 (documents)", count, 9, ours, theirs).await?;
    Ok(())
}

async fn puts(
    bench: &Bench,
    store: &SqliteMetaStore,
    raw: &mut Raw,
    documents: &[Sample],
) -> Result<()> {
    let count = bench.size(300);
    let chosen = &documents[..count];
    let mut tags = Vec::new();
    let mut raw_tags = Vec::new();
    for Sample { key, .. } in chosen {
        tags.push(store.get(key).await?.map(|document| document.etag));
        raw_tags.push(raw.etag(key)?);
    }
    {
        let ours = async |_: usize| {
            for (sample, tag) in chosen.iter().zip(&mut tags) {
                *tag = Some(put(store, sample, *tag).await?);
            }
            Ok(())
        };
        let theirs = async |_: usize| {
            let mut pairs = chosen.iter().zip(&mut raw_tags);
            pairs.try_for_each(|(sample, tag)| raw.put_if(sample, tag))
        };
        bench.contest("put if match, one after the other", count, 7, ours, theirs).await?;
    }
    let ours = async |_: usize| {
        for (samples, tags) in chosen.chunks(64).zip(tags.chunks_mut(64)) {
            let pairs = samples.iter().zip(tags.iter());
            let puts: Vec<_> = pairs.map(|(sample, tag)| put(store, sample, *tag)).collect();
            let new = try_join_all(puts).await?;
            tags.iter_mut().zip(new).for_each(|(tag, new)| *tag = Some(new));
        }
        Ok(())
    };
    let theirs = async |_: usize| {
        let mut pairs = chosen.iter().zip(&mut raw_tags);
        pairs.try_for_each(|(sample, tag)| raw.put_if(sample, tag))
    };
    bench.contest("put if match, 64 at once (raw: one)", count, 7, ours, theirs).await?;
    Ok(())
}

async fn put(store: &SqliteMetaStore, sample: &Sample, tag: Option<ETag>) -> Result<ETag> {
    let expected = tag.map_or(DocPrecondition::IfAbsent, DocPrecondition::IfMatch);
    Ok(store.put(&sample.key, sample.body.clone(), expected).await?.etag)
}
