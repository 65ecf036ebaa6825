//! `memory://name`: documents in this process.

use std::sync::Arc;

use ifmatch_meta::{Error, MemoryMetaStore, MemoryOptions, MetaStore, Result};

use super::OpenMetaOptions;
use super::settings::{decoded, size};

pub(super) fn open(url: &str, options: &OpenMetaOptions) -> Result<Arc<dyn MetaStore>> {
    let mut settings = options.settings(url)?;
    let name = settings.address.strip_prefix("memory://").unwrap_or_default();
    let name = decoded(name)?;
    if name.is_empty() || name.contains(['/', '#']) {
        return Err(Error::invalid("memory: needs a name: memory://NAME"));
    }
    let mut memory = MemoryOptions::default()
        .limits(settings.limits)
        .features(settings.features())
        .env(options.env.clone());
    if let Some(bytes) = settings.take("max_partition") {
        memory = memory.partition_bytes(size(&bytes)?);
    }
    settings.all_known("memory", "max_partition")?;
    memory.author = settings.author.map(Into::into);
    Ok(Arc::new(MemoryMetaStore::shared(&name, memory)))
}
