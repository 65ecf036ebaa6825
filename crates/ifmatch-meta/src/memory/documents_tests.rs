//! Documents and the map that they stand for.

use std::collections::BTreeMap;
use std::ops::Bound;

use ifmatch_core::{Simulation, Timestamp};

use super::super::log::Hints;
use super::super::partition::At;
use super::*;
use crate::document::Document;
use crate::etag::ETag;
use crate::json::Json;
use crate::key::DocKey;

impl Documents {
    /// All documents in order, once index, order and slots agree about them.
    pub(in crate::memory) fn check(&self) -> Vec<Arc<Record>> {
        let Snapshot { order, slots } = &self.now;
        let mut taken = self.free.clone();
        for (id, slot) in order {
            assert_eq!(self.index.get(id), Some(slot));
            assert_eq!(slots.get(*slot).unwrap().document.key.id, *id);
            taken.push(*slot);
        }
        assert_eq!(self.index.len(), order.size());
        taken.sort_unstable();
        assert!(taken.iter().copied().eq(0..taken.len()), "a slot is lost or taken twice");
        assert!(self.free.iter().all(|slot| slots.get(*slot).is_none()));
        assert_eq!(slots.get(taken.len()).map(|_| ()), None);
        order.values().filter_map(|slot| slots.get(*slot).cloned()).collect()
    }
}

type Model = BTreeMap<String, Arc<Record>>;

fn record(id: &DocId, position: u64) -> Arc<Record> {
    let document = Document {
        key: DocKey { partition: "p".parse().unwrap(), id: id.clone() },
        etag: ETag::mint(position, &Simulation::seeded(1).env()),
        body: Json::new("1").unwrap(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        updated_by: None,
    };
    Arc::new(Record { document, at: At { position, ordinal: 0 }, hints: Hints::default() })
}

fn same<'a>(ours: impl Iterator<Item = &'a Arc<Record>>, theirs: &[&Arc<Record>]) -> bool {
    let ours: Vec<_> = ours.collect();
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| Arc::ptr_eq(a, b))
}

#[test]
fn snapshots_hold_what_was_there_whatever_is_written_later() {
    let mut random = fastrand::Rng::with_seed(3);
    let (mut documents, mut model) = (Documents::default(), Model::new());
    let mut snapshots: Vec<(Snapshot, Model)> = Vec::new();
    for position in 0..30_000 {
        // Up to 1,500 documents, and down to none, twice.
        let filling = position / 7_500 % 2 == 0;
        let id = DocId::new(format!("{:04}", random.u32(0..1_500))).unwrap();
        let deletes = random.u8(0..10) < if filling { 1 } else { 9 };
        let after = (!deletes).then(|| record(&id, position));
        if random.bool() {
            let looked_at = DocId::new(format!("{:04}", random.u32(0..1_500))).unwrap();
            let id = if random.bool() { &id } else { &looked_at };
            assert_eq!(documents.get(id).is_some(), model.contains_key(id.as_str()));
        }
        let before = documents.replace(&id, after.clone());
        let expected = match after {
            Some(after) => model.insert(id.as_str().to_owned(), after),
            None => model.remove(id.as_str()),
        };
        assert_eq!(before.as_ref().map(Arc::as_ptr), expected.as_ref().map(Arc::as_ptr));
        assert_eq!(documents.get(&id).map(Arc::as_ptr), model.get(id.as_str()).map(Arc::as_ptr));
        if position % 1_500 == 0 {
            snapshots.push((documents.snapshot(), model.clone()));
            assert!(same(documents.check().iter(), &model.values().collect::<Vec<_>>()));
        }
    }
    for (snapshot, model) in &snapshots {
        let mut there: Vec<_> = model.values().collect();
        assert!(same(snapshot.range(..), &there));
        there.reverse();
        assert!(same(snapshot.range(..).rev(), &there));
        let part = (Bound::Excluded("0100"), Bound::Included("0900"));
        let there: Vec<_> = model.range::<str, _>(part).map(|(_, record)| record).collect();
        assert!(same(snapshot.range(part), &there));
    }
    for id in model.into_keys() {
        assert!(documents.replace(&DocId::new(id).unwrap(), None).is_some());
    }
    assert!(documents.is_empty() && documents.check().is_empty() && documents.free.is_empty());
}

#[test]
fn a_slot_far_away_is_reached_and_others_stay_empty() {
    let id = DocId::new("a").unwrap();
    let mut slots = Slots::default();
    for slot in [0, 31, 32, 1_023, 1_024, 40_000] {
        assert!(slots.set(slot, Some(record(&id, slot as u64))).is_none());
        assert!(slots.get(slot + 1).is_none());
    }
    assert_eq!(slots.get(31).unwrap().at.position, 31);
    assert!(slots.get(usize::MAX).is_none());
    assert_eq!(slots.set(40_000, None).unwrap().at.position, 40_000);
    assert!(slots.get(40_000).is_none());
}
