//! `file:///dir`: local files.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_core::{Error, Result};
use ifmatch_object::{FsBlobStore, FsOptions};
use url::Url;

use super::{OpenOptions, Opened, query};

pub(super) fn open(url: &Url, options: &OpenOptions) -> Result<Opened> {
    if url.host_str().is_some_and(|host| !host.is_empty()) {
        return Err(not_absolute());
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

/// Parsing makes an absolute path of a relative one, so that this looks at the
/// text.
pub(super) fn check_text(url: &str) -> Result<()> {
    let is_file = url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    if is_file && !url[5..].starts_with("///") { Err(not_absolute()) } else { Ok(()) }
}

fn not_absolute() -> Error {
    Error::invalid("file: takes an absolute path: file:///dir")
}
