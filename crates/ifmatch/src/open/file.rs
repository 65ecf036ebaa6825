//! `file:///dir`: local files.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_core::{Error, ProbePolicy, Result};
use ifmatch_object::{FsBlobStore, FsOptions};
use url::Url;

use super::{OpenOptions, Opened, query};

pub(super) fn open(url: &Url, options: &OpenOptions) -> Result<Opened> {
    let (store, probe) = files(url, options)?;
    Ok(Opened { store: Arc::new(store), folder: String::new(), custom_endpoint: false, probe })
}

impl OpenOptions {
    /// The store of local files that `url` names, as itself; `None` where it
    /// names another kind.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_files(&self, url: &str) -> Result<Option<FsBlobStore>> {
        check_text(url)?;
        match Url::parse(url) {
            Ok(url) if url.scheme() == "file" => Ok(Some(files(&url, self)?.0)),
            _ => Ok(None),
        }
    }
}

fn files(url: &Url, options: &OpenOptions) -> Result<(FsBlobStore, Option<ProbePolicy>)> {
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
    Ok((store, probe))
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
