//! `sqlite:PATH`: documents in a SQLite file.

use std::path::PathBuf;
use std::sync::Arc;

use ifmatch_meta::{Error, MetaStore, Result};
use ifmatch_sql::{Durability, SqliteMetaStore, SqliteOptions};

use super::OpenMetaOptions;
use super::settings::decoded;

/// The file that a URL of documents on SQLite names; `None` for any other URL.
///
/// # Errors
/// `invalid` where it names none.
///
/// # Examples
/// ```
/// let path = ifmatch::sqlite_path("sqlite:teams%3F.db?audit=on")?;
/// assert_eq!(path, Some("teams?.db".into()));
/// assert_eq!(ifmatch::sqlite_path("memory://teams")?, None);
/// # Ok::<(), ifmatch::meta::Error>(())
/// ```
pub fn sqlite_path(url: &str) -> Result<Option<PathBuf>> {
    let Some(rest) = url.strip_prefix("sqlite:") else { return Ok(None) };
    let path = decoded(rest.split('?').next().unwrap_or_default())?;
    if path.is_empty() {
        return Err(Error::invalid("sqlite: needs a path: sqlite:PATH"));
    }
    Ok(Some(path.into()))
}

pub(super) async fn open(url: &str, options: &OpenMetaOptions) -> Result<Arc<dyn MetaStore>> {
    let mut settings = options.settings(url)?;
    let path = sqlite_path(url)?.unwrap_or_default();
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
    let store = SqliteMetaStore::open(path, sqlite, options.env.clone());
    Ok(Arc::new(store.await?))
}
