//! Documents as values of a type of yours.

mod entry;
mod read;
mod write;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use entry::{Entries, Entry};

use crate::key::{DocId, DocKey, Partition};
use crate::ops::WriteOptions;
use crate::scan::Scope;
use crate::store::MetaStore;

/// The documents of one partition as values of `T`, by serde. Cheap to clone.
///
/// It adds nothing to what the store promises. A document that does not fit `T`
/// is `Invalid` where it is read, and named; it stays as it is.
///
/// # Examples
/// A flag for what is deleted softly is a field like any other, and a window of
/// time is two comparisons, here with both ends in it:
/// ```
/// use std::sync::Arc;
/// use ifmatch_core::{Env, RetryPolicy};
/// use ifmatch_meta::query::field;
/// use ifmatch_meta::{Collection, Edit, Error, MemoryMetaStore, Partition, Query};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Task {
///     title: String,
///     due: String, // RFC 3339 in UTC: the order of the text is that of time.
///     deleted: bool,
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = Arc::new(MemoryMetaStore::new(Env::real()));
/// let tasks = Collection::<Task>::new(store, Partition::new("tasks")?);
/// for (title, due) in [("tea", "2026-03-01"), ("milk", "2026-03-31"), ("jam", "2026-04-01")] {
///     tasks.insert(&Task { title: title.into(), due: due.into(), deleted: false }).await?;
/// }
///
/// let march = field("/due").gte("2026-03-01") & field("/due").lte("2026-03-31");
/// let there = field("/deleted").eq(false);
/// let page = tasks.query(&Query::filter(there.clone() & march).sort("-/due")).await?;
/// let titles: Vec<_> = page.entries.iter().map(|entry| &*entry.value.title).collect();
/// assert_eq!(titles, ["milk", "tea"]);
///
/// let milk = &page.entries[0].id;
/// let delete = |entry: Option<ifmatch_meta::Entry<Task>>| {
///     Ok::<_, Error>(match entry {
///         Some(entry) => Edit::Put(Task { deleted: true, ..entry.value }),
///         None => Edit::Keep,
///     })
/// };
/// tasks.update(milk, RetryPolicy::new(), delete).await?;
/// assert_eq!((tasks.count_where(&there).await?, tasks.count().await?), (2, 3));
///
/// // What changed in a window is asked of the time that the store keeps.
/// let entry = tasks.get(milk).await?.unwrap();
/// let now = entry.updated_at.to_string();
/// let window = field("@updated_at").gte(now.as_str()) & field("@updated_at").lte(now);
/// assert!(tasks.count_where(&window).await? >= 1);
/// # Ok::<(), Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Collection<T> {
    store: Arc<dyn MetaStore>,
    partition: Partition,
    options: WriteOptions,
    values: PhantomData<fn() -> T>,
}

impl<T> Collection<T> {
    /// The documents of this partition.
    pub fn new(store: Arc<dyn MetaStore>, partition: Partition) -> Self {
        Self { store, partition, options: WriteOptions::default(), values: PhantomData }
    }

    /// The same, written with these options.
    pub fn with_options(mut self, options: WriteOptions) -> Self {
        self.options = options;
        self
    }

    /// Where the documents are.
    pub fn store(&self) -> &Arc<dyn MetaStore> {
        &self.store
    }

    /// In which partition.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    fn key(&self, id: &DocId) -> DocKey {
        DocKey { partition: self.partition.clone(), id: id.clone() }
    }

    fn scope(&self) -> Scope {
        Scope::Partition(self.partition.clone())
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            partition: self.partition.clone(),
            options: self.options.clone(),
            values: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Collection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collection({}/{})", self.store, self.partition)
    }
}
