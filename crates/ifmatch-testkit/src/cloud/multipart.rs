//! Uploads in parts: S3 and GCS by upload id and number, Azure by block id.

use super::{config::Dialect, object::Meta};
use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};
use std::{collections::BTreeMap, fmt::Write as _};

/// The uploads under way.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: BTreeMap<String, Upload>,
    created: u64,
}

#[derive(Debug, Default)]
struct Upload {
    key: String,
    meta: Meta,
    parts: BTreeMap<String, Bytes>,
}

/// An upload put together.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) body: Bytes,
    pub(super) meta: Meta,
    /// The tag of S3's kind: a hash of the parts' hashes, `-`, their number.
    pub(super) etag: String,
}

impl Uploads {
    /// Starts an upload and names it.
    pub(super) fn create(&mut self, key: &str, meta: Meta) -> String {
        self.created += 1;
        let id = format!("upload-{}", self.created);
        self.open.insert(id.clone(), Upload { key: key.to_owned(), meta, parts: BTreeMap::new() });
        id
    }

    /// Takes in a part and gives its tag; `None` if there is no such upload.
    /// Azure's blocks need no creation: their upload is the key's own.
    pub(super) fn put(
        &mut self,
        dialect: Dialect,
        key: &str,
        upload: &str,
        part: &str,
        body: &Bytes,
    ) -> Option<String> {
        if dialect == Dialect::Azure {
            let fresh = Upload { key: key.to_owned(), ..Upload::default() };
            self.open.entry(upload.to_owned()).or_insert(fresh);
        }
        let open = self.open.get_mut(upload).filter(|open| open.key == key)?;
        open.parts.insert(part.to_owned(), body.clone());
        Some(quoted_md5(body))
    }

    /// Puts the named parts together without closing the upload; `None` if the
    /// upload or a part does not exist.
    pub(super) fn assemble(&self, key: &str, upload: &str, parts: &[String]) -> Option<Assembled> {
        let open = self.open.get(upload).filter(|open| open.key == key)?;
        let mut body = BytesMut::new();
        let mut hashes = Md5::new();
        for part in parts {
            let bytes = open.parts.get(part)?;
            body.extend_from_slice(bytes);
            hashes.update(Md5::digest(bytes));
        }
        let etag = format!("\"{}-{}\"", hex(&hashes.finalize()), parts.len());
        Some(Assembled { body: body.freeze(), meta: open.meta.clone(), etag })
    }

    /// Forgets an upload; whether it existed.
    pub(super) fn close(&mut self, upload: &str) -> bool {
        self.open.remove(upload).is_some()
    }
}

/// The tag of a body put in one piece to S3 or GCS.
pub(super) fn quoted_md5(body: &[u8]) -> String {
    format!("\"{}\"", hex(&Md5::digest(body)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
