//! Reads of a transaction.

use super::{Inner, Transaction};
use crate::document::Document;
use crate::error::{Error, Result};
use crate::key::{DocKey, Partition};
use crate::scan::{Page, ScanOptions};
use crate::transaction::pages;

impl Transaction {
    /// Reads a document, as the transaction has written it or as it is
    /// committed; `None` where there is none. For some of its members only see
    /// [`Projection::document`](crate::Projection::document).
    ///
    /// # Errors
    /// `Expired`, `Busy`; `Invalid` for another partition under
    /// [`strict`](crate::TxOptions::strict); else as
    /// [`MetaStore::get`](crate::MetaStore::get).
    pub async fn get(&self, key: &DocKey) -> Result<Option<Document>> {
        let inner = &*self.inner;
        let turn = inner.open_turn()?;
        if inner.reads_its_own(&key.partition)?
            && let Some(written) = turn.overlay.written(&key.id)
        {
            return Ok(written.document());
        }
        inner.store.get(key).await
    }

    /// Reads one page of a partition, in either direction, with what the
    /// transaction has written.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`MetaStore::scan`](crate::MetaStore::scan).
    pub async fn scan(&self, partition: &Partition, options: ScanOptions) -> Result<Page> {
        let inner = &*self.inner;
        let turn = inner.open_turn()?;
        if inner.reads_its_own(partition)? {
            return pages::scan(&*inner.store, partition, &turn.overlay, options).await;
        }
        inner.store.scan(partition, options).await
    }
}

impl Inner {
    /// Whether it reads in its own partition.
    fn reads_its_own(&self, partition: &Partition) -> Result<bool> {
        let own = &self.address()?.partition;
        if own != partition && self.options.strict {
            return Err(Error::invalid(format!(
                "partition {partition}: transaction {} reads in {own} only",
                self.id
            )));
        }
        Ok(own == partition)
    }
}
