//! What a transaction leaves for another process.
//!
//! A piece is one JSON object, UTF-8:
//!
//! ```text
//! {"v":1,"nonce":"<24 hex digits>","rows":[
//!   {"id":"a","before":"\"1-..\"","after":{"etag":"\"2-..\"","body":"{\"n\":1}",
//!    "created_at":"..","updated_at":"..","updated_by":null}}, ..]}
//! ```
//!
//! Each row is what the transaction makes of one document: its tag before
//! (`null`: there was none) and the whole document afterwards (`null`: there is
//! none), the body as a text, because it stays as it is byte for byte. A later
//! piece's row replaces an earlier one's; in it a row may have neither before nor
//! after. The nonce makes every piece unlike every other, so that a handle knows
//! its own again.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use ifmatch_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::TxAddress;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::etag::{ETag, Nonce};
use crate::evaluate::Effect;
use crate::json::Json;
use crate::key::{DocId, DocKey};

/// What this version writes, and all that it reads.
const VERSION: u32 = 1;
/// Largest piece, in bytes: what can be staged, escaped, and much more.
const LARGEST: usize = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Piece<'a> {
    v: u32,
    nonce: String,
    #[serde(borrow)]
    rows: Vec<Row<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    before: Option<ETag>,
    #[serde(borrow)]
    after: Option<After<'a>>,
}

#[derive(Serialize, Deserialize)]
struct After<'a> {
    etag: ETag,
    #[serde(borrow)]
    body: Cow<'a, str>,
    created_at: Timestamp,
    updated_at: Timestamp,
    updated_by: Option<Arc<str>>,
}

/// The piece of these rows.
pub(super) fn encode(nonce: Nonce, rows: &[Effect]) -> Result<Bytes> {
    fn row(effect: &Effect) -> Row<'_> {
        let Effect { id, before, after } = effect;
        let after = after.as_ref().map(|document| After {
            etag: document.etag,
            body: document.body.as_str().into(),
            created_at: document.created_at,
            updated_at: document.updated_at,
            updated_by: document.updated_by.clone(),
        });
        Row { id: id.as_str().into(), before: *before, after }
    }
    let piece =
        Piece { v: VERSION, nonce: nonce.to_string(), rows: rows.iter().map(row).collect() };
    let bytes = serde_json::to_vec(&piece)
        .map_err(|error| Error::invalid(format!("what is staged: {error}")))?;
    if bytes.len() > LARGEST {
        return Err(Error::too_large("what is staged", bytes.len(), LARGEST));
    }
    Ok(bytes.into())
}

/// The rows of a piece.
///
/// # Errors
/// `Corrupt`; `Unsupported` for one of a later version.
pub(super) fn decode(address: &TxAddress, piece: &[u8]) -> Result<Vec<Effect>> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let corrupt =
        |why: String| Error::corrupt(format!("a staged piece of transaction {}", address.id), why);
    if piece.len() > LARGEST {
        return Err(corrupt(format!("{} bytes, at most {LARGEST}", piece.len())));
    }
    let Version { v } =
        serde_json::from_slice(piece).map_err(|error| corrupt(error.to_string()))?;
    if v != VERSION {
        return Err(Error::unsupported(format!(
            "transaction {} was staged by another version of ifmatch ({v})",
            address.id
        )));
    }
    let piece: Piece<'_> =
        serde_json::from_slice(piece).map_err(|error| corrupt(error.to_string()))?;
    let mut rows = Vec::new();
    for Row { id, before, after } in piece.rows {
        let id = DocId::internal(id).map_err(|error| corrupt(error.to_string()))?;
        let key = DocKey { partition: address.partition.clone(), id: id.clone() };
        let after = after.map(|after| Document {
            key,
            etag: after.etag,
            body: Json::stored(after.body),
            created_at: after.created_at,
            updated_at: after.updated_at,
            updated_by: after.updated_by,
        });
        rows.push(Effect { id, before, after });
    }
    Ok(rows)
}
