//! `file:///dir`: local files.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_core::{Error, Result};
use ifmatch_object::{FsBlobStore, FsOptions};
use url::Url;

use super::{OpenOptions, Opened, query};

pub(super) fn open(url: &Url, options: &OpenOptions) -> Result<Opened> {
    if url.host_str().is_some_and(|host| !host.is_empty()) || !url.as_str().starts_with("file:///")
    {
        return Err(Error::invalid("file: takes an absolute path: file:///dir"));
    }
    let mut probe = None;
    let mut fs = FsOptions::default();
    query::each(url, "fsync, probe", |option, value| match (option, value) {
        ("probe", value) => {
            probe = Some(query::probe(value)?);
            Ok(true)
        }
        ("fsync", "off") => {
            fs.durable = false;
            Ok(true)
        }
        ("fsync", value) => Err(Error::invalid(format!("fsync={value:?}: the only value is off"))),
        _ => Ok(false),
    })?;
    let root = PathBuf::from(query::path(url)?);
    let store = FsBlobStore::new(root, fs.retry(options.policy), options.env.clone())?;
    Ok(Opened { store: Arc::new(store), folder: String::new(), custom_endpoint: false, probe })
}
