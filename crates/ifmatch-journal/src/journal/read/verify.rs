//! Checking everything that a journal reaches.

use std::sync::Arc;

use ifmatch_core::{ConditionalBlobStore, RetryPolicy};

use crate::error::{Error, Result};
use crate::head::Head;
use crate::journal::objects::Objects;
use crate::journal::options::Place;
use crate::journal::stats::Stats;
use crate::object::{
    CheckpointRef, Folder, History, HistoryRef, Item, ObjectRef, Parts, SegmentRef,
};
use crate::record::CommitRecord;
use crate::register::{HeadRegister, Reading, Register};

/// What a verification found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// The newest commit.
    pub seq: u64,
    /// The first commit whose record is kept.
    pub first: u64,
    /// Objects that were read, the head included.
    pub objects: u64,
    /// Their bytes, as stored.
    pub bytes: u64,
    /// What is missing or does not verify.
    pub damaged: Vec<Damaged>,
}

/// An object that is missing or does not verify.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// Its key.
    pub key: String,
    /// What is wrong.
    pub detail: String,
}

/// Reads everything that the head of a journal reaches, and checks every
/// checksum, that the commits follow each other without a gap, and that the
/// head's ring agrees with the records.
///
/// # Errors
/// What keeps the head itself from being read; damage behind it is part of the
/// answer.
///
/// # Cost
/// One request per object. Memory: one object at a time.
pub async fn verify(store: Arc<dyn ConditionalBlobStore>, place: Place) -> Result<Verified> {
    let register = HeadRegister::new(Arc::clone(&store), place.head.clone());
    let Reading::Found { body, .. } = register.read(None).await? else {
        return Err(Error::missing(format!("{} in {store}", place.head)));
    };
    let head = Head::decode(&body)?;
    let objects = Objects {
        env: store.env().clone(),
        // What is damaged in the store stays so; a few reads tell it from damage
        // on the way.
        retry: RetryPolicy::new().with_max_attempts(3),
        timeout: std::time::Duration::from_mins(1),
        folder: place.objects,
        stats: Arc::new(Stats::default()),
        nodes: std::sync::Mutex::default(),
        store,
    };
    let mut walk = Walk { objects, found: Verified::default(), next: None };
    walk.found.seq = head.seq;
    walk.saw(body.len() as u64);
    walk.head(&head).await;
    Ok(walk.found)
}

struct Walk {
    objects: Objects,
    found: Verified,
    /// The number that the next record must have.
    next: Option<u64>,
}

impl Walk {
    async fn head(&mut self, head: &Head) {
        if let Some(history) = &head.history {
            self.history(history, head).await;
        }
        for segment in &head.segments {
            self.segment(segment, head).await;
        }
        self.records("head", &head.tail, head);
        let whole = head.checkpoint.as_ref().is_some_and(|at| at.seq == head.seq);
        if self.next.map_or(!whole, |next| next != head.seq + 1) {
            self.damaged("head", format!("its records end before {}", head.seq));
        }
        if let Some(checkpoint) = &head.checkpoint {
            self.checkpoint(checkpoint).await;
            if checkpoint.seq > head.seq {
                self.damaged("head", "its checkpoint is newer than itself");
            }
        } else if self.found.first > 1 {
            self.damaged("head", "it has no checkpoint, and its first commits are not kept");
        }
    }

    /// Walks the tree from its oldest leaf to its newest.
    async fn history(&mut self, root: &HistoryRef, head: &Head) {
        enum Step {
            /// A node, and the last commit in it.
            Node(ObjectRef, u64),
            Item(Item),
        }
        let mut steps = vec![Step::Node(root.object, root.last)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Node(object, last) => match self.objects.history(&object).await {
                    Ok(node) => {
                        self.saw(u64::from(object.bytes));
                        let items = node.items().iter().cloned().map(Step::Item);
                        let below = History::children(&node)
                            .map(|child| Step::Node(child.object, child.last));
                        let all: Vec<_> = below.chain(items).collect();
                        steps.extend(all.into_iter().rev());
                    }
                    Err(error) => {
                        self.broken(Folder::History, &object, &error);
                        self.next = Some(last + 1);
                    }
                },
                Step::Item(Item::Segment(segment)) => self.segment(&segment, head).await,
                Step::Item(Item::Checkpoint(checkpoint)) => self.checkpoint(&checkpoint).await,
                Step::Item(Item::Drop(_)) => {}
            }
        }
    }

    async fn segment(&mut self, segment: &SegmentRef, head: &Head) {
        match self.objects.segment(segment).await {
            Ok(records) => {
                self.saw(u64::from(segment.object.bytes));
                let key = self.key(Folder::Segments, &segment.object);
                self.records(&key, &records, head);
            }
            Err(error) => {
                self.broken(Folder::Segments, &segment.object, &error);
                self.next = Some(segment.last + 1);
            }
        }
    }

    fn records(&mut self, key: &str, records: &[CommitRecord], head: &Head) {
        let Some(first) = records.first() else { return };
        match self.next {
            None => self.found.first = first.seq,
            Some(next) if next != first.seq => {
                self.damaged(key, format!("it begins at commit {}, not at {next}", first.seq));
            }
            Some(_) => {}
        }
        self.next = records.last().map(|last| last.seq + 1);
        let strays = records.iter().find(|record| {
            let slot = head.ring.slot(record.seq);
            slot.is_some_and(|slot| slot.bits != record.nonce.first_bits())
        });
        if let Some(stray) = strays {
            self.damaged(key, format!("commit {} is another one in the head's ring", stray.seq));
        }
    }

    async fn checkpoint(&mut self, checkpoint: &CheckpointRef) {
        let parts = match self.objects.part_refs(checkpoint).await {
            Ok(parts) => parts,
            Err(error) => {
                if let Parts::Indexed(index) = &checkpoint.parts {
                    self.broken(Folder::Checkpoints, index, &error);
                }
                return;
            }
        };
        for part in parts {
            match self.objects.part(&part).await {
                Ok(_) => self.saw(u64::from(part.object.bytes)),
                Err(error) => self.broken(Folder::Checkpoints, &part.object, &error),
            }
        }
    }

    fn saw(&mut self, bytes: u64) {
        self.found.objects += 1;
        self.found.bytes += bytes;
    }

    fn key(&self, folder: Folder, object: &ObjectRef) -> String {
        format!("{}{}/{}", self.objects.folder, folder.as_str(), object.id)
    }

    fn broken(&mut self, folder: Folder, object: &ObjectRef, error: &Error) {
        let key = self.key(folder, object);
        self.damaged(key, error.to_string());
    }

    fn damaged(&mut self, key: impl Into<String>, detail: impl Into<String>) {
        self.found.damaged.push(Damaged { key: key.into(), detail: detail.into() });
    }
}
