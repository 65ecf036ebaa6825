//! Snapshots: the database at a commit, compressed, immutable.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use bytes::Bytes;
use ifmatch_core::{ConditionalBlobStore, Error as StoreError, Fetched, GetOptions};
use tempfile::NamedTempFile;

use super::head::{Head, SnapshotRef};
use super::snapshot_key;
use crate::error::{Error, Result};
use crate::local::verify;

/// Compression level: at 1 a database shrinks as at 3, two to four times as
/// fast.
const LEVEL: i32 = 1;
/// What no honest snapshot exceeds: bytes of the database per byte of the blob.
const MAX_RATIO: u64 = 1_000;
/// Smaller databases may compress better than that.
const SMALL: u64 = 64 << 20;

/// Largest database that a blob of `packed` bytes may declare.
fn limit(packed: u64, max_database: u64) -> u64 {
    packed.saturating_mul(MAX_RATIO).max(SMALL).min(max_database)
}

/// A snapshot, ready to be put.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) body: Bytes,
    pub(crate) reference: SnapshotRef,
}

/// Compresses a database file.
///
/// # Errors
/// `TooLarge` where no reader would accept it.
pub(crate) fn pack(
    file: &mut File,
    path: &Path,
    content: &str,
    max_database: u64,
) -> Result<Packed> {
    let failed = || Error::io("reading", path);
    let size = file.seek(SeekFrom::End(0)).map_err(failed())?;
    file.rewind().map_err(failed())?;
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL).map_err(failed())?;
    std::io::copy(file, &mut encoder).map_err(failed())?;
    let body = encoder.finish().map_err(failed())?;
    let limit = limit(body.len() as u64, max_database);
    if size > limit {
        let subject = path.display().to_string().into();
        return Err(StoreError::TooLarge { subject, size, limit }.into());
    }
    let reference = SnapshotRef {
        packed: body.len() as u64,
        packed_hash: blake3::hash(&body).to_string(),
        size,
        content: content.to_owned(),
    };
    Ok(Packed { body: body.into(), reference })
}

/// Downloads a snapshot into a temporary file in `folder` and verifies all of
/// it before anybody uses it.
pub(crate) async fn fetch_snapshot(
    store: &dyn ConditionalBlobStore,
    head: &Head,
    folder: &Path,
    max_database: u64,
) -> Result<NamedTempFile> {
    let (commit, reference) = (head.commit(), &head.snapshot);
    let key = snapshot_key(&commit)?;
    let limit = limit(reference.packed, max_database);
    if reference.size > limit {
        let subject = format!("{key}: the database that it declares").into();
        return Err(StoreError::TooLarge { subject, size: reference.size, limit }.into());
    }
    let Fetched::Found(blob) = store.get(&key, GetOptions::new()).await? else {
        return Err(Error::corrupt(key.as_str(), "the head names it, but it is missing"));
    };
    let (folder, reference) = (folder.to_owned(), reference.clone());
    let mark = (head.journal, commit);
    crate::local::blocking(move || {
        let image = unpack(key.as_str(), &blob.body, &reference, &folder)?;
        verify(image.path(), key.as_str(), mark)?;
        Ok(image)
    })
    .await
}

fn unpack(
    name: &str,
    body: &[u8],
    reference: &SnapshotRef,
    folder: &Path,
) -> Result<NamedTempFile> {
    let corrupt = |detail: &str| Error::corrupt(name, detail);
    if body.len() as u64 != reference.packed {
        return Err(corrupt("its length is not the one in the head"));
    }
    if blake3::hash(body).to_string() != reference.packed_hash {
        return Err(corrupt("its checksum is not the one in the head"));
    }
    let mut file = tempfile::Builder::new()
        .prefix(".ifmatch-")
        .tempfile_in(folder)
        .map_err(Error::io("creating a file in", folder))?;
    let mut decoder = zstd::Decoder::new(body).map_err(|_| corrupt("it is not compressed"))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0_u64;
    loop {
        let read = decoder.read(&mut buffer).map_err(|_| corrupt("it does not decompress"))?;
        if read == 0 {
            break;
        }
        size += read as u64;
        if size > reference.size {
            return Err(corrupt("it holds more than the head declares"));
        }
        hasher.update(&buffer[..read]);
        file.write_all(&buffer[..read]).map_err(Error::io("writing below", folder))?;
    }
    if size != reference.size || hasher.finalize().to_string() != reference.content {
        return Err(corrupt("the database in it is not the one that was published"));
    }
    file.as_file().sync_all().map_err(Error::io("writing below", folder))?;
    Ok(file)
}
