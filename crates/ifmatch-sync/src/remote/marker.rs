//! `ifmatch`: what lies under a prefix, so that two kinds of things never share
//! one, and which endpoints have passed the probe.

use std::collections::BTreeMap;

use bytes::Bytes;
use ifmatch_core::{BlobKey, Endpoint};
use ifmatch_core::{
    ConditionalBlobStore, Error as StoreError, Fetched, GetOptions, Precondition, ProbeGate,
    ProbePolicy, Retry, Verdict,
};
use serde::{Deserialize, Serialize};

use crate::commit_id::JournalId;
use crate::error::{Error, Result};

const FORMAT: u32 = 1;
const KIND: &str = "database";

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Marker {
    kind: String,
    format: u32,
    register: String,
    store: JournalId,
    /// Verdicts of the probe, by endpoint.
    probes: BTreeMap<Endpoint, Verdict>,
}

impl Marker {
    fn new(store: JournalId) -> Self {
        let (kind, register) = (KIND.to_owned(), "head".to_owned());
        Self { kind, format: FORMAT, register, store, probes: BTreeMap::new() }
    }
}

/// Makes sure that a database may be created or published here: the store has
/// passed the probe through this endpoint, and nothing else lies here.
///
/// # Cost
/// One request where the marker is there and knows the endpoint; otherwise the
/// probe and one request more.
pub(crate) async fn create_marker(
    store: &dyn ConditionalBlobStore,
    id: JournalId,
) -> Result<Option<Verdict>> {
    let key = BlobKey::new("ifmatch")?;
    let own = ProbeGate::new(ProbePolicy::OnCreate);
    let gate = store.probe_gate().unwrap_or(&own);
    loop {
        let found = store.get(&key, GetOptions::new()).await?;
        let (mut marker, expected) = if let Fetched::Found(blob) = found {
            (check(&blob.body)?, Precondition::IfMatch(blob.info.version))
        } else {
            (Marker::new(id), Precondition::IfAbsent)
        };
        let endpoint = store.endpoint();
        let recorded = marker.probes.get(&endpoint).copied();
        if let Some(verdict) = recorded.filter(|_| gate.policy() == ProbePolicy::OnCreate) {
            gate.accept(verdict).await;
        }
        let verdict = gate.pass(store).await?;
        if recorded.is_some() && recorded == verdict
            || verdict.is_none() && matches!(expected, Precondition::IfMatch(_))
        {
            return Ok(verdict);
        }
        if let Some(verdict) = verdict {
            marker.probes.insert(endpoint, verdict);
        }
        let text = serde_json::to_vec_pretty(&marker)
            .map_err(|error| Error::invalid(format!("marker cannot be written: {error}")))?;
        match store.put(&key, Bytes::from(text), expected).await {
            Ok(_) => return Ok(verdict),
            Err(error) if error.retry() == Retry::Rebase => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn check(body: &[u8]) -> Result<Marker> {
    let marker: Marker = serde_json::from_slice(body).map_err(|error| {
        Error::corrupt("ifmatch", format!("it does not say what lies here: {error}"))
    })?;
    if marker.format != FORMAT || marker.register != "head" {
        return Err(Error::Store(StoreError::unsupported(format!(
            "here lies format {} on register {:?}; this version knows format {FORMAT} on \"head\"",
            marker.format, marker.register
        ))));
    }
    if marker.kind != KIND {
        return Err(Error::invalid(format!(
            "here lies no database but {:?}: choose another prefix",
            marker.kind
        )));
    }
    Ok(marker)
}
