//! `memory://name[/folder]`: shared within the process.

use std::sync::Arc;

use ifmatch_core::{Error, MemoryBlobStore, Result};
use url::Url;

use super::{OpenOptions, Opened, query};

pub(super) fn open(url: &Url, options: &OpenOptions) -> Result<Opened> {
    let name = url.host_str().unwrap_or_default();
    if name.is_empty() {
        return Err(Error::invalid("memory: needs a name: memory://NAME"));
    }
    let mut probe = None;
    query::each(url, "probe", |option, value| match option {
        "probe" => {
            probe = Some(query::probe(value)?);
            Ok(true)
        }
        _ => Ok(false),
    })?;
    let store = MemoryBlobStore::shared(name, options.env.clone());
    let folder = query::path(url)?;
    Ok(Opened { store: Arc::new(store), folder, custom_endpoint: false, probe })
}
