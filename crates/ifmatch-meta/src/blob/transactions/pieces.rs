//! What a transaction staged for another process: objects of their own, named
//! by the lock.

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use ifmatch_core::{
    BlobKey, ConditionalBlobStore, Error as CoreError, GetOptions, Precondition, retry_read,
};

use crate::blob::machine::{Lock, LockId, Piece};
use crate::blob::name;
use crate::blob::store::Inner;
use crate::error::{Error, Result};
use crate::transaction::TxAddress;

/// So many are read at a time.
const AT_A_TIME: usize = 8;
/// So many debris of earlier attempts are stepped over.
const ATTEMPTS: u64 = 64;

impl Inner {
    /// Writes a piece under the first free number behind those that the lock
    /// names.
    pub(super) async fn write_piece(
        &self,
        store: &dyn ConditionalBlobStore,
        address: &TxAddress,
        lock: &Lock,
        bytes: &Bytes,
    ) -> Result<Piece> {
        let first = lock.pieces.last().map_or(0, |last| last.number.saturating_add(1));
        for number in first..first.saturating_add(ATTEMPTS) {
            let key = key(address, number)?;
            match store.put(&key, bytes.clone(), Precondition::IfAbsent).await {
                Ok(_) => return Ok(Piece::new(number, bytes)),
                // Written by somebody who did not come to tell the lock.
                Err(CoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let what = "others try to stage at the same time".into();
        Err(Error::Busy { id: address.id.clone(), what })
    }

    pub(super) async fn read_pieces(&self, address: &TxAddress, lock: &Lock) -> Result<Vec<Bytes>> {
        let pieces = stream::iter(lock.pieces.clone());
        let read = pieces.map(|piece| self.read_piece(address, piece));
        read.buffered(AT_A_TIME).try_collect().await
    }

    async fn read_piece(&self, address: &TxAddress, piece: Piece) -> Result<Bytes> {
        let key = key(address, piece.number)?;
        let read =
            retry_read(&self.env, self.options.retry, || self.store.get(&key, GetOptions::new()));
        let Some(blob) = read.await?.found() else {
            return Err(Error::corrupt(key.as_str(), "the lock names it, and it is gone"));
        };
        if Piece::new(piece.number, &blob.body) != piece {
            return Err(Error::corrupt(key.as_str(), "it is not what the lock names"));
        }
        Ok(blob.body)
    }
}

impl Lock {
    /// The lock, if it is that of this transaction.
    pub(super) fn of(lock: Option<&Self>, tx: &LockId) -> Option<Self> {
        lock.filter(|lock| lock.tx == *tx).cloned()
    }
}

fn key(address: &TxAddress, number: u64) -> Result<BlobKey> {
    let (folder, begin) = (name::encode(&address.partition), address.incarnation);
    Ok(BlobKey::new(format!("data/{folder}/staged/{begin:020}/{number:020}"))?)
}
