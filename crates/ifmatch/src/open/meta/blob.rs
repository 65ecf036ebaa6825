//! `file:`, `s3:`, `gs:`, `az:`, `blob+memory:`: documents on blobs.

use std::sync::Arc;

use ifmatch_core::{Error as CoreError, Prefixed};
use ifmatch_meta::{BlobMetaOptions, BlobMetaStore, Error, MetaStore, Result};

use super::OpenMetaOptions;
use super::settings::{COMMON, size};
use crate::open::OpenOptions;

/// What is said of documents on blobs only.
const ALSO: &str = "max_partition, prefix";

pub(super) async fn open(url: &str, options: &OpenMetaOptions) -> Result<Arc<dyn MetaStore>> {
    let mut settings = options.settings(url)?;
    let mut blob = BlobMetaOptions::default()
        .limits(settings.limits)
        .transactions(settings.transactions())
        .audit(settings.audit)
        .retry(options.policy)
        .env(options.env.clone());
    blob.create = options.create;
    if let Some(bytes) = settings.take("max_partition") {
        blob = blob.partition_bytes(size(&bytes)? as u64);
    }
    let prefix = settings.take("prefix");
    blob.author = settings.author.take().map(Into::into);
    let blobs = OpenOptions::new().deadline(options.policy.deadline).env(options.env.clone());
    let mut store = blobs.open(&settings.rest()).map_err(with_ours)?;
    if let Some(prefix) = prefix {
        store = Prefixed::below(store, &prefix)?;
    }
    Ok(Arc::new(BlobMetaStore::open(store, blob).await?))
}

/// Where an option is unknown the list of the known ones has ours too.
fn with_ours(error: CoreError) -> Error {
    match &error {
        CoreError::Invalid { what }
            if what.contains("; there are: ") && what.starts_with("option") =>
        {
            Error::invalid(format!("{what}; and for documents: {COMMON}, {ALSO}"))
        }
        _ => error.into(),
    }
}
