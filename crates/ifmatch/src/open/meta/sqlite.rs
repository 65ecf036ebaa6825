//! `sqlite:PATH`: documents in a SQLite file.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_meta::{Error, MetaStore, Result};
use ifmatch_sql::{Durability, SqliteMetaStore, SqliteOptions};

use super::OpenMetaOptions;
use super::settings::decoded;

pub(super) async fn open(url: &str, options: &OpenMetaOptions) -> Result<Arc<dyn MetaStore>> {
    let mut settings = options.settings(url)?;
    let path = decoded(settings.address.strip_prefix("sqlite:").unwrap_or_default())?;
    if path.is_empty() {
        return Err(Error::invalid("sqlite: needs a path: sqlite:PATH"));
    }
    let durability = match settings.take("durability").as_deref() {
        None | Some("full") => Durability::Full,
        Some("process") => Durability::Process,
        Some(other) => {
            return Err(Error::invalid(format!("durability={other:?} must be full or process")));
        }
    };
    settings.all_known("sqlite", "durability")?;
    let mut sqlite = SqliteOptions::default()
        .create(options.create)
        .limits(settings.limits)
        .transactions(settings.transactions())
        .audit(settings.audit)
        .durability(durability);
    sqlite.author = settings.author.map(Into::into);
    let store = SqliteMetaStore::open(PathBuf::from(path), sqlite, options.env.clone());
    Ok(Arc::new(store.await?))
}
