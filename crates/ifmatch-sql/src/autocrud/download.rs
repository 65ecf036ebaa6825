//! A blob as a file.

use std::io::Write as _;
use std::sync::Arc;

use ifmatch_core::{
    Blob, BlobInfo, BlobKey, ConditionalBlobStore, Error as CoreError, Fetched, GetOptions,
    Operation,
};
use ifmatch_meta::{Error, Result};
use tempfile::NamedTempFile;

use super::options::AutocrudOptions;
use super::{blocking, verify};

/// Bytes asked for at once.
const PART: u64 = 8 << 20;

/// How often it begins anew because the blob was replaced meanwhile.
const MOST_VERSIONS: u32 = 5;

/// Downloads one version of a blob into a file that goes away with its handle.
pub(super) async fn download(
    blobs: &dyn ConditionalBlobStore,
    key: &BlobKey,
    options: &AutocrudOptions,
) -> Result<NamedTempFile> {
    let mut versions = 1;
    loop {
        let info = blobs.head(key).await?.ok_or_else(|| missing(key))?;
        verify::check_size(&key.to_string(), info.size, options.max_file_bytes)?;
        match version(blobs, &info, options).await {
            Err(Error::Core(CoreError::Conflict(_))) if versions < MOST_VERSIONS => versions += 1,
            answer => return answer,
        }
    }
}

async fn version(
    blobs: &dyn ConditionalBlobStore,
    info: &BlobInfo,
    options: &AutocrudOptions,
) -> Result<NamedTempFile> {
    let scratch = options.scratch.clone();
    let made = blocking(move || {
        let mut builder = tempfile::Builder::new();
        builder.prefix("ifmatch-import-");
        match scratch {
            Some(folder) => builder.tempfile_in(folder),
            None => builder.tempfile(),
        }
    });
    let mut file = made.await?.map_err(failed)?;
    let mut at = 0;
    while at < info.size {
        let end = (at + PART).min(info.size);
        let part = GetOptions::new().if_match(info.version.clone()).range(at..end);
        let Fetched::Found(Blob { body, .. }) = blobs.get(&info.key, part).await? else {
            return Err(missing(&info.key));
        };
        if body.len() as u64 != end - at {
            let detail = format!("{} bytes at {at}, {} asked for", body.len(), end - at);
            return Err(Error::corrupt(info.key.to_string(), detail));
        }
        at = end;
        let (back, written) = blocking(move || {
            let written = file.write_all(&body);
            (file, written)
        })
        .await?;
        written.map_err(failed)?;
        file = back;
    }
    Ok(file)
}

fn missing(key: &BlobKey) -> Error {
    CoreError::NotFound { what: key.to_string().into() }.into()
}

fn failed(error: std::io::Error) -> Error {
    crate::sqlite::file(error, Operation::Put, &Arc::from("the temporary file of a download"))
}
