//! A journal that has some of every kind of object.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use ifmatch_journal::kv::Command;
use ifmatch_journal::{Head, Parts, Place, Verified, verify};

use crate::bench::{Bench, Kv, add, quick_create};

/// The journal, a handle on it, and what lies in its folders.
pub(crate) struct Shelf {
    pub(crate) bench: Bench,
    pub(crate) journal: Kv,
    /// Every object, and its bytes.
    pub(crate) objects: Vec<(String, Bytes)>,
    /// Those that the head or the history names.
    pub(crate) named: BTreeSet<String>,
    /// The commits that there is a checkpoint of.
    pub(crate) checkpoints: Vec<u64>,
}

impl Shelf {
    /// Nineteen checkpoints, the last of many parts, and as many segments between
    /// them as make a history of several nodes.
    pub(crate) async fn new() -> Self {
        let bench = Bench::new(1);
        let options = quick_create().ring(4).tail(200);
        let journal = bench.open(options).await.unwrap();
        let mut checkpoints = Vec::new();
        for _ in 0..18 {
            add(&journal, 24).await;
            checkpoints.push(journal.checkpoint().await.unwrap());
        }
        let values = (0..3_000_u32).map(|number| {
            let mut value = vec![0; 2_000];
            bench.env.fill_random(&mut value);
            journal.commit(Command::put(number.to_be_bytes().to_vec(), value))
        });
        assert!(join_all(values).await.iter().all(Result::is_ok));
        checkpoints.push(journal.checkpoint().await.unwrap());
        add(&journal, 12).await;

        let mut objects = Vec::new();
        for (key, (_, bytes)) in bench.contents().await {
            if key.contains('/') {
                objects.push((key, bytes));
            }
        }
        let head = Head::decode(&bench.body("head").await).unwrap();
        assert!(matches!(&head.checkpoint.unwrap().parts, Parts::Indexed(_)));
        assert!(head.segments.len() > 1);
        let dropped: BTreeSet<_> = head.drops.iter().map(|at| at.folder.path(at.id)).collect();
        let keys: BTreeSet<_> = objects.iter().map(|(key, _)| key.clone()).collect();
        assert!(dropped.is_subset(&keys) && dropped.len() > 5, "drops wait for their time");
        let named: BTreeSet<_> = keys.difference(&dropped).cloned().collect();
        for (folder, most) in [("segments/", 140), ("checkpoints/", 20), ("history/", 3)] {
            let count = named.iter().filter(|key| key.starts_with(folder)).count();
            assert!(count >= most, "{count} of {folder}");
        }
        Self { bench, journal, objects, named, checkpoints }
    }

    pub(crate) async fn verify(&self) -> Verified {
        verify(Arc::clone(&self.bench.bare), Place::single().unwrap()).await.unwrap()
    }

    /// The keys that a verification finds damaged.
    pub(crate) async fn damaged(&self) -> Vec<String> {
        self.verify().await.damaged.into_iter().map(|at| at.key).collect()
    }
}
