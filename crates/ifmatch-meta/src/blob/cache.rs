//! The partitions that are open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ifmatch_core::{BlobKey, ConditionalBlobStore, Env};
use ifmatch_journal::{Journal, Options, Place, Seen, WriterId};
use tokio::sync::OnceCell;

use super::failure::failure;
use super::handle::Handle;
use super::machine::{Documents, Header};
use super::meter::{Meter, Metered};
use super::name;
use super::options::BlobMetaOptions;
use crate::error::{Error, Result};
use crate::key::Partition;

/// So many partitions that were open once are remembered, so that a rewound one
/// is noticed.
const REMEMBERED: usize = 65_536;

/// Open partitions, by their names; those that were not used for longest make
/// room.
#[derive(Debug)]
pub(super) struct Cache {
    store: Arc<dyn ConditionalBlobStore>,
    env: Env,
    options: BlobMetaOptions,
    writer: WriterId,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    open: BTreeMap<Partition, Slot>,
    /// What was seen of those that had to make room.
    seen: BTreeMap<Partition, Seen>,
    uses: u64,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    cell: Arc<OnceCell<Arc<Handle>>>,
    used: u64,
}

/// A partition, as it was asked for.
pub(super) struct Opened {
    pub(super) handle: Arc<Handle>,
    /// Whether it was opened by this call: what is known of it is of now.
    pub(super) now: bool,
}

impl Cache {
    pub(super) fn new(
        store: Arc<dyn ConditionalBlobStore>,
        env: Env,
        options: BlobMetaOptions,
    ) -> Self {
        let writer = WriterId::random(&env);
        Self { store, env, options, writer, slots: Mutex::default() }
    }

    /// A partition that is open already.
    pub(super) fn open_one(&self, partition: &Partition) -> Option<Arc<Handle>> {
        self.slots().open.get(partition)?.cell.get().cloned()
    }

    /// The partition; `None` where there is none and `create` is not set.
    pub(super) async fn open(&self, partition: &Partition, create: bool) -> Result<Option<Opened>> {
        let (cell, seen) = {
            let mut slots = self.slots();
            slots.uses += 1;
            let (used, seen) = (slots.uses, slots.seen.get(partition).copied());
            let slot = slots.open.entry(partition.clone()).or_default();
            slot.used = used;
            (Arc::clone(&slot.cell), seen)
        };
        let mut now = false;
        // One at a time; whoever waits tries by itself where the first fails or is
        // dropped.
        let opened = cell
            .get_or_try_init(|| async {
                now = true;
                let opened = Box::pin(self.begin(partition, create, seen)).await;
                opened.and_then(|handle| handle.map(Arc::new).ok_or(Missing::Absent))
            })
            .await;
        let opened = match opened {
            Ok(handle) => Some(Opened { handle: Arc::clone(handle), now }),
            Err(Missing::Absent) => None,
            Err(Missing::Failed(error)) => {
                self.discard(partition, &cell);
                return Err(error);
            }
        };
        match &opened {
            None => self.discard(partition, &cell),
            Some(_) if now => self.make_room(partition),
            Some(_) => {}
        }
        Ok(opened)
    }

    /// Closes all.
    pub(super) fn clear(&self) {
        let open = std::mem::take(&mut self.slots().open);
        drop(open);
    }

    async fn begin(
        &self,
        partition: &Partition,
        create: bool,
        seen: Option<Seen>,
    ) -> Result<Option<Handle>, Missing> {
        let encoded = name::encode(partition);
        let head = BlobKey::new(format!("heads/{encoded}"))?;
        let (place, meter) = (Place::partition(&encoded), Arc::new(Meter::default()));
        let mut options = if create { Options::create() } else { Options::open() };
        options = options.env(self.env.clone()).retry(self.options.retry).writer(self.writer);
        options = options.request_timeout(self.options.request_timeout);
        options.seen = seen;
        let store = Arc::new(Metered::new(Arc::clone(&self.store), Arc::clone(&meter)));
        let machine = Documents { partition: partition.clone() };
        let subject = || Arc::from(format!("partition {partition} in {}", self.store));
        let found = match place {
            Ok(place) => Journal::find_at(store, place, machine, options).await,
            Err(error) => Err(error),
        };
        let journal = found.map_err(|error| failure(error, subject))?;
        let Some(journal) = journal else { return Ok(None) };
        let header = Header::read(journal.known().application())
            .map_err(|damage| Error::corrupt(head.as_str(), damage.to_string()))?;
        if let Some(header) = header.filter(|header| header.partition != *partition) {
            let detail = format!("it holds partition {}, not {partition}", header.partition);
            return Err(Error::corrupt(head.as_str(), detail).into());
        }
        let handle = Handle::new(journal, meter, head);
        handle.notice(handle.journal.known().state(), &self.env);
        Ok(Some(handle))
    }

    /// Forgets a slot in which nothing was opened, unless somebody tries.
    fn discard(&self, partition: &Partition, cell: &Arc<OnceCell<Arc<Handle>>>) {
        let mut slots = self.slots();
        let ours = slots.open.get(partition).is_some_and(|slot| {
            let alone = Arc::strong_count(&slot.cell) <= 2;
            Arc::ptr_eq(&slot.cell, cell) && slot.cell.get().is_none() && alone
        });
        if ours {
            slots.open.remove(partition);
        }
    }

    /// Closes partitions that nobody uses, the longest unused first, until the
    /// rest are few and small enough.
    fn make_room(&self, newest: &Partition) {
        let mut dropped = Vec::new();
        let mut slots = self.slots();
        loop {
            let open = slots.open.values().filter_map(|slot| slot.cell.get());
            let sizes = open.map(|handle| handle.journal.known().state().bytes());
            let (count, bytes) = sizes.fold((0, 0), |(n, sum), bytes| (n + 1, sum + bytes));
            if count <= self.options.open_partitions.max(1) && bytes <= self.options.open_bytes {
                break;
            }
            let idle = |slot: &Slot| {
                let in_use = |handle: &Arc<Handle>| Arc::strong_count(handle) > 1;
                Arc::strong_count(&slot.cell) == 1 && !slot.cell.get().is_some_and(in_use)
            };
            let oldest = (slots.open.iter())
                .filter(|(name, slot)| *name != newest && idle(slot))
                .min_by_key(|(_, slot)| slot.used);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            let Some(slot) = slots.open.remove(&name) else { break };
            if let Some(handle) = slot.cell.get() {
                if slots.seen.len() >= REMEMBERED {
                    slots.seen.pop_first();
                }
                slots.seen.insert(name, handle.journal.seen());
            }
            dropped.push(slot);
        }
        drop(slots);
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why nothing was opened.
enum Missing {
    Absent,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Missing {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
