//! Answers of one store in words that are the same on every store.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use ifmatch_core::Timestamp;
use ifmatch_meta::{
    Applied, AuditRecord, Change, Deleted, Document, ETag, Error, Partition, Written,
};

use super::action::Name;

#[derive(Default)]
pub(super) struct Canon {
    numbers: HashMap<ETag, usize>,
    tags: Vec<ETag>,
    newest: BTreeMap<Name, usize>,
    /// The times that a write answered with its document.
    times: HashMap<ETag, (Timestamp, Timestamp)>,
    commits: BTreeMap<Partition, Vec<u64>>,
}

impl Canon {
    /// How many tags have appeared.
    pub(super) fn etags(&self) -> usize {
        self.tags.len()
    }

    pub(super) fn newest(&self) -> impl Iterator<Item = (&Name, usize)> {
        self.newest.iter().map(|(name, tag)| (name, *tag))
    }

    /// The tag of this number, or one that no document has.
    pub(super) fn tag(&self, number: usize) -> ETag {
        let none = || ETag::mint(number as u64, &ifmatch_core::Simulation::seeded(7).env());
        self.tags.get(number).copied().unwrap_or_else(none)
    }

    pub(super) fn etag(&mut self, etag: ETag) -> usize {
        let next = self.tags.len();
        *self.numbers.entry(etag).or_insert_with(|| {
            self.tags.push(etag);
            next
        })
    }

    /// A commit of a partition, by its place among those that were told.
    pub(super) fn committed(&mut self, partition: &Partition, position: u64) -> String {
        let commits = self.commits.entry(partition.clone()).or_default();
        match commits.last() {
            Some(last) if *last == position => {}
            Some(last) if *last > position => return format!("@back({position} after {last})"),
            _ => commits.push(position),
        }
        format!("@{}", commits.len())
    }

    fn place(&self, partition: &Partition, position: u64) -> String {
        let commits = self.commits.get(partition);
        let place = commits.and_then(|commits| commits.binary_search(&position).ok());
        place.map_or_else(|| format!("@unknown({position})"), |place| format!("@{}", place + 1))
    }

    pub(super) fn document(&mut self, found: &Document) -> String {
        let tag = self.etag(found.etag);
        let name = (found.key.partition.clone(), found.key.id.clone());
        self.newest.insert(name, tag);
        let times = (found.created_at, found.updated_at);
        let same = *self.times.entry(found.etag).or_insert(times) == times;
        let times = if same { "" } else { " other times" };
        format!("{:?}#{tag} {} by {:?}{times}", found.key.id, found.body, found.updated_by)
    }

    pub(super) fn documents(&mut self, found: &[Document]) -> String {
        let mut text = String::new();
        for document in found {
            let _ = write!(text, "{:?} ", document.key.partition);
            text += &self.document(document);
            text.push_str("; ");
        }
        text
    }

    pub(super) fn written(
        &mut self,
        partition: &Partition,
        written: &Written,
        commits: bool,
    ) -> String {
        let tag = self.etag(written.etag);
        let mut text = format!("written #{tag} created {}", written.created);
        if let Some(document) = &written.document {
            let document = self.document(document);
            let _ = write!(text, " {document}");
        }
        if commits {
            text += &self.committed(partition, written.position);
        }
        text
    }

    pub(super) fn deleted(
        &mut self,
        partition: &Partition,
        deleted: &Deleted,
        commits: bool,
    ) -> String {
        let tag = deleted.etag.map(|etag| self.etag(etag));
        let mut text = format!("deleted {tag:?}");
        if commits {
            text += &self.committed(partition, deleted.position);
        }
        text
    }

    pub(super) fn applied(
        &mut self,
        partition: &Partition,
        applied: &[Applied],
        commits: bool,
    ) -> String {
        let mut text = String::new();
        for one in applied {
            let answer = match one {
                Applied::Written(written) => self.written(partition, written, commits),
                Applied::Deleted(deleted) => self.deleted(partition, deleted, commits),
                Applied::Checked(etag) => {
                    format!("checked {:?}", etag.map(|etag| self.etag(etag)))
                }
                _ => "something else".to_owned(),
            };
            text += &answer;
            text.push_str("; ");
        }
        text
    }

    pub(super) fn change(&mut self, change: &Change) -> String {
        let partition = change.key().partition.clone();
        let place = self.place(&partition, change.position());
        let what = match change {
            Change::Written { document, .. } => self.document(document),
            Change::Deleted { tombstone, .. } => {
                let tag = self.etag(tombstone.deleted_etag);
                format!("{:?} deleted #{tag} by {:?}", tombstone.key.id, tombstone.deleted_by)
            }
        };
        format!("{partition:?} {what}{place}; ")
    }

    pub(super) fn record(&mut self, partition: &Partition, record: &AuditRecord) -> String {
        let tags = [record.previous, record.etag].map(|tag| tag.map(|tag| self.etag(tag)));
        let place = self.place(partition, record.at.position);
        let (id, by, operation) = (&record.id, &record.author, record.operation);
        format!("{id:?} {operation:?} {tags:?} by {by:?}{place}.{}; ", record.at.ordinal)
    }

    pub(super) fn error(&mut self, error: &Error) -> String {
        let mut text = format!("error {} at {:?}", error.kind(), error.operation_index());
        if let Some(conflict) = error.conflict() {
            // A tag of the batch itself was never told to anybody.
            let known = conflict.current.map(|tag| self.numbers.get(&tag).copied());
            let _ = write!(text, " on {} at {known:?}", conflict.key);
        }
        text
    }
}
