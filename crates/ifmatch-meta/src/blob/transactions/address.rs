//! `tx/<id>`: in which partition a transaction is.
//!
//! ```text
//! {"v":1,"partition":"teams","nonce":"00112233445566778899aabb"}
//! ```
//!
//! It is written before the transaction begins, and only says where to look: the
//! lock in the partition decides. An id that is used in another partition than
//! before gets a new nonce, after the old partition was told not to begin
//! anything under the old one.

use bytes::Bytes;
use ifmatch_core::{
    BlobKey, ConditionalBlobStore, Error as CoreError, GetOptions, Precondition, Timestamp, Version,
};
use serde::{Deserialize, Serialize};

use crate::blob::machine::Ask;
use crate::blob::store::Inner;
use crate::blob::writes::Undone;
use crate::error::{Error, Result};
use crate::etag::Nonce;
use crate::key::Partition;
use crate::transaction::TxId;

const FORMAT: u32 = 1;
/// An address is a few hundred bytes.
const LARGEST: usize = 8 << 10;
/// So often others may move an id while we do.
const ATTEMPTS: usize = 16;

/// Where a transaction is.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) partition: Partition,
    pub(super) nonce: Nonce,
    /// The store's clock when it told so.
    pub(super) date: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    v: u32,
    partition: String,
    nonce: String,
}

impl Address {
    fn encode(&self) -> Result<Bytes> {
        let (partition, nonce) = (self.partition.as_str().to_owned(), self.nonce.to_string());
        let body = serde_json::to_vec(&Body { v: FORMAT, partition, nonce });
        body.map(Bytes::from).map_err(|error| Error::invalid(format!("an address: {error}")))
    }

    fn decode(key: &BlobKey, bytes: &[u8], date: Option<Timestamp>) -> Result<Self> {
        let corrupt = |what: &str| Error::corrupt(key.as_str(), what);
        if bytes.len() > LARGEST {
            return Err(corrupt("it is too large"));
        }
        let body: Body = serde_json::from_slice(bytes)
            .map_err(|error| corrupt(&format!("it is no address: {error}")))?;
        if body.v != FORMAT {
            let what = format!("{key} has format {}; this version knows {FORMAT}", body.v);
            return Err(Error::unsupported(what));
        }
        let partition = Partition::internal(&body.partition);
        let partition = partition.map_err(|_| corrupt("it names no partition"))?;
        let nonce = body.nonce.parse().map_err(|_| corrupt("its nonce is none"))?;
        Ok(Self { partition, nonce, date })
    }
}

impl Inner {
    /// Where the newest transaction of this name is.
    pub(super) async fn address(
        &self,
        store: &dyn ConditionalBlobStore,
        id: &TxId,
    ) -> Result<Option<(Address, Version)>> {
        let key = key(id)?;
        let Some(blob) = store.get(&key, GetOptions::new()).await?.found() else {
            return Ok(None);
        };
        let address = Address::decode(&key, &blob.body, blob.info.date)?;
        Ok(Some((address, blob.info.version)))
    }

    /// Makes the partition the one in which transactions of this name begin;
    /// anew, where nothing begins any more under `fenced`.
    pub(super) async fn claim(
        &self,
        store: &dyn ConditionalBlobStore,
        id: &TxId,
        partition: &Partition,
        fenced: Option<Nonce>,
    ) -> Result<Address> {
        let key = key(id)?;
        let nonce = Nonce::draw(&self.env);
        let mut address = Address { partition: partition.clone(), nonce, date: None };
        let mut expected = Precondition::IfAbsent;
        for _ in 0..ATTEMPTS {
            match store.put(&key, address.encode()?, expected).await {
                Ok(stored) => {
                    address.date = stored.date;
                    return Ok(address);
                }
                Err(CoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
            expected = match self.address(store, id).await? {
                Some((there, version)) if there.partition == *partition => {
                    if Some(there.nonce) != fenced {
                        return Ok(there);
                    }
                    Precondition::IfMatch(version)
                }
                Some((there, version)) => {
                    self.fence(id, &there).await?;
                    Precondition::IfMatch(version)
                }
                None => Precondition::IfAbsent,
            };
        }
        let why = ifmatch_core::Reason::new("others begin transactions of the same name elsewhere");
        let operation = ifmatch_core::Operation::Put;
        Err(CoreError::unavailable(operation, key.as_str(), why).into())
    }

    /// Nothing begins any more where the name was used before.
    async fn fence(&self, id: &TxId, there: &Address) -> Result<()> {
        let ask = Ask::Fence { id: id.clone(), address: there.nonce };
        match Box::pin(self.write(&there.partition, ask, None)).await {
            Ok(_) => Ok(()),
            Err(Undone::Locked(_)) => {
                let there = &there.partition;
                Err(Error::invalid(format!("transaction {id} is open in partition {there}")))
            }
            Err(undone) => Err(undone.into_error()),
        }
    }
}

fn key(id: &TxId) -> Result<BlobKey> {
    Ok(BlobKey::new(format!("tx/{id}"))?)
}

#[cfg(test)]
mod tests {
    use ifmatch_core::Simulation;

    use super::*;

    #[test]
    fn an_address_reads_back_and_nothing_else_does() {
        let key = key(&TxId::new("a").unwrap()).unwrap();
        for name in ["p", "ifmatch.locks", "ä/%\"\n"] {
            let partition = Partition::internal(name).unwrap();
            let nonce = Nonce::draw(&Simulation::seeded(1).env());
            let address = Address { partition: partition.clone(), nonce, date: None };
            let read = Address::decode(&key, &address.encode().unwrap(), None).unwrap();
            assert_eq!((read.partition, read.nonce), (partition, nonce));
        }
        let nonce = "00112233445566778899aabb";
        for (body, kind) in [
            (String::new(), "corrupt"),
            ("{}".into(), "corrupt"),
            (format!(r#"{{"v":1,"partition":"","nonce":"{nonce}"}}"#), "corrupt"),
            (r#"{"v":1,"partition":"p","nonce":"1"}"#.into(), "corrupt"),
            (format!(r#"{{"v":2,"partition":"p","nonce":"{nonce}"}}"#), "unsupported"),
            (" ".repeat(LARGEST + 1), "corrupt"),
        ] {
            let error = Address::decode(&key, body.as_bytes(), None).unwrap_err();
            assert_eq!(error.kind(), kind, "{body}");
        }
    }
}
