//! Document stores by URL.

mod blob;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ifmatch_core::{Env, RetryPolicy};
use ifmatch_meta::{Error, MetaStore, Result};

use self::settings::Settings;
#[cfg(feature = "sqlite")]
pub use self::sqlite::sqlite_path;

/// The schemes and what stands behind them.
const SCHEMES: &str = "memory://name, sqlite:PATH, postgres://host/database, and on blobs \
                       file:///dir, s3://bucket/prefix, gs://bucket/prefix, \
                       az://container/prefix, blob+memory://name";

/// The schemes that have a feature.
const FEATURED: [&str; 3] = ["sqlite", "postgres", "postgresql"];

/// How to open a document store.
#[derive(Clone, Debug)]
pub struct OpenMetaOptions {
    create: bool,
    author: Option<String>,
    transactions: bool,
    policy: RetryPolicy,
    env: Env,
}

impl Default for OpenMetaOptions {
    fn default() -> Self {
        let (policy, env) = (RetryPolicy::default(), Env::real());
        Self { create: true, author: None, transactions: false, policy, env }
    }
}

/// A document store by its URL, made where it is missing.
///
/// | URL | documents |
/// |---|---|
/// | `memory://name` | in this process, shared by its name |
/// | `sqlite:PATH` | in a SQLite file; `?` in the path is written `%3F` |
/// | `postgres://user@host/database` | in a schema of a PostgreSQL database |
/// | `file:///dir`, `s3://bucket/prefix`, `gs://..`, `az://..` | on a blob store, one journal for each partition |
/// | `blob+memory://name` | the same on blobs in memory |
///
/// Options are the query: `transactions=on`, `audit=on` (both `off` unless
/// set), `author=NAME`, `max_document=1MiB` for each; `durability=full|process`
/// (SQLite); `schema=NAME`, `connections=10` (PostgreSQL);
/// `max_partition=64MiB` (memory and blobs); `prefix=FOLDER` and those of
/// [`open`](crate::open()) (blobs). Values are percent-decoded.
///
/// # Errors
/// `invalid` for an unknown scheme or option (it lists the known ones),
/// `unsupported` where the feature of the scheme is off, else those of the
/// backend.
///
/// # Examples
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// use ifmatch::meta::{DocKey, DocPrecondition, Json};
///
/// let store = ifmatch::open_meta_store("memory://teams?author=ann").await?;
/// let key = DocKey::new("teams", "a")?;
/// store.put(&key, Json::new(r#"{"size":3}"#)?, DocPrecondition::IfAbsent).await?;
/// # Ok::<(), ifmatch::meta::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn open_meta_store(url: &str) -> Result<Arc<dyn MetaStore>> {
    OpenMetaOptions::default().open(url).await
}

impl OpenMetaOptions {
    /// The defaults: what is missing is made, no author, no transactions, 30
    /// seconds of retries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a missing store is made.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Who writes, where a write does not say so itself; an `author=` in the
    /// URL is overruled.
    pub fn author(mut self, author: Option<String>) -> Self {
        self.author = author;
        self
    }

    /// Whether local transactions may be begun where the URL does not say.
    pub fn transactions(mut self, on: bool) -> Self {
        self.transactions = on;
        self
    }

    /// How long an unavailable store is tried.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.policy = self.policy.with_deadline(deadline);
        self
    }

    /// Clock and randomness.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Opens the store that `url` names.
    ///
    /// # Errors
    /// As [`open_meta_store`].
    pub async fn open(&self, url: &str) -> Result<Arc<dyn MetaStore>> {
        let (scheme, _) = url.split_once(':').unwrap_or(("", url));
        match scheme {
            "memory" => memory::open(url, self),
            #[cfg(feature = "sqlite")]
            "sqlite" => sqlite::open(url, self).await,
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => postgres::open(url, self).await,
            "file" | "s3" | "gs" | "az" => Box::pin(blob::open(url, self)).await,
            _ if FEATURED.contains(&scheme) => Err(Error::unsupported(format!(
                "{scheme}: is not compiled in: switch on its feature of the crate `ifmatch`"
            ))),
            _ => match url.strip_prefix("blob+") {
                Some(url) => Box::pin(blob::open(url, self)).await,
                None => Err(Error::invalid(format!(
                    "scheme {scheme:?} is no document store's; there are: {SCHEMES}"
                ))),
            },
        }
    }

    /// What the URL says, and what it leaves to these options.
    fn settings(&self, url: &str) -> Result<Settings> {
        let mut settings = Settings::read(url)?;
        settings.transactions.get_or_insert(self.transactions);
        if let Some(author) = &self.author {
            settings.author = Some(author.clone());
        }
        Ok(settings)
    }
}
