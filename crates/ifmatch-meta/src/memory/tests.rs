//! What is counted and listed twice agrees, whatever was done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::Simulation;

use super::log::Placed;
use super::partition::size;
use super::state::State;
use super::{MemoryMetaStore, MemoryOptions};
use crate::features::Features;
use crate::key::{DocId, DocKey, Partition};
use crate::ops::Op;
use crate::precondition::DocPrecondition::Overwrite;
use crate::store::MetaStore as _;
use crate::transaction::{TxBackend as _, TxId};
use crate::{Json, ScanOptions, Scope};

fn check(state: &State) {
    let (mut feed, mut graves, mut visible) = (BTreeMap::new(), BTreeMap::new(), 0);
    for (partition, there) in &state.partitions {
        let key = |id: &DocId| DocKey { partition: partition.clone(), id: id.clone() };
        let mut own = BTreeMap::new();
        let documents = there.documents.check();
        for record in &documents {
            let id = &record.document.key.id;
            assert_eq!(record.document.key, key(id));
            assert!(own.insert(record.at, Placed::Written(Arc::clone(record))).is_none());
        }
        for (id, grave) in &there.graves {
            assert!(there.documents.get(id).is_none(), "{id} is dead and alive");
            assert!(grave.at > state.floor.min(there.floor));
            assert!(own.insert(grave.at, Placed::Deleted(Arc::clone(grave))).is_none());
            graves.insert(grave.at, key(id));
        }
        there.feed.check(&own);
        assert!(own.keys().all(|at| at.position <= there.newest));
        feed.extend(own);
        let bytes: usize = documents.iter().map(|record| size(&record.document)).sum();
        assert_eq!(there.bytes, bytes);
        let shown =
            documents.iter().filter(|record| !record.document.key.id.is_reserved()).count() as u64;
        assert_eq!(there.visible, shown);
        visible += if partition.is_reserved() { 0 } else { shown };
        assert!(there.audit.iter().map(|(record, _)| record.at).is_sorted());
    }
    state.feed.check(&feed);
    assert_eq!((&state.graves, state.visible), (&graves, visible));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_twice_agrees_after_any_history() {
    for seed in 0..6 {
        let features = Features::none().audit(seed % 2 == 0).transactions(true);
        let env = Simulation::seeded(seed).env();
        let store =
            MemoryMetaStore::with(MemoryOptions::default().env(env.clone()).features(features));
        for round in 0..2_000_u32 {
            let draw = env.random_u64();
            let name = ["p", "q", "r", "ifmatch.s"][usize::from(draw.to_le_bytes()[0] % 4)];
            let partition = Partition::internal(name).unwrap();
            let op = |bits: u64| {
                let prefix = if bits.is_multiple_of(8) { "ifmatch." } else { "" };
                let id = DocId::internal(format!("{prefix}{}", (bits >> 3) % 12)).unwrap();
                match (bits >> 9) % 5 {
                    0 | 1 => Op::delete(id, Overwrite),
                    _ => Op::put(id, Json::of(&bits).unwrap(), Overwrite),
                }
            };
            match (draw >> 8) % 200 {
                0 => env.sleep(Duration::from_hours(24 * 3)).await,
                1 => {
                    let id = TxId::draw(&env);
                    drop(store.begin(&partition, &id, Duration::from_secs(1)).await);
                    env.sleep(Duration::from_millis(draw % 2_000)).await;
                }
                _ => {
                    let ops = (0..(draw >> 20) % 6).map(|_| op(env.random_u64())).collect();
                    drop(store.batch(&partition, ops).await);
                }
            }
            if round % 50 == 0 {
                check(&store.state().unwrap());
            }
        }
        check(&store.state().unwrap());
        assert_eq!(store.count(&Scope::All).await.unwrap(), {
            let mut count = 0;
            for partition in store.partitions(None, 9).await.unwrap() {
                let all = ScanOptions::default();
                count += store.scan(&partition, all).await.unwrap().documents.len() as u64;
            }
            count
        });
    }
}

#[tokio::test]
async fn pages_of_a_feed_tell_each_document_once_at_its_newest_place() {
    let mut random = fastrand::Rng::with_seed(5);
    let store = MemoryMetaStore::new(Simulation::seeded(5).env());
    let mut newest = BTreeMap::new();
    for _ in 0..20_000 {
        // Some documents are written again and again, others hardly ever.
        let most = 1 << random.u32(0..12);
        let key = DocKey::new("p", random.u32(0..most).to_string()).unwrap();
        let position = if random.u8(0..5) == 0 {
            let deleted = store.delete(&key, Overwrite).await.unwrap();
            let Some(_) = deleted.etag else { continue };
            deleted.position
        } else {
            store.put(&key, Json::new("1").unwrap(), Overwrite).await.unwrap().position
        };
        newest.insert(key, position);
    }
    let mut expected: Vec<_> = newest.into_iter().map(|(key, at)| (at, key)).collect();
    expected.sort();
    for scope in [Scope::All, Scope::Partition(Partition::new("p").unwrap())] {
        let (mut told, mut token) = (Vec::new(), None);
        loop {
            let limit = random.usize(1..100);
            let page = store.changes(&scope, token.as_ref(), limit).await.unwrap();
            assert!(
                page.changes.len() <= limit
                    && page.more == (told.len() + page.changes.len() < expected.len())
            );
            told.extend(
                page.changes.iter().map(|change| (change.position(), change.key().clone())),
            );
            token = Some(page.next);
            if !page.more {
                break;
            }
        }
        assert_eq!(told, expected);
    }
}
