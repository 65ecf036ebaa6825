//! The store in memory beside a map behind a lock.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use ifmatch_core::Env;
use ifmatch_meta::{DocKey, DocPrecondition, ETag, Json, MemoryMetaStore, MetaStore};

use crate::corpus::{Sample, samples};
use crate::harness::Bench;

pub(crate) async fn run(bench: &mut Bench) -> Result<()> {
    bench.group("memory", "one core; raw is a HashMap behind a Mutex, with ETags like ours");
    let env = Env::real();
    let store = MemoryMetaStore::new(env.clone());
    let raw: Mutex<HashMap<DocKey, (ETag, Json)>> = Mutex::default();
    let documents = samples(10_000, Some("packages"))?;
    let (mut tags, mut raw_tags) = (Vec::new(), Vec::new());
    for Sample { key, body } in &documents {
        tags.push(store.put(key, body.clone(), DocPrecondition::IfAbsent).await?.etag);
        let tag = ETag::mint(1, &env);
        lock(&raw).insert(key.clone(), (tag, body.clone()));
        raw_tags.push(tag);
    }
    let ours = async |_: usize| {
        for (Sample { key, body }, tag) in documents.iter().zip(&mut tags) {
            let expected = DocPrecondition::IfMatch(*tag);
            *tag = store.put(key, body.clone(), expected).await?.etag;
        }
        Ok(())
    };
    let theirs = async |_: usize| {
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
        Ok(())
    };
    bench.contest("put if match", documents.len(), 25, ours, theirs).await?;
    let ours = async |_: usize| {
        for Sample { key, .. } in &documents {
            ensure!(store.get(key).await?.is_some(), "not found");
        }
        Ok(())
    };
    let theirs = async |_: usize| {
        for Sample { key, .. } in &documents {
            ensure!(lock(&raw).get(key).cloned().is_some(), "not found");
        }
        Ok(())
    };
    bench.contest("get", documents.len(), 25, ours, theirs).await?;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
