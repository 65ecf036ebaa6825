//! The store in memory beside a map behind a lock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use ifmatch_core::Env;
use ifmatch_meta::{
    DocKey, DocPrecondition, ETag, Json, MemoryMetaStore, MemoryOptions, MetaStore,
};

use crate::corpus::{Sample, samples};
use crate::harness::Bench;

/// Operations of one round, however many documents there are.
const ROUND: usize = 20_000;

pub(crate) async fn run(bench: &mut Bench) -> Result<()> {
    bench.group("memory", "one core; raw is a HashMap behind a Mutex, with ETags like ours");
    for count in [1, 10_000, bench.size(100_000)] {
        contests(bench, &samples(count, Some("packages"))?).await?;
    }
    Ok(())
}

/// Puts and gets of these documents, each in turn, all in one partition.
async fn contests(bench: &Bench, documents: &[Sample]) -> Result<()> {
    let env = Env::real();
    let options = MemoryOptions::default().env(env.clone()).partition_bytes(1 << 30);
    let store = MemoryMetaStore::with(options);
    let raw: Mutex<HashMap<DocKey, (ETag, Json)>> = Mutex::default();
    let (mut tags, mut raw_tags) = (Vec::new(), Vec::new());
    for Sample { key, body } in documents {
        tags.push(store.put(key, body.clone(), DocPrecondition::IfAbsent).await?.etag);
        let tag = ETag::mint(1, &env);
        lock(&raw).insert(key.clone(), (tag, body.clone()));
        raw_tags.push(tag);
    }
    let (times, count) = ((ROUND / documents.len()).max(1), documents.len());
    let name = |what: &str| match count {
        1 => format!("{what}, one document"),
        count => format!("{what}, {count} documents"),
    };
    let ours = async |_: usize| {
        for _ in 0..times {
            for (Sample { key, body }, tag) in documents.iter().zip(&mut tags) {
                let expected = DocPrecondition::IfMatch(*tag);
                *tag = store.put(key, body.clone(), expected).await?.etag;
            }
        }
        Ok(())
    };
    let theirs = async |_: usize| {
        for _ in 0..times {
            for (Sample { key, body }, tag) in documents.iter().zip(&mut raw_tags) {
                let mut documents = lock(&raw);
                let new = ETag::mint(1, &env);
                let current = documents.get_mut(key);
                ensure!(current.as_ref().is_some_and(|(current, _)| current == tag), "a conflict");
                if let Some(current) = current {
                    *current = (new, body.clone());
                }
                *tag = new;
            }
        }
        Ok(())
    };
    bench.contest(&name("put if match"), times * count, 25, ours, theirs).await?;
    let ours = async |_: usize| {
        for _ in 0..times {
            for Sample { key, .. } in documents {
                ensure!(store.get(key).await?.is_some(), "not found");
            }
        }
        Ok(())
    };
    let theirs = async |_: usize| {
        for _ in 0..times {
            for Sample { key, .. } in documents {
                ensure!(lock(&raw).get(key).cloned().is_some(), "not found");
            }
        }
        Ok(())
    };
    bench.contest(&name("get"), times * count, 25, ours, theirs).await?;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
