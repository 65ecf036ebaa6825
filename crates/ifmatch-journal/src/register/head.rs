//! The register on one mutable blob.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ifmatch_core::{
    Attempt, BlobKey, ConditionalBlobStore, Fetched, GetOptions, Precondition, Stored, WriteId,
};

use super::{Reading, Register, Swap, Token};
use crate::error::Result;
use crate::zoo::{Bug, planted};

/// The register on one mutable blob, under `If-Match`.
///
/// Bodies must be unique, as heads are: a store whose versions are hashes of
/// the body then never shows an old version again.
#[derive(Clone, Debug)]
pub struct HeadRegister {
    store: Arc<dyn ConditionalBlobStore>,
    key: BlobKey,
}

impl HeadRegister {
    /// The register in the blob `key`.
    pub fn new(store: Arc<dyn ConditionalBlobStore>, key: BlobKey) -> Self {
        Self { store, key }
    }

    async fn write(&self, body: Bytes, precondition: Precondition) -> Swap {
        let write = WriteId::random(self.store.env());
        match self.store.attempt_put(&self.key, body, &precondition, write).await {
            Attempt::Applied(Stored { version, date }) => {
                Swap::Applied { token: Token(version), date }
            }
            Attempt::Rejected { date } => Swap::Rejected { date },
            Attempt::Refused(error) => Swap::Refused(error),
            Attempt::Unknown(error) => Swap::Unknown(error),
            _ => Swap::Unknown(ifmatch_core::Error::unsupported("an answer of a newer version")),
        }
    }
}

#[async_trait]
impl Register for HeadRegister {
    async fn read(&self, known: Option<&Token>) -> Result<Reading> {
        let mut options = GetOptions::new();
        options.if_none_match = known.map(|token| token.0.clone());
        Ok(match self.store.get(&self.key, options).await? {
            Fetched::Found(blob) => Reading::Found {
                body: blob.body,
                token: Token(blob.info.version),
                written: blob.info.last_modified,
                date: blob.info.date,
            },
            Fetched::NotModified { date } => Reading::Unchanged { date },
            other => Reading::Absent { date: other.date() },
        })
    }

    async fn replace(&self, token: &Token, body: Bytes) -> Swap {
        if planted(Bug::NoCondition) {
            return self.write(body, Precondition::Overwrite).await;
        }
        self.write(body, Precondition::IfMatch(token.0.clone())).await
    }

    async fn create(&self, body: Bytes) -> Swap {
        self.write(body, Precondition::IfAbsent).await
    }
}
