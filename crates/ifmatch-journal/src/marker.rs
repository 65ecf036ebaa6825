//! `ifmatch`: what lies under a prefix, so that two kinds of things never share
//! one, and which endpoints have passed the probe.

use std::collections::BTreeMap;

use bytes::Bytes;
use ifmatch_core::{
    BlobKey, ConditionalBlobStore, Endpoint, Error as StoreError, Fetched, GetOptions,
    Precondition, ProbeGate, ProbePolicy, Retry, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::id::JournalId;

const FORMAT: u32 = 1;
const REGISTER: &str = "head";

/// What lies under a prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// One SQLite database.
    Database,
    /// Documents, one journal per partition.
    Documents,
    /// The ledger of an upload.
    Ledger,
    /// What a state machine of your own keeps, by a name of your own.
    Other(&'static str),
}

/// The object `ifmatch` under a prefix: create-only, then by compare-and-swap.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Marker {
    kind: String,
    format: u32,
    register: String,
    store: JournalId,
    /// Verdicts of the probe, by endpoint.
    probes: BTreeMap<Endpoint, Verdict>,
    /// The first half of the BLAKE3 of the rest, in hex.
    #[serde(default)]
    checksum: String,
}

impl Kind {
    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Documents => "documents",
            Self::Ledger => "ledger",
            Self::Other(name) => name,
        }
    }
}

impl Marker {
    fn new(kind: Kind, store: JournalId) -> Self {
        let (kind, register) = (kind.as_str().to_owned(), REGISTER.to_owned());
        let (probes, checksum) = (BTreeMap::new(), String::new());
        Self { kind, format: FORMAT, register, store, probes, checksum }
    }

    /// The bytes, with their checksum.
    fn encode(mut self) -> Result<Bytes> {
        let broken = |error| Error::invalid(format!("marker cannot be written: {error}"));
        self.checksum = self.sum().map_err(broken)?;
        Ok(serde_json::to_vec_pretty(&self).map_err(broken)?.into())
    }

    /// The checksum that belongs to the other fields.
    fn sum(&self) -> serde_json::Result<String> {
        let rest = Self { checksum: String::new(), ..self.clone() };
        let hash = blake3::hash(&serde_json::to_vec(&rest)?);
        Ok(hash.to_hex()[..32].to_owned())
    }

    /// Makes sure that something of this kind may be created or published here:
    /// the store has passed the probe through this endpoint, and nothing else
    /// lies here. `id` names the store where the marker is new.
    ///
    /// # Errors
    /// `invalid` where something of another kind lies here, `unsupported` for a
    /// store that does not keep its conditions or a marker of a newer version,
    /// `corrupt` for one that does not parse.
    ///
    /// # Cost
    /// One request where the marker is there and knows the endpoint; otherwise
    /// the probe and one request more.
    pub async fn ensure(
        store: &dyn ConditionalBlobStore,
        kind: Kind,
        id: JournalId,
    ) -> Result<Option<Verdict>> {
        let key = BlobKey::new("ifmatch")?;
        let own = ProbeGate::new(ProbePolicy::OnCreate);
        let gate = store.probe_gate().unwrap_or(&own);
        loop {
            let found = store.get(&key, GetOptions::new()).await?;
            let (mut marker, expected) = if let Fetched::Found(blob) = found {
                (Self::check(&blob.body, kind)?, Precondition::IfMatch(blob.info.version))
            } else {
                (Self::new(kind, id), Precondition::IfAbsent)
            };
            let endpoint = store.endpoint();
            let recorded = marker.probes.get(&endpoint).copied();
            if let Some(verdict) = recorded.filter(|_| gate.policy() == ProbePolicy::OnCreate) {
                gate.accept(verdict).await;
            }
            let verdict = gate.pass(store).await?;
            let is_there = matches!(expected, Precondition::IfMatch(_));
            if is_there && (verdict.is_none() || verdict == recorded) {
                return Ok(verdict);
            }
            if let Some(verdict) = verdict {
                marker.probes.insert(endpoint, verdict);
            }
            match store.put(&key, marker.encode()?, expected).await {
                Ok(_) => return Ok(verdict),
                Err(error) if error.retry() == Retry::Rebase => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Tells whether anything lies here; for whoever finds no head and wants to
    /// say what there is.
    ///
    /// # Errors
    /// As [`ensure`](Self::ensure) for what is of another kind or does not parse.
    ///
    /// # Cost
    /// One request.
    pub async fn find(store: &dyn ConditionalBlobStore, kind: Kind) -> Result<bool> {
        Ok(Self::store(store, kind).await?.is_some())
    }

    /// The id of the store that lies here; `None` where nothing does.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    ///
    /// # Cost
    /// One request.
    pub async fn store(store: &dyn ConditionalBlobStore, kind: Kind) -> Result<Option<JournalId>> {
        let found = store.get(&BlobKey::new("ifmatch")?, GetOptions::new()).await?.found();
        found.map(|blob| Self::check(&blob.body, kind).map(|marker| marker.store)).transpose()
    }

    fn check(body: &[u8], kind: Kind) -> Result<Self> {
        let marker: Self = serde_json::from_slice(body).map_err(|error| {
            Error::corrupt("ifmatch", format!("it does not say what lies here: {error}"))
        })?;
        // Another format may have another checksum, and a marker made by hand none:
        // a flipped bit leaves one that does not fit.
        let signed = marker.format == FORMAT && !marker.checksum.is_empty();
        if signed && marker.sum().ok().as_ref() != Some(&marker.checksum) {
            return Err(Error::corrupt("ifmatch", "the checksum does not match"));
        }
        if marker.format != FORMAT || marker.register != REGISTER {
            return Err(Error::Store(StoreError::unsupported(format!(
                "here lies format {} on register {:?}; this version knows format {FORMAT} on \
                 {REGISTER:?}",
                marker.format, marker.register
            ))));
        }
        if marker.kind != kind.as_str() {
            return Err(Error::invalid(format!(
                "here lies no {} but {:?}: choose another prefix",
                kind.as_str(),
                marker.kind
            )));
        }
        Ok(marker)
    }
}

#[cfg(test)]
mod tests;
