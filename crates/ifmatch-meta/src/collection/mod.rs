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
/// A flag for deleted things is an ordinary field, and a window of time is two
/// comparisons, both inclusive:
/// ```
/// use std::sync::Arc;
/// use ifmatch_core::Env;
/// use ifmatch_meta::{Collection, MemoryMetaStore, Partition};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Task {
///     title: String,
///     deleted: bool,
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let store = Arc::new(MemoryMetaStore::new(Env::real()));
/// let tasks = Collection::<Task>::new(store, Partition::new("tasks")?);
/// let (id, written) = tasks.insert(&Task { title: "tea".into(), deleted: false }).await?;
/// tasks.replace(&id, written.etag, &Task { title: "coffee".into(), deleted: false }).await?;
/// let late = tasks.replace(&id, written.etag, &Task { title: "milk".into(), deleted: false }).await;
/// assert_eq!(late.unwrap_err().kind(), "conflict");
/// assert_eq!(tasks.get(&id).await?.unwrap().value.title, "coffee");
/// # Ok::<(), ifmatch_meta::Error>(()) })?;
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
